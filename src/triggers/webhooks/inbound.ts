import { CallError, hasScope, hasScopeFor } from "@alkdev/operations";
import { resolveReference } from "@alkdev/flowgraph";
import type { KeyRing } from "../../crypto/mod.ts";
import type { Caller, Runs } from "../../runs/mod.ts";
import type { OwnerKeys } from "../owner.ts";
import { FailureLimit } from "./failure_limit.ts";
import { type DeliveryScope, holds, mapValue } from "./map_value.ts";
import { SecretOpener } from "./open_secrets.ts";
import { verifySignature } from "./signature.ts";
import type { InboundDefinition, Receipt, SignalTarget } from "./webhook.ts";
import type { StoredWebhook, WebhookStore } from "./webhook_store.ts";

/** A delivery as it came. */
export interface IncomingDelivery {
  readonly id: string;
  readonly headers: Headers;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
}

/** What a delivery did. */
export interface DeliveryOutcome extends Pick<Receipt, "outcome" | "runId"> {
  /** The same delivery had come before: nothing was done now. */
  readonly duplicate: boolean;
}

/** Takes deliveries in. */
export interface Inbound {
  /**
   * @throws {CallError} `SIGNATURE_INVALID` without telling why, also where there is no such webhook; `RATE_LIMITED` where that
   * happens too often. To whom the secret knows also `WEBHOOK_STOPPED`, and what a start or a signal gives.
   */
  receive(delivery: IncomingDelivery): Promise<DeliveryOutcome>;
}

/** What {@linkcode createInbound} works with. */
export interface InboundOptions {
  readonly store: WebhookStore;
  readonly runs: Pick<Runs, "start" | "signal" | "list">;
  readonly owners: OwnerKeys;
  readonly keyRing: KeyRing;
  readonly now: () => number;
}

/** How long the same id means the same delivery: senders try again for days. */
const RECEIPT_MS = 3 * 24 * 60 * 60 * 1000;
const DEFAULT_TOLERANCE_SECONDS = 300;
/** Headers that say who sends, not what: no business of a workflow. */
const SECRET_HEADERS: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "x-api-key"]);

export function createInbound(options: InboundOptions): Inbound {
  return new InboundWebhooks(options);
}

class InboundWebhooks implements Inbound {
  readonly #options: InboundOptions;
  readonly #failures: FailureLimit;
  readonly #opener: SecretOpener;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#opener = new SecretOpener(options.keyRing);
    this.#failures = new FailureLimit(options.now);
  }

  async receive(delivery: IncomingDelivery): Promise<DeliveryOutcome> {
    const { store, now } = this.#options;
    const { webhook, deliveryId } = await this.#verify(delivery);
    const definition = webhook.definition;
    if (definition.kind !== "inbound") throw this.#invalid();
    const caller = await this.#callerOf(webhook);
    const earlier = await store.receipt({ webhookId: webhook.id, deliveryId, now: now() });
    if (earlier !== null) return { outcome: earlier.outcome, runId: earlier.runId, duplicate: true };
    try {
      const done = await this.#act({ webhook, definition, deliveryId, caller, scope: scopeOf(delivery) });
      const at = now();
      const { outcome, runId } = done;
      await store.putReceipt({ webhookId: webhook.id, deliveryId, at, outcome, runId, expiresAt: at + RECEIPT_MS });
      await store.count({ id: webhook.id, accepted: true, at, error: null });
      return done;
    } catch (error) {
      const message = error instanceof CallError ? `${error.code}: ${error.message}` : String(error);
      await store.count({ id: webhook.id, accepted: true, at: now(), error: message });
      throw error;
    }
  }

  async #verify(delivery: IncomingDelivery): Promise<{ readonly webhook: StoredWebhook; readonly deliveryId: string }> {
    const { store, now } = this.#options;
    const webhook = await store.find({ id: delivery.id });
    const definition: Partial<InboundDefinition> = webhook?.definition.kind === "inbound" ? webhook.definition : {};
    const { scheme = "hub", toleranceSeconds = DEFAULT_TOLERANCE_SECONDS } = definition;
    const at = now();
    const secrets = webhook === null ? ["nobody's"] : await this.#opener.open(webhook.secrets, at);
    const toleranceMs = toleranceSeconds * 1000;
    const deliveryId = verifySignature(delivery, { scheme, secrets, toleranceMs, now: at });
    if (webhook !== null && deliveryId !== null && definition.kind === "inbound") return { webhook, deliveryId };
    // Unknown ids share one bucket: they are as many as somebody cares to make up.
    if (!this.#failures.take(webhook?.id ?? "")) {
      throw new CallError("RATE_LIMITED", "Too many requests with a wrong signature: try again in a minute");
    }
    if (webhook !== null) await store.count({ id: webhook.id, accepted: false, at, error: null });
    throw this.#invalid();
  }

  #invalid(): CallError {
    return new CallError("SIGNATURE_INVALID", "Signature is missing or wrong");
  }

  async #callerOf(webhook: StoredWebhook): Promise<Caller> {
    const { owners, store, now } = this.#options;
    const standing = webhook.paused
      ? { ok: false, reason: "it is paused" } as const
      : await owners.standing({ owner: webhook.owner, orgId: webhook.orgId });
    if (standing.ok) return standing.caller;
    const reason = `The webhook does nothing: ${standing.reason}`;
    await store.count({ id: webhook.id, accepted: false, at: now(), error: reason });
    throw new CallError("WEBHOOK_STOPPED", reason);
  }

  async #act({ webhook, definition, deliveryId, caller, scope }: Acting): Promise<DeliveryOutcome> {
    const { runs } = this.#options;
    if (definition.filter !== undefined && !holds(definition.filter, scope)) {
      return { outcome: "filtered", runId: null, duplicate: false };
    }
    const { target, labels } = definition;
    const value = definition.input === undefined ? scope.body : mapValue(definition.input, scope);
    if ("signal" in target) assertScope(caller, "run:write");
    else assertScope(caller, "workflow:run", target.workflow);
    if ("signal" in target) {
      const runId = await this.#runOf(target, caller, scope);
      try {
        // What came in was JSON, and so is what was made of it.
        await runs.signal({ caller, runId, name: target.signal, payload: (value ?? null) as Json });
        return { outcome: "signalled", runId, duplicate: false };
      } catch (error) {
        // Sent again after a crash between the answer and its receipt, or answered by somebody else: it needs no other.
        if (error instanceof CallError && error.code === "SIGNAL_ANSWERED") {
          return { outcome: "signalled", runId, duplicate: true };
        }
        throw error;
      }
    }
    try {
      const { id, duplicate } = await runs.start({
        workflow: target.workflow,
        ...(target.version === undefined ? {} : { version: target.version }),
        input: value,
        caller,
        ...(labels === undefined ? {} : { labels }),
        ownLabels: { "hub.webhook": webhook.id },
        idempotencyKey: await keyOf(webhook.id, deliveryId),
      });
      return { outcome: "started", runId: id, duplicate };
    } catch (error) {
      const runId = error instanceof CallError && error.code === "IDEMPOTENCY_MISMATCH" ? runIdOf(error.details) : null;
      if (runId === null) throw error;
      return { outcome: "started", runId, duplicate: true };
    }
  }

  /** The run that a signal is for. */
  async #runOf({ runIdFrom, label, signal }: SignalTarget, caller: Caller, scope: DeliveryScope): Promise<string> {
    if (runIdFrom !== undefined) {
      const runId = resolveReference(runIdFrom, scope);
      if (typeof runId === "string" && runId !== "") return runId;
      throw new CallError("RUN_NOT_FOUND", `Reference "${runIdFrom}" gives no run id`);
    }
    const value = label === undefined ? null : resolveReference(label.valueFrom, scope);
    if (label === undefined || (typeof value !== "string" && typeof value !== "number")) {
      throw new CallError("RUN_NOT_FOUND", `Reference "${label?.valueFrom}" gives no label's value`);
    }
    const pair = `${label.key}=${value}`;
    const { items } = await this.#options.runs.list({ caller, label: [pair], status: ["running", "paused"], limit: 2 });
    const [run, other] = items;
    if (run === undefined) throw new CallError("RUN_NOT_FOUND", `There is no live run with label ${pair}`);
    if (other === undefined) return run.id;
    throw new CallError(
      "SIGNAL_AMBIGUOUS",
      `Signal "${signal}" cannot be answered: several live runs have label ${pair}`,
    );
  }
}

type Json = Parameters<Runs["signal"]>[0]["payload"];

interface Acting {
  readonly webhook: StoredWebhook;
  readonly definition: InboundDefinition;
  readonly deliveryId: string;
  readonly caller: Caller;
  readonly scope: DeliveryScope;
}

function assertScope({ identity }: Caller, scope: string, resource?: string): void {
  if (hasScope(identity.scopes, scope)) return;
  if (resource !== undefined && hasScopeFor(identity.scopes, scope, resource)) return;
  throw new CallError("WEBHOOK_STOPPED", `The webhook does nothing: its owner's key lacks scope "${scope}"`);
}

function scopeOf({ headers, query, body }: IncomingDelivery): DeliveryScope {
  return {
    body: parseBody(new TextDecoder().decode(body), headers.get("content-type") ?? ""),
    headers: Object.fromEntries([...headers].filter(([name]) => !SECRET_HEADERS.has(name))),
    query: Object.fromEntries(query),
  };
}

/** JSON and forms are read; what is neither is text. */
function parseBody(text: string, type: string): unknown {
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) return Object.fromEntries(new URLSearchParams(text));
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Of any length and characters on the sender's side, short here. */
async function keyOf(webhookId: string, deliveryId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(deliveryId));
  return `hook:${webhookId}:${new Uint8Array(digest).toHex()}`;
}

function runIdOf(details: unknown): string | null {
  if (typeof details !== "object" || details === null || !("runId" in details)) return null;
  return typeof details.runId === "string" ? details.runId : null;
}
