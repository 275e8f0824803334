import { CallError, hasScope } from "@alkdev/operations";
import type { Clock } from "../../../engine/ports.ts";
import type { KeyRing } from "../../crypto/mod.ts";
import type { Egress } from "../../egress/mod.ts";
import type { Runs } from "../../runs/mod.ts";
import type { OwnerKeys } from "../owner.ts";
import type { Delivery } from "./delivery.ts";
import type { DeliveryStore } from "./delivery_store.ts";
import { eventMessage } from "./event_message.ts";
import { SecretOpener } from "./open_secrets.ts";
import { signHeaders } from "./signature.ts";
import type { StoredWebhook, WebhookStore } from "./webhook_store.ts";

/** What a deliverer works with. */
export interface DelivererOptions {
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly runs: Pick<Runs, "events">;
  readonly owners: OwnerKeys;
  readonly egress: Egress;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly mayWork: () => boolean;
  readonly onError: (error: unknown) => void;
}

const LOOK_EVERY_MS = 1_000;
const MAX_UNDER_WAY = 50;
/** So that one slow receiver does not hold up the others. */
const MAX_OF_ONE = 10;
const TIMEOUT_MS = 15_000;
/** Longer than an attempt takes. */
const CLAIM_MS = 30_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 2 * 60 * 60 * 1000;
const PAUSED_RETRY_MS = 60_000;
/** Longest `retry-after` that is heeded. */
const MAX_RETRY_AFTER_MS = 60 * 60 * 1000;
const KEPT_ANSWER = 1_024;
const KEEP_MS = 7 * 24 * 60 * 60 * 1000;
const PRUNE_EVERY_MS = 60 * 60 * 1000;

/** What came of an attempt. */
type Attempt =
  | { readonly kind: "delivered"; readonly status: number; readonly answer: string }
  | {
    readonly kind: "failed";
    readonly status: number | null;
    readonly answer: string | null;
    readonly error: string;
    /** Least ms until the next attempt. */
    readonly retryAfterMs: number;
  }
  | { readonly kind: "dead"; readonly error: string; readonly status: number | null }
  | { readonly kind: "held" };

/** Sends what is queued, at least once: what is not settled is claimed again, by this hub or another. */
export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #opener: SecretOpener;
  readonly #underWay = new Map<Promise<void>, string>();
  readonly #stop = new AbortController();
  #cancel: (() => void) | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  #prunedAt: number;

  constructor(options: DelivererOptions) {
    this.#options = options;
    this.#opener = new SecretOpener(options.keyRing);
    this.#prunedAt = options.clock.now();
  }

  /** Looks for something to send, now and from now on. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    this.#again = this.#looking !== null;
    if (this.#looking !== null) return;
    this.#cancel?.();
    this.#looking = this.sendDue().catch(this.#options.onError).then(() => {
      this.#looking = null;
      const { clock } = this.#options;
      if (this.#stop.signal.aborted) return;
      if (this.#again) this.wake();
      else this.#cancel = clock.at(clock.now() + LOOK_EVERY_MS, () => this.wake());
    });
  }

  /** Attempts under way are broken off: they are sent again later. Idempotent. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#stop.abort(new Error("The hub stops"));
    await this.#looking;
    await this.settled();
  }

  /** Starts to send what is due, as much as may be under way. */
  async sendDue(): Promise<void> {
    const { deliveries, webhooks, clock, mayWork } = this.#options;
    const limit = MAX_UNDER_WAY - this.#underWay.size;
    if (!mayWork() || limit <= 0) return;
    const now = clock.now();
    const claimed = await deliveries.claimDue({
      now,
      claimMs: CLAIM_MS,
      limit: Math.min(limit, MAX_OF_ONE),
      except: this.#busy(),
    });
    for (const delivery of claimed) this.#track(delivery);
    if (claimed.length > 0) this.#again = true;
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    await deliveries.prune({ before: now - KEEP_MS });
    await webhooks.pruneReceipts({ now });
  }

  /** Resolves when no attempt is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.keys());
  }

  /** Webhooks with as much under way as one may have. */
  #busy(): readonly string[] {
    const counts = new Map<string, number>();
    for (const webhookId of this.#underWay.values()) counts.set(webhookId, (counts.get(webhookId) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= MAX_OF_ONE).map(([webhookId]) => webhookId);
  }

  #track(delivery: Delivery): void {
    const work: Promise<void> = this.#send(delivery).catch(this.#options.onError).finally(() => {
      this.#underWay.delete(work);
      // What it held up may be due: the next event of its run, or another of a busy webhook.
      if (this.#looking !== null || this.#cancel !== null) this.wake();
    });
    this.#underWay.set(work, delivery.webhookId);
  }

  async #send(delivery: Delivery): Promise<void> {
    const { webhooks, deliveries, clock } = this.#options;
    const webhook = await webhooks.find({ id: delivery.webhookId });
    if (webhook === null) return;
    const attempt = await this.#attempt(delivery, webhook);
    const at = clock.now();
    // Broken off by a stop: the next hub need not wait.
    if (attempt === null) return await deliveries.settle(delivery);
    if (attempt.kind === "held") return await deliveries.settle({ ...delivery, nextAt: at + PAUSED_RETRY_MS });
    await deliveries.settle(this.#outcome(delivery, attempt, at));
    const error = attempt.kind === "delivered" ? null : attempt.error;
    await webhooks.count({ id: webhook.id, accepted: attempt.kind === "delivered", at, error });
  }

  #outcome(delivery: Delivery, attempt: Exclude<Attempt, { kind: "held" }>, at: number): Delivery {
    const attempts = delivery.attempts + 1;
    if (attempt.kind === "delivered") {
      const { status: lastStatus, answer: lastAnswer } = attempt;
      return { ...delivery, status: "delivered", attempts, lastStatus, lastAnswer, lastError: null, deliveredAt: at };
    }
    if (attempt.kind === "dead") {
      return {
        ...delivery,
        status: "dead",
        attempts,
        lastStatus: attempt.status,
        lastAnswer: null,
        lastError: attempt.error,
      };
    }
    const backoff = Math.min(FIRST_RETRY_MS * 3 ** (attempts - 1), LONGEST_RETRY_MS);
    const delayMs = Math.max(backoff * (0.9 + 0.2 * this.#options.random()), attempt.retryAfterMs);
    const nextAt = Math.round(at + delayMs);
    const { status: lastStatus, answer: lastAnswer, error: lastError } = attempt;
    const status = nextAt > delivery.giveUpAt ? "dead" : "pending";
    return { ...delivery, status, attempts, nextAt, lastStatus, lastAnswer, lastError };
  }

  /** Null: it was broken off. */
  async #attempt(delivery: Delivery, webhook: StoredWebhook): Promise<Attempt | null> {
    const { definition, owner, orgId } = webhook;
    if (definition.kind !== "outbound" || webhook.paused) return { kind: "held" };
    const standing = await this.#options.owners.standing({ owner, orgId });
    if (!standing.ok) return { kind: "dead", status: null, error: `The webhook does nothing: ${standing.reason}` };
    if (!hasScope(standing.caller.identity.scopes, "run:read")) {
      const error = `The webhook does nothing: its owner's key lacks scope "run:read"`;
      return { kind: "dead", status: null, error };
    }
    const body = await eventMessage(this.#options.runs, standing.caller, delivery);
    if (body === null) return { kind: "dead", status: null, error: "The run is gone" };
    const at = this.#options.clock.now();
    const secrets = await this.#opener.open(webhook.secrets, at);
    const headers = { ...signHeaders({ id: delivery.id, at, body, secrets }), "content-type": "application/json" };
    return await this.#post(definition.url, { headers, body });
  }

  async #post(
    url: string,
    init: { readonly headers: Record<string, string>; readonly body: string },
  ): Promise<Attempt | null> {
    const { signal } = this.#stop;
    try {
      const request = new Request(url, { method: "POST", signal, ...init });
      // A redirect is an answer like any other that is not 2xx: the owner is to give the right address.
      const policy = { maxRedirects: 0, timeoutMs: TIMEOUT_MS, totalMs: TIMEOUT_MS, maxBytes: 1024 * 1024 };
      const response = await this.#options.egress.fetch(request, policy);
      const { status } = response;
      const answer = await beginning(response);
      if (response.ok) return { kind: "delivered", status, answer };
      if (status === 410) return { kind: "dead", status, error: "The receiver answered 410: it wants no more" };
      const retryAfterMs = readRetryAfter(response.headers.get("retry-after"));
      return { kind: "failed", status, answer, error: `The receiver answered ${status}`, retryAfterMs };
    } catch (error) {
      if (signal.aborted) return null;
      const message = error instanceof CallError ? `${error.code}: ${error.message}` : String(error);
      return { kind: "failed", status: null, answer: null, error: message, retryAfterMs: 0 };
    }
  }
}

/** The first characters of a body; the rest is not read. */
async function beginning(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= KEPT_ANSWER) break;
  }
  return text.slice(0, KEPT_ANSWER);
}

function readRetryAfter(header: string | null): number {
  if (header === null || !/^\d{1,9}$/.test(header.trim())) return 0;
  return Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS);
}
