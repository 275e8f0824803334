import type { CallError } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import type { Candidate } from "./provider_health.ts";
import type { ModelPolicy } from "./policy.ts";
import { NO_USAGE, type TokenUsage } from "./usage.ts";
import type { Body, Endpoint } from "./wire.ts";

/** What a caller of the proxy gets. */
export interface ProxyAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | ReadableStream<Uint8Array>;
  readonly provider: string;
  readonly isCached: boolean;
}

/** Who asks, beside the caller itself. */
export interface Asker {
  readonly caller: Caller;
  /** The API key of the hub; null: no key, a call of the hub's own. */
  readonly keyId: string | null;
  /** What else is to pay for it: as the headers say. */
  readonly sessionId: string | null;
  readonly runId: string | null;
}

/** Where the tokens that a call is charged for come from. */
export type CountedBy = "provider" | "hub" | "reserved" | "nobody";

/**
 * One call of a model while somebody waits for it. The run that carries it out names it by its id; its body and its answer stay
 * here, in the process that holds the caller's connection. With the process they are gone, and the run fails.
 */
export class LiveCall {
  readonly id: string = crypto.randomUUID();
  readonly asker: Asker;
  readonly endpoint: Endpoint;
  /** As the caller named it. */
  readonly model: string;
  body: Body;
  readonly isStream: boolean;
  readonly startedAt: number;
  /** What the run is to do next: each step is taken once. */
  phase: "new" | "authorised" | "reserved" | "settled" = "new";
  policy: ModelPolicy = {};
  policyRevision = 0;
  route: readonly Candidate[] = [];
  attempts = 0;
  /** Limit of the output that the hub sets; null: none. */
  cap: number | null = null;
  /** Id of its reservation; null: nothing limits it. */
  chargeId: string | null = null;
  /** What it is counted as; null: it has not come so far. */
  charge: { readonly id: string; readonly runId: string } | null = null;
  /** What one attempt may use at most. */
  worst: { readonly tokens: number; readonly costMicros: number } = { tokens: 0, costMicros: 0 };
  inputEstimate = 0;
  /** Of attempts that may have been paid for though they failed. */
  lost: { tokens: number; costMicros: number } = { tokens: 0, costMicros: 0 };
  usage: TokenUsage = NO_USAGE;
  countedBy: CountedBy = "nobody";
  /** The answer, where it is to be counted, or kept of a stream. */
  said = "";
  /** Who answered; null: nobody yet. */
  answeredBy: Candidate | null = null;
  isCached = false;
  /** The provider of a kept answer. */
  cachedFrom = "";
  cacheKey: string | null = null;
  firstByteMs: number | null = null;
  /** What its caller is told; null: nothing has gone wrong. */
  error: CallError | null = null;
  /** Who answered, as usage is summed by: `<provider>/<model>`; null: nobody. */
  get usedModel(): string | null {
    const { answeredBy } = this;
    return answeredBy === null || this.isCached ? null : `${answeredBy.provider.name}/${answeredBy.model.id}`;
  }

  /** The answer, where the policy keeps it. */
  kept: string | null = null;
  readonly #abort = new AbortController();
  readonly #answer = Promise.withResolvers<ProxyAnswer>();
  #isAnswered = false;

  constructor(
    params: {
      readonly asker: Asker;
      readonly endpoint: Endpoint;
      readonly model: string;
      readonly body: Body;
      readonly isStream: boolean;
      readonly startedAt: number;
    },
  ) {
    this.asker = params.asker;
    this.endpoint = params.endpoint;
    this.model = params.model;
    this.body = params.body;
    this.isStream = params.isStream;
    this.startedAt = params.startedAt;
    this.#answer.promise.catch(() => {}); // whoever asked may have gone
  }

  get orgId(): string {
    return this.asker.caller.orgId;
  }

  /** Aborts when nobody waits for it any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get answer(): Promise<ProxyAnswer> {
    return this.#answer.promise;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  answerWith(answer: ProxyAnswer): void {
    this.#isAnswered = true;
    this.#answer.resolve(answer);
  }

  /** Ends it for its caller; an answer that has begun is not touched. */
  fail(error: CallError): void {
    this.error ??= error;
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#answer.reject(this.error);
  }

  /** What the provider says that it used; null: what was said is counted when the call is settled. */
  setUsage(usage: TokenUsage | null, said: () => string): void {
    this.countedBy = usage === null ? "hub" : "provider";
    this.said = usage === null || this.policy.store === "full" && this.isStream ? said() : "";
    if (usage !== null) this.usage = usage;
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#abort.abort(new DOMException("The caller has gone", "AbortError"));
  }
}
