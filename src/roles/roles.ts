import { CallError } from "@alkdev/operations";
import { checkScopes } from "../auth/mod.ts";
import type { Caller, Page } from "../runs/mod.ts";
import { BUILT_IN_ROLES } from "./built_in_roles.ts";
import type { RoleSource, RoleStore } from "./ports.ts";
import { assertRoleName, assertWithin, parseRoleRef, readRole } from "./read_role.ts";
import type { NewRole, Role, RoleDefinition } from "./role.ts";

/** What roles are made of. */
export interface RolesOptions {
  readonly store: RoleStore;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** The role in which a caller acts, when it is a session; null: it acts for itself. Default: always null. */
  readonly acting?: (caller: Caller) => Promise<RoleDefinition | null>;
  /** Scopes that operations of an organization ask for, beside the hub's own. */
  readonly declaredScopes?: (orgId: string) => ReadonlySet<string>;
}

/** A role that was put. */
export interface PutRole {
  readonly role: Role;
  /** False: the latest version said the same already, and is the answer. */
  readonly isNew: boolean;
}

/** Tries of a write that others got ahead of. */
const TRIES = 5;
/** Organizations whose built-in roles are known to be there. */
const MAX_SEEDED = 10_000;

/**
 * Use cases of roles. Codes: `ROLE_NOT_FOUND`, `ROLE_CHANGED`, `ACCESS_DENIED` for a role that could do more than who makes it,
 * `VALIDATION_ERROR`.
 *
 * 1. A version never changes, and is never removed while its organization is there.
 * 2. The built-in roles are there before the first look at an organization's roles. One that an organization has changed or
 *    archived is its own: a later hub changes it no more.
 */
export class Roles implements RoleSource {
  readonly #options: RolesOptions;
  readonly #seeded: Set<string> = new Set();

  constructor(options: RolesOptions) {
    this.#options = options;
  }

  /** By name. */
  async list(
    { caller: { orgId }, archived = false, limit, cursor }: {
      readonly caller: Caller;
      readonly archived?: boolean;
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<Page<Role>> {
    await this.#seed(orgId);
    const rows = await this.#options.store.list({ orgId, archived, limit: limit + 1, after: cursor ?? null });
    const items = rows.slice(0, limit);
    return { items, nextCursor: rows.length > limit ? items.at(-1)?.name ?? null : null };
  }

  /** `name` or `name@version`; archived ones too. */
  async get({ caller: { orgId }, ref }: { readonly caller: Caller; readonly ref: string }): Promise<Role> {
    return await this.#find(orgId, ref) ?? notFound(ref);
  }

  async resolve({ orgId, ref }: { readonly orgId: string; readonly ref: string }): Promise<Role> {
    const role = await this.#find(orgId, ref);
    const isOpen = role !== null && (role.archivedAt === null || ref.includes("@"));
    return isOpen ? role : notFound(ref);
  }

  /** Newest first. */
  async versions(
    { caller: { orgId }, name, limit, cursor }: {
      readonly caller: Caller;
      readonly name: string;
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<Page<Role>> {
    assertRoleName(name);
    await this.#seed(orgId);
    const before = cursor === undefined ? null : readCursor(cursor);
    const rows = await this.#options.store.versions({ orgId, name, limit: limit + 1, before });
    if (rows.length === 0 && before === null) notFound(name);
    const items = rows.slice(0, limit);
    return { items, nextCursor: rows.length > limit ? String(items.at(-1)?.version) : null };
  }

  /** Writes a new version, unless the latest says the same. `after` is the version that it is meant to follow, 0 for none. */
  async put(
    { caller, name, role, after }: {
      readonly caller: Caller;
      readonly name: string;
      readonly role: NewRole;
      readonly after?: number;
    },
  ): Promise<PutRole> {
    const definition = readRole(name, role);
    const { orgId, identity } = caller;
    checkScopes(definition.scopes, this.#options.declaredScopes?.(orgId));
    const acting = await this.#options.acting?.(caller) ?? null;
    assertWithin(name, definition, { scopes: identity.scopes, acting });
    await this.#seed(orgId);
    await this.#assertSpawned(orgId, name, definition);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const latest = await this.#options.store.get({ orgId, name, version: null });
      const before = latest?.version ?? 0;
      if (after !== undefined && after !== before) throw changed(name, after, before);
      if (latest !== null && latest.archivedAt === null && isSame(latest, definition)) {
        return { role: latest, isNew: false };
      }
      const now = this.#options.now();
      const put = { orgId, name, before, definition, builtIn: false, createdBy: identity.id, now };
      const written = await this.#options.store.put(put);
      if (written !== null) return { role: written, isNew: true };
    }
    throw new CallError("ROLE_CHANGED", `Role "${name}" is being changed by others: try again`, { name });
  }

  /** It can be given to no new session; its versions can still be read. Idempotent. */
  async archive({ caller, name }: { readonly caller: Caller; readonly name: string }): Promise<Role> {
    assertRoleName(name);
    const { orgId, identity: { scopes } } = caller;
    await this.#seed(orgId);
    const latest = await this.#options.store.get({ orgId, name, version: null });
    if (latest === null) return notFound(name);
    // As with keys: who holds less than a role cannot take it from those who need it.
    assertWithin(name, latest, { scopes, acting: await this.#options.acting?.(caller) ?? null }, "archive");
    return await this.#options.store.archive({ orgId, name, now: this.#options.now() }) ?? notFound(name);
  }

  async #find(orgId: string, ref: string): Promise<Role | null> {
    const { name, version } = parseRoleRef(ref);
    await this.#seed(orgId);
    return await this.#options.store.get({ orgId, name, version });
  }

  /** Roles that may be spawned are there: a misspelt one would be found out by a session at work. */
  async #assertSpawned(orgId: string, name: string, { spawn }: RoleDefinition): Promise<void> {
    for (const spawned of spawn?.roles ?? []) {
      if (spawned === name) continue;
      const role = await this.#options.store.get({ orgId, name: spawned, version: null });
      if (role !== null && role.archivedAt === null) continue;
      const message = `names role "${spawned}", which there is not: wanted roles of this organization`;
      throw new CallError("VALIDATION_ERROR", `Field "spawn.roles" ${message}`, {
        errors: [{ path: "/spawn/roles", message }],
      });
    }
  }

  async #seed(orgId: string): Promise<void> {
    if (this.#seeded.has(orgId)) return;
    const { store, now } = this.#options;
    for (const [name, definition] of BUILT_IN_ROLES) {
      const latest = await store.get({ orgId, name, version: null });
      const isTheirs = latest !== null && (!latest.builtIn || latest.archivedAt !== null);
      if (isTheirs || (latest !== null && isSame(latest, definition))) continue;
      // Null: another hub was first.
      const before = latest?.version ?? 0;
      await store.put({ orgId, name, before, definition, builtIn: true, createdBy: "hub", now: now() });
    }
    if (this.#seeded.size >= MAX_SEEDED) this.#seeded.clear();
    this.#seeded.add(orgId);
  }
}

/** The same text: definitions are made by `readRole`, in one order of fields. */
function isSame(role: RoleDefinition, definition: RoleDefinition): boolean {
  return Object.entries(definition).every(([field, value]) =>
    JSON.stringify(value) === JSON.stringify(role[field as keyof RoleDefinition])
  );
}

function readCursor(cursor: string): number {
  if (/^[1-9]\d{0,8}$/.test(cursor)) return Number(cursor);
  const message = `is "${cursor.slice(0, 100)}": wanted the nextCursor of a page`;
  throw new CallError("VALIDATION_ERROR", `Query parameter "cursor" ${message}`, {
    errors: [{ path: "?cursor", message }],
  });
}

function changed(name: string, after: number, latest: number): CallError {
  const is = latest === 0 ? "there is no such role" : `its latest version is ${latest}`;
  return new CallError("ROLE_CHANGED", `Cannot write role "${name}" after version ${after}: ${is}`, { name, latest });
}

function notFound(ref: string): never {
  throw new CallError("ROLE_NOT_FOUND", `There is no role "${ref.slice(0, 100)}"`, { role: ref.slice(0, 100) });
}
