import { CallError } from "@alkdev/operations";
import { coversScope } from "../auth/mod.ts";
import type { Caller, Page } from "../runs/mod.ts";
import type { Member, MemberStatus, MemberStore } from "./ports.ts";

/** What memberships are made of. */
export interface MembersOptions {
  readonly store: MemberStore;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Scopes of an account's keys in an organization that are neither revoked nor expired. */
  readonly scopesOf: (params: { readonly orgId: string; readonly accountId: string }) => Promise<readonly string[]>;
  /** Told when keys of an account may have become valid or invalid: forget what is remembered of them here. */
  readonly changed?: (params: { readonly orgId: string; readonly accountId: string }) => Promise<void>;
}

/**
 * Use cases of the accounts of one's own organization. Codes: `ACCOUNT_NOT_FOUND`, `ACCOUNT_EXISTS`, `ACCESS_DENIED`.
 *
 * 1. What one organization does to an account holds in it alone: another one that knows the account sees nothing of it.
 * 2. Nobody suspends who holds more than they do, the owner, or themselves: an organization can always be administered.
 */
export class Members {
  readonly #options: MembersOptions;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** By account id. */
  async list(
    { caller: { orgId }, limit, cursor }: { readonly caller: Caller; readonly limit: number; readonly cursor?: string },
  ): Promise<Page<Member>> {
    const rows = await this.#options.store.list({ orgId, limit: limit + 1, after: cursor ?? null });
    const items = rows.slice(0, limit);
    return { items, nextCursor: rows.length > limit ? items.at(-1)?.accountId ?? null : null };
  }

  async get(
    { caller: { orgId }, accountId }: { readonly caller: Caller; readonly accountId: string },
  ): Promise<Member> {
    return await this.#options.store.get({ orgId, accountId }) ?? notFound(accountId);
  }

  /** A service account; it can do nothing until somebody makes a key for it. */
  async create(
    { caller: { orgId }, accountId, displayName }: {
      readonly caller: Caller;
      readonly accountId: string;
      readonly displayName?: string;
    },
  ): Promise<Member> {
    const { store, now } = this.#options;
    const member = await store.add({ orgId, accountId, displayName: displayName ?? accountId, now: now() });
    if (member !== null) return member;
    throw new CallError("ACCOUNT_EXISTS", `Cannot make account "${accountId}": it is in this organization already`, {
      accountId,
    });
  }

  /** None of its keys is taken here until it is resumed. Idempotent. */
  async suspend({ caller, accountId }: { readonly caller: Caller; readonly accountId: string }): Promise<Member> {
    const member = await this.#changeable(caller, accountId, "suspend");
    if (accountId === caller.identity.id) throw denied(`Cannot suspend account "${accountId}": it is your own`);
    if (member.level === "owner") {
      throw denied(`Cannot suspend account "${accountId}": it owns the organization`);
    }
    return await this.#set(member, "suspended");
  }

  /** Its keys are taken again. Idempotent. */
  async resume({ caller, accountId }: { readonly caller: Caller; readonly accountId: string }): Promise<Member> {
    return await this.#set(await this.#changeable(caller, accountId, "resume"), "active");
  }

  async #changeable(caller: Caller, accountId: string, verb: string): Promise<Member> {
    const member = await this.get({ caller, accountId });
    const { orgId, identity: { scopes } } = caller;
    const missing = (await this.#options.scopesOf({ orgId, accountId })).filter((scope) => !coversScope(scopes, scope));
    if (missing.length === 0) return member;
    const names = missing.slice(0, 10).map((scope) => `"${scope}"`).join(", ");
    throw denied(`Cannot ${verb} account "${accountId}": wanted a key that itself holds ${names}`, missing);
  }

  async #set({ orgId, accountId }: Member, status: MemberStatus): Promise<Member> {
    const member = await this.#options.store.set({ orgId, accountId, status }) ?? notFound(accountId);
    await this.#options.changed?.({ orgId, accountId });
    return member;
  }
}

function denied(message: string, requiredScopes: readonly string[] = []): CallError {
  return new CallError("ACCESS_DENIED", message, { requiredScopes });
}

function notFound(accountId: string): never {
  const id = accountId.slice(0, 100);
  throw new CallError("ACCOUNT_NOT_FOUND", `There is no account "${id}" in this organization`, { accountId: id });
}
