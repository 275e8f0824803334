/** What roles and accounts need from the world. In memory: `memory_role_store.ts`, `memory_member_store.ts`. */
import type { Role, RoleDefinition } from "./role.ts";

/** Roles with all their versions, by organization. A version that is written never changes. */
export interface RoleStore {
  /** `version` null: the latest. Null: there is none. Archived ones are given too. */
  get(params: { readonly orgId: string; readonly name: string; readonly version: number | null }): Promise<Role | null>;
  /** The latest version of each, by name; `after` is the last name of the page before. */
  list(
    params: {
      readonly orgId: string;
      readonly archived: boolean;
      readonly limit: number;
      readonly after: string | null;
    },
  ): Promise<readonly Role[]>;
  /** Newest first; empty: there is no such role. `before` is a version. */
  versions(
    params: { readonly orgId: string; readonly name: string; readonly limit: number; readonly before: number | null },
  ): Promise<readonly Role[]>;
  /**
   * Writes version `before + 1` (0: a new role) and takes the role out of the archive. Null: its latest version is not
   * `before` (any more).
   */
  put(
    params: {
      readonly orgId: string;
      readonly name: string;
      readonly before: number;
      readonly definition: RoleDefinition;
      readonly builtIn: boolean;
      readonly createdBy: string;
      /** Ms since the epoch. */
      readonly now: number;
    },
  ): Promise<Role | null>;
  /** The latest version, archived (again); null: there is no such role. */
  archive(params: { readonly orgId: string; readonly name: string; readonly now: number }): Promise<Role | null>;
}

/** For rooms that give roles to sessions. */
export interface RoleSource {
  /** `name` or `name@version`. @throws {CallError} `ROLE_NOT_FOUND`, also for one that is archived and named without a version */
  resolve(params: { readonly orgId: string; readonly ref: string }): Promise<Role>;
}

/** Whether an account's keys are taken in an organization. */
export type MemberStatus = "active" | "suspended";
export type MembershipLevel = "owner" | "admin" | "member";

/** An account as one organization sees it. */
export interface Member {
  readonly orgId: string;
  readonly accountId: string;
  readonly displayName: string;
  readonly kind: "admin" | "user" | "service";
  readonly level: MembershipLevel;
  readonly status: MemberStatus;
  /** Ms since the epoch. */
  readonly createdAt: number;
  /** Keys that are neither revoked nor expired. */
  readonly keys: number;
}

/** Who belongs to an organization. An account of the same id in another one is the same account, and another membership. */
export interface MemberStore {
  get(params: { readonly orgId: string; readonly accountId: string }): Promise<Member | null>;
  /** By account id; `after` is the last of the page before. */
  list(params: { readonly orgId: string; readonly limit: number; readonly after: string | null }): Promise<
    readonly Member[]
  >;
  /** A service account, made where it is not there yet. Null: it is a member already. */
  add(
    params: { readonly orgId: string; readonly accountId: string; readonly displayName: string; readonly now: number },
  ): Promise<Member | null>;
  /** Null: it is no member. */
  set(
    params: {
      readonly orgId: string;
      readonly accountId: string;
      readonly status?: MemberStatus;
      readonly displayName?: string;
      readonly level?: MembershipLevel;
    },
  ): Promise<Member | null>;
}
