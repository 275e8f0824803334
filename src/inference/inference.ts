import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import type { Clock, Random } from "../../engine/mod.ts";
import type { Caller, EventError, ParentCall } from "../runs/mod.ts";
import { type Asker, LiveCall, type ProxyAnswer } from "./live_call.ts";
import { invalidRequest } from "./inference_error.ts";
import { assertMayCall, mayCallModel } from "./model_access.ts";
import type { InferenceLog, ProviderDirectory } from "./ports.ts";
import type { InferencePolicy, PolicyStore } from "./policy.ts";
import type { ProviderHealth } from "./provider_health.ts";
import type { Spending } from "./spending.ts";
import type { Body, Endpoint } from "./wire.ts";

/** Starts the runs that carry calls out. */
export interface ProxyRuns {
  /** Does not wait for commits. @throws {CallError} OVERLOADED */
  start(params: {
    readonly caller: Caller;
    readonly input: Json;
    readonly labels: Readonly<Record<string, string>>;
    readonly traceparent?: string;
    readonly parent?: ParentCall;
  }): Promise<string>;
  /** Resolves at the run's end with what went wrong; null: nothing. */
  ended(runId: string): Promise<EventError | null>;
}

export interface InferenceOptions {
  readonly runs: ProxyRuns;
  readonly providers: ProviderDirectory;
  readonly policies: PolicyStore;
  readonly health: ProviderHealth;
  readonly spending: Spending;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: InferenceLog;
}

export interface ProxyRequest {
  readonly asker: Asker;
  readonly endpoint: Endpoint;
  readonly body: Body;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
  readonly traceparent?: string;
  /** The call of a run for which it is made: its own run stands below it. The run's budgets are charged by `asker.runId`. */
  readonly parent?: ParentCall;
}

/** Calls of models: each is a run of `proxy_call`, and is answered from here while that goes on. */
export class Inference {
  readonly options: InferenceOptions;
  readonly #live = new Map<string, LiveCall>();

  constructor(options: InferenceOptions) {
    this.options = options;
  }

  /** Calls that somebody waits for, or whose run has not ended. */
  get inFlight(): number {
    return this.#live.size;
  }

  /**
   * Has a call carried out. A stream is under way when it resolves.
   *
   * @throws {CallError} ACCESS_DENIED: the key is for other models; with `RefusalDetails` where OpenAI's clients are to be told more than the code says
   */
  async call(request: ProxyRequest): Promise<{ readonly runId: string; readonly answer: ProxyAnswer }> {
    const { asker, endpoint, body, signal } = request;
    const { model, stream } = body;
    if (typeof model !== "string" || model === "") throw invalidRequest("you must provide a model parameter", "model");
    if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
      throw invalidRequest(`Invalid type for "stream": wanted a boolean`, "stream");
    }
    assertMayCall(asker.caller.identity.scopes, model);
    const call = new LiveCall({
      asker,
      endpoint,
      model,
      body,
      isStream: stream === true && endpoint !== "embeddings",
      startedAt: this.options.clock.now(),
    });
    this.#live.set(call.id, call);
    const leave = (): void => call.leave();
    signal.addEventListener("abort", leave, { once: true });
    try {
      const runId = await this.#start(call, request);
      return { runId, answer: await call.answer };
    } catch (error) {
      call.leave();
      throw error;
    } finally {
      // From here on the caller's connection is the stream's own.
      signal.removeEventListener("abort", leave);
    }
  }

  async #start(call: LiveCall, { traceparent, parent }: ProxyRequest): Promise<string> {
    const { runs, log } = this.options;
    const { asker, endpoint, model, isStream } = call;
    const input = { call: call.id, endpoint, model: model.slice(0, 200), stream: isStream, key: asker.keyId };
    try {
      const labels = {
        endpoint,
        model: model.slice(0, 200),
        ...(asker.runId !== null && { run: asker.runId }),
        ...(asker.sessionId !== null && { session: asker.sessionId.slice(0, 200) }),
      };
      const runId = await runs.start({
        caller: asker.caller,
        input,
        labels,
        ...(traceparent !== undefined && { traceparent }),
        ...(parent !== undefined && { parent }),
      });
      runs.ended(runId).then(
        (error) => this.#ended(call, error),
        (error: unknown) => log.warn("The end of a proxied call was not seen: {error}", { error: String(error) }),
      );
      return runId;
    } catch (error) {
      this.#live.delete(call.id);
      throw error;
    }
  }

  #ended(call: LiveCall, error: EventError | null): void {
    this.#live.delete(call.id);
    const { code, message } = error ?? { code: "ABORTED", message: "The run of the call ended without an answer" };
    call.fail(new CallError(code, message));
    if (error !== null) call.leave();
  }

  /** @throws {CallError} CALL_LOST: the process that held the caller's connection has ended, or it is not of this organization */
  live(id: string, orgId: string): LiveCall {
    const call = this.#live.get(id);
    if (call !== undefined && call.orgId === orgId) return call;
    throw new CallError("CALL_LOST", "Nobody waits for this call any more: the hub that held its connection has gone");
  }

  /** The names that an organization's models have; with `scopes`, of those that these let be called. */
  async models(
    orgId: string,
    scopes: readonly string[] = [],
  ): Promise<readonly { readonly id: string; readonly ownedBy: string }[]> {
    const names = new Map<string, string>();
    for (const { name: provider, models } of await this.options.providers.providers(orgId)) {
      for (const { id, alias } of models) {
        const name = alias ?? id;
        if (!names.has(name) && mayCallModel(scopes, name)) names.set(name, provider);
      }
    }
    return [...names].map(([id, ownedBy]) => ({ id, ownedBy }));
  }

  policy(orgId: string): Promise<{ readonly policy: InferencePolicy; readonly revision: number }> {
    return this.options.policies.get(orgId);
  }
}
