import { CallError, hasScope, hasScopeFor } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import type { KeyRing } from "../../crypto/mod.ts";
import type { Caller, WorkflowCatalog } from "../../runs/mod.ts";
import { checkExpression, checkMapping, checkReference } from "./map_value.ts";
import { generateSecret } from "./signature.ts";
import type {
  InboundDefinition,
  Receipt,
  StoredSecret,
  WebhookDefinition,
  WebhookRecord,
  WebhookStats,
} from "./webhook.ts";
import type { StoredWebhook, WebhookStore } from "./webhook_store.ts";

/** A webhook as it is shown: without its secrets. Times are ms since the epoch. */
export interface WebhookView extends WebhookStats {
  readonly id: string;
  readonly definition: WebhookDefinition;
  readonly paused: boolean;
  readonly ownerId: string;
  /** Where an inbound one takes deliveries; null for an outbound one. */
  readonly path: string | null;
  /** When each good secret was made, newest first, and until when it is good. */
  readonly secrets: readonly { readonly createdAt: number; readonly expiresAt: number | null }[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The only time the secret is seen. */
export interface IssuedWebhook {
  readonly webhook: WebhookView;
  readonly secret: string;
}

/**
 * Use cases of webhooks. What another organization has does not exist. Codes: `WEBHOOK_NOT_FOUND`, `WEBHOOK_EXISTS`,
 * `VALIDATION_ERROR`, `WORKFLOW_NOT_FOUND`, `ACCESS_DENIED`.
 */
export interface Webhooks {
  /** `secret`: one that the other side has made; absent: a fresh one. */
  create(
    params: { readonly principal: Principal; readonly definition: WebhookDefinition; readonly secret?: string },
  ): Promise<IssuedWebhook>;
  /** By name. */
  list(params: { readonly caller: Caller }): Promise<readonly WebhookView[]>;
  get(params: { readonly caller: Caller; readonly id: string }): Promise<WebhookView>;
  /** The kind stays. Whoever changes a webhook becomes its owner: what it does has the rights of that key. */
  replace(
    params: { readonly principal: Principal; readonly id: string; readonly definition: WebhookDefinition },
  ): Promise<WebhookView>;
  remove(params: { readonly caller: Caller; readonly id: string }): Promise<void>;
  /** Events that come while an outbound one is paused are not sent later. */
  setPaused(params: { readonly caller: Caller; readonly id: string; readonly paused: boolean }): Promise<WebhookView>;
  /** Puts a secret in front; the one before stays good for `overlapSeconds`, older ones end. */
  rotate(
    params: { readonly caller: Caller; readonly id: string; readonly overlapSeconds: number; readonly secret?: string },
  ): Promise<IssuedWebhook>;
  /** What came in, newest first. */
  receipts(
    params: { readonly caller: Caller; readonly id: string; readonly limit: number },
  ): Promise<readonly Receipt[]>;
}

/** What {@linkcode createWebhooks} works with. */
export interface WebhooksOptions {
  readonly store: WebhookStore;
  readonly catalog: Pick<WorkflowCatalog, "get">;
  readonly keyRing: KeyRing;
  readonly now: () => number;
  /** Told of each change: whoever sends looks at the store again. */
  readonly onChange?: () => void;
}

const TRIES = 5;
const MAX_WEBHOOKS = 1_000;

export function createWebhooks(options: WebhooksOptions): Webhooks {
  return new WebhookUseCases(options);
}

class WebhookUseCases implements Webhooks {
  readonly #options: WebhooksOptions;

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  async create({ principal, definition, secret }: Parameters<Webhooks["create"]>[0]): ReturnType<Webhooks["create"]> {
    const { store, now, onChange } = this.#options;
    await this.#check(principal, definition);
    if ((await store.list({ orgId: principal.orgId })).length >= MAX_WEBHOOKS) {
      throw new CallError(
        "OVERLOADED",
        `Cannot create webhook "${definition.name}": there are ${MAX_WEBHOOKS} already`,
      );
    }
    const at = now();
    const fresh = await this.#seal(secret, at);
    const webhook: WebhookRecord = {
      id: crypto.randomUUID(),
      orgId: principal.orgId,
      definition,
      owner: { keyId: principal.keyId, identity: principal.identity },
      secrets: [fresh.stored],
      paused: false,
      revision: 1,
      activeSince: at,
      createdAt: at,
      updatedAt: at,
    };
    if (!await store.create(webhook)) throw exists(definition.name);
    onChange?.();
    return { webhook: await this.get({ caller: principal, id: webhook.id }), secret: fresh.secret };
  }

  async list({ caller }: Parameters<Webhooks["list"]>[0]): ReturnType<Webhooks["list"]> {
    const at = this.#options.now();
    return (await this.#options.store.list({ orgId: caller.orgId })).map((webhook) => toView(webhook, at));
  }

  async get({ caller, id }: Parameters<Webhooks["get"]>[0]): ReturnType<Webhooks["get"]> {
    return toView(await this.#find(caller, id), this.#options.now());
  }

  async replace({ principal, id, definition }: Parameters<Webhooks["replace"]>[0]): ReturnType<Webhooks["replace"]> {
    const { definition: { kind } } = await this.#find(principal, id);
    if (kind !== definition.kind) throw invalid("kind", `is "${definition.kind}": wanted "${kind}", which it has been`);
    await this.#check(principal, definition);
    const owner = { keyId: principal.keyId, identity: principal.identity };
    return await this.#change(principal, id, (old) => ({ ...old, definition, owner }));
  }

  async remove({ caller, id }: Parameters<Webhooks["remove"]>[0]): ReturnType<Webhooks["remove"]> {
    if (!await this.#options.store.remove({ orgId: caller.orgId, id })) throw notFound(id);
    this.#options.onChange?.();
  }

  setPaused({ caller, id, paused }: Parameters<Webhooks["setPaused"]>[0]): ReturnType<Webhooks["setPaused"]> {
    return this.#change(
      caller,
      id,
      (old, at) => paused === old.paused ? old : { ...old, paused, ...(paused ? {} : { activeSince: at }) },
    );
  }

  async rotate(
    { caller, id, overlapSeconds, secret }: Parameters<Webhooks["rotate"]>[0],
  ): ReturnType<Webhooks["rotate"]> {
    const fresh = await this.#seal(secret, this.#options.now());
    const webhook = await this.#change(caller, id, (old, at) => {
      const until = at + overlapSeconds * 1000;
      const before = old.secrets.slice(0, 1).map((stored) => ({ ...stored, expiresAt: until }));
      return { ...old, secrets: [fresh.stored, ...(overlapSeconds === 0 ? [] : before)] };
    });
    return { webhook, secret: fresh.secret };
  }

  async receipts({ caller, id, limit }: Parameters<Webhooks["receipts"]>[0]): ReturnType<Webhooks["receipts"]> {
    await this.#find(caller, id);
    return await this.#options.store.receipts({ webhookId: id, limit });
  }

  async #seal(
    secret: string = generateSecret(),
    createdAt: number,
  ): Promise<{ readonly secret: string; readonly stored: StoredSecret }> {
    return { secret, stored: { sealed: await this.#options.keyRing.encrypt(secret), createdAt, expiresAt: null } };
  }

  async #find({ orgId }: Caller, id: string): Promise<StoredWebhook> {
    const found = await this.#options.store.get({ orgId, id });
    if (found === null) throw notFound(id);
    return found;
  }

  async #change(
    caller: Caller,
    id: string,
    change: (old: StoredWebhook, at: number) => StoredWebhook,
  ): Promise<WebhookView> {
    for (let tries = 0; tries < TRIES; tries++) {
      const old = await this.#find(caller, id);
      const at = this.#options.now();
      const changed = change(old, at);
      if (changed === old) return toView(old, at);
      const { stats, ...webhook } = { ...changed, updatedAt: at };
      const outcome = await this.#options.store.update(webhook);
      if (outcome === "name-taken") throw exists(webhook.definition.name);
      if (outcome === "changed") continue;
      this.#options.onChange?.();
      return toView({ ...webhook, stats }, at);
    }
    throw new CallError("OVERLOADED", `Cannot change webhook "${id}": it keeps changing`);
  }

  async #check(caller: Caller, definition: WebhookDefinition): Promise<void> {
    if (definition.kind === "inbound") return await this.#checkInbound(caller, definition);
    assertHeld(caller, "run:read", definition);
    const url = URL.canParse(definition.url) ? new URL(definition.url) : null;
    if (url === null || url.username !== "" || url.password !== "") {
      throw invalid("url", "is no http or https URL without credentials");
    }
  }

  async #checkInbound(caller: Caller, definition: InboundDefinition): Promise<void> {
    const { target, input, filter, labels = {} } = definition;
    checkMapping(input, "/input");
    if (filter !== undefined) checkExpression(filter, "/filter");
    for (const key of Object.keys(labels)) {
      if (key.startsWith("hub.")) {
        throw invalid("labels", `has "${key}": labels that start with "hub." are the hub's own`);
      }
    }
    if ("signal" in target) {
      if (target.runIdFrom !== undefined) checkReference(target.runIdFrom, "/target/runIdFrom");
      if (target.label !== undefined) checkReference(target.label.valueFrom, "/target/label/valueFrom");
      return assertHeld(caller, "run:write", definition);
    }
    const { workflow: name, version } = target;
    if (!hasScopeFor(caller.identity.scopes, "workflow:run", name)) assertHeld(caller, "workflow:run", definition);
    const params = { orgId: caller.orgId, name, ...(version === undefined ? {} : { version }) };
    if (await this.#options.catalog.get(params) === null) {
      const which = version === undefined ? "" : ` in version "${version}"`;
      throw new CallError("WORKFLOW_NOT_FOUND", `There is no workflow "${name}"${which}`, { workflow: name });
    }
  }
}

/** Nobody lets a webhook do, or see, what they may not themselves. */
function assertHeld({ identity }: Caller, scope: string, { name }: WebhookDefinition): void {
  if (hasScope(identity.scopes, scope)) return;
  throw new CallError("ACCESS_DENIED", `Cannot make webhook "${name}" with this API key: wanted scope "${scope}"`, {
    requiredScopes: [scope],
  });
}

function toView(webhook: StoredWebhook, at: number): WebhookView {
  const { id, definition, paused, owner, secrets, stats, createdAt, updatedAt } = webhook;
  return {
    id,
    definition,
    paused,
    ownerId: owner.identity.id,
    path: definition.kind === "inbound" ? `/api/hooks/${id}` : null,
    secrets: secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > at)
      .map(({ createdAt, expiresAt }) => ({ createdAt, expiresAt })),
    ...stats,
    createdAt,
    updatedAt,
  };
}

function invalid(field: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", `Field "${field}" ${message}`, { errors: [{ path: `/${field}`, message }] });
}

function notFound(id: string): CallError {
  return new CallError("WEBHOOK_NOT_FOUND", `Cannot find webhook "${id}"`);
}

function exists(name: string): CallError {
  return new CallError("WEBHOOK_EXISTS", `Cannot keep webhook "${name}": there is one of that name`);
}
