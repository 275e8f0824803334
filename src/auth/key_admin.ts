import type { ApiKeyManager, ApiKeyRecord } from "@alkdev/keypal";
import { KeyError } from "@alkdev/keypal";
import { CallError, hasScope } from "@alkdev/operations";
import type { Auth } from "./auth.ts";
import { checkScopes } from "./check_scopes.ts";
import { coversScope } from "./covers_scope.ts";
import type { KeyLimits } from "./key_rates.ts";
import { type KeyView, toKeyView } from "./key_view.ts";
import type { Principal } from "./principal.ts";

/** Where it is written down who did what to a key. */
export interface KeyAudit {
  append(entry: KeyAuditEntry): Promise<void>;
}

/** One appended fact; whoever keeps it adds an id and the time. */
export interface KeyAuditEntry {
  readonly action: "key.created" | "key.rotated" | "key.revoked";
  readonly orgId: string;
  /** Who did it. */
  readonly ownerId: string;
  /** The key it was done to. */
  readonly keyId: string;
  /** `byKey` is the key that was used to do it. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What is asked of a new key. */
export interface NewKey {
  readonly name: string;
  readonly scopes: readonly string[];
  /** Default: whoever creates it. */
  readonly ownerId?: string;
  /** Ms since the epoch; absent: never. */
  readonly expiresAt?: number;
  readonly limits?: KeyLimits;
}

/** The only time the plain key is seen. */
export interface IssuedKey {
  readonly key: string;
  readonly record: KeyView;
}

/**
 * Administration of one's own organization's keys. A principal can neither make a key with a scope it does not hold, nor touch
 * one that has such a scope: else a weak key could turn itself into a strong one. Codes: `KEY_NOT_FOUND`, `ACCESS_DENIED`,
 * `VALIDATION_ERROR`, `KEY_REVOKED`.
 */
export interface KeyAdmin {
  create(params: { readonly principal: Principal; readonly key: NewKey }): Promise<IssuedKey>;
  /** Newest first, revoked ones included. */
  list(params: { readonly principal: Principal }): Promise<readonly KeyView[]>;
  /** The old key stops to work after `graceMs`; default: at once. */
  rotate(
    params: { readonly principal: Principal; readonly id: string; readonly graceMs?: number },
  ): Promise<IssuedKey>;
  revoke(params: { readonly principal: Principal; readonly id: string }): Promise<KeyView>;
}

/** What {@linkcode createKeyAdmin} works with. */
export interface KeyAdminOptions {
  readonly keys: Pick<ApiKeyManager, "create" | "rotate" | "revoke" | "findById" | "listByOrg">;
  readonly audit: KeyAudit;
  readonly auth: Pick<Auth, "invalidate">;
  /** Scopes that operations of an organization ask for, beside the hub's own. */
  readonly declaredScopes?: (orgId: string) => ReadonlySet<string>;
  /** Tenant of keys that name none; as in `createAuth`. */
  readonly defaultOrgId?: string;
  /** Ms since the epoch; default `Date.now`. */
  readonly now?: () => number;
}

/** Use cases of key administration. */
export function createKeyAdmin(options: KeyAdminOptions): KeyAdmin {
  return new AuditedKeyAdmin(options);
}

class AuditedKeyAdmin implements KeyAdmin {
  readonly #options: KeyAdminOptions;
  readonly #now: () => number;

  constructor(options: KeyAdminOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async create({ principal, key }: { readonly principal: Principal; readonly key: NewKey }): Promise<IssuedKey> {
    this.#assertExpiry(key.expiresAt);
    checkScopes(key.scopes, this.#options.declaredScopes?.(principal.orgId));
    assertCovers(principal, key.scopes, `create key "${key.name}"`);
    assertNarrowed(principal, key.scopes, `create key "${key.name}"`);
    const created = await this.#options.keys.create({
      ownerId: key.ownerId ?? principal.identity.id,
      orgId: principal.orgId,
      name: key.name,
      scopes: [...new Set(key.scopes)],
      ...(key.limits !== undefined && { limits: { ...key.limits } }),
      expiresAt: key.expiresAt === undefined ? null : new Date(key.expiresAt).toISOString(),
    });
    const data = { name: key.name, scopes: key.scopes, ...(key.limits !== undefined && { limits: key.limits }) };
    await this.#audit("key.created", principal, created.record.id, data);
    return { key: created.key, record: toKeyView(created.record, this.#now()) };
  }

  async list({ principal }: { readonly principal: Principal }): Promise<readonly KeyView[]> {
    const records = await this.#options.keys.listByOrg(principal.orgId);
    const views = records.map((record) => toKeyView(record, this.#now()));
    return views.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
  }

  async rotate(
    { principal, id, graceMs = 0 }: { readonly principal: Principal; readonly id: string; readonly graceMs?: number },
  ): Promise<IssuedKey> {
    const old = await this.#find(principal, id);
    assertCovers(principal, old.metadata.scopes ?? [], `rotate key "${id}"`);
    const rotated = await this.#translate(() => this.#options.keys.rotate(id, {}, undefined, { graceMs }));
    this.#options.auth.invalidate(id);
    await this.#audit("key.rotated", principal, id, { rotatedTo: rotated.record.id, graceMs });
    return { key: rotated.key, record: toKeyView(rotated.record, this.#now()) };
  }

  async revoke({ principal, id }: { readonly principal: Principal; readonly id: string }): Promise<KeyView> {
    const record = await this.#find(principal, id);
    assertCovers(principal, record.metadata.scopes ?? [], `revoke key "${id}"`);
    await this.#translate(() => this.#options.keys.revoke(id));
    this.#options.auth.invalidate(id);
    await this.#audit("key.revoked", principal, id, {});
    return toKeyView(await this.#options.keys.findById(id) ?? record, this.#now());
  }

  /** What another organization has does not exist. */
  async #find(principal: Principal, id: string): Promise<ApiKeyRecord> {
    const record = await this.#options.keys.findById(id);
    const orgId = record?.metadata.orgId ?? this.#options.defaultOrgId ?? "default";
    if (record === null || orgId !== principal.orgId) throw new CallError("KEY_NOT_FOUND", `Cannot find key "${id}"`);
    return record;
  }

  async #translate<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      if (error.code === "KEY_NOT_FOUND") throw new CallError("KEY_NOT_FOUND", error.message);
      if (error.code === "ALREADY_REVOKED" || error.code === "CANNOT_MODIFY_REVOKED") {
        throw new CallError("KEY_REVOKED", error.message);
      }
      throw error;
    }
  }

  #assertExpiry(expiresAt: number | undefined): void {
    if (expiresAt === undefined || expiresAt > this.#now()) return;
    const message = "is in the past: wanted a later time";
    throw new CallError("VALIDATION_ERROR", `Field "expiresAt" ${message}`, {
      errors: [{ path: "/expiresAt", message }],
    });
  }

  #audit(
    action: KeyAuditEntry["action"],
    principal: Principal,
    keyId: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { orgId, keyId: byKey, identity } = principal;
    return this.#options.audit.append({ action, orgId, ownerId: identity.id, keyId, details: { ...data, byKey } });
  }
}

/** Who is narrowed to some models hands out no key that is not: a key without such a scope may call all of them. */
function assertNarrowed(principal: Principal, scopes: readonly string[], what: string): void {
  const own = principal.identity.scopes;
  const models = own.filter((scope) => scope.startsWith("model:"));
  if (models.length === 0 || hasScope(own, "model:") || scopes.some((scope) => scope.startsWith("model:"))) return;
  const names = models.map((scope) => `"${scope}"`).join(" or ");
  throw new CallError(
    "ACCESS_DENIED",
    `Cannot ${what}: this key is for some models only, wanted scope ${names} in it`,
    {
      requiredScopes: models,
    },
  );
}

/** A wanted pattern is covered by an equal or a wider one. */
function assertCovers(principal: Principal, scopes: readonly string[], what: string): void {
  const missing = scopes.filter((scope) => !coversScope(principal.identity.scopes, scope));
  if (missing.length === 0) return;
  const names = missing.map((scope) => `"${scope}"`).join(", ");
  throw new CallError("ACCESS_DENIED", `Cannot ${what}: wanted a key that itself holds ${names}`, {
    requiredScopes: missing,
  });
}
