import { CallError, type OperationContext, type OperationRegistration, OperationType } from "@alkdev/operations";
import { type Static, Type } from "@alkdev/typebox";
import type { Caller } from "../runs/mod.ts";
import { attempt } from "./attempt.ts";
import { Guards } from "./guards.ts";
import type { Inference } from "./inference.ts";
import { inferenceError, modelNotFound } from "./inference_error.ts";
import type { LiveCall } from "./live_call.ts";
import { modelPolicy } from "./policy.ts";
import type { Candidate } from "./provider_health.ts";
import { routeOf } from "./router.ts";
import { lostBy } from "./spending.ts";
import { AttemptFailed, toCallError, type Upstream } from "./upstream.ts";
import { wireOf } from "./wires.ts";
import type { ResponseCache } from "./response_cache.ts";
import type { ResponseOwners } from "./response_owners.ts";

const BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;

const Call = Type.Object({ call: Type.String({ description: "Id of the call that waits in this hub" }) });

export interface OperationsOptions {
  readonly inference: Inference;
  readonly upstream: Upstream;
  readonly guards: Guards;
  readonly cache: ResponseCache;
  readonly owners: ResponseOwners;
  /** Id of a call of a run's node. */
  readonly requestId: (runId: string, key: string, attempt: number) => string;
  /** On whose behalf a step is taken. */
  readonly callerOf: (context: OperationContext) => Caller;
}

/** The steps of `workflows/proxy_call.tsx`. Each works on a call that waits in this process, and is taken once. */
export function inferenceOperations(options: OperationsOptions): readonly OperationRegistration[] {
  const steps = new Steps(options);
  const step = (
    name: string,
    description: string,
    run: (call: LiveCall, context: OperationContext) => Promise<unknown>,
  ): OperationRegistration => ({
    namespace: "inference",
    name,
    version: "1.0.0",
    type: OperationType.MUTATION,
    description,
    tags: ["inference"],
    inputSchema: Call,
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    handler: (input, context) => {
      const { call: id } = input as Static<typeof Call>; // the registry has checked it
      const call = options.inference.live(id, options.callerOf(context).orgId);
      return run(call, context);
    },
  });
  return [
    step("authorise", "Finds where a call of a model may go, and what holds for it", (call) => steps.authorise(call)),
    step("reserve", "Sets aside what a call of a model may use", (call, context) => steps.reserve(call, context)),
    step("attempt", "Asks the next provider", (call, context) => steps.attempt(call, context)),
    step("settle", "Settles what a call of a model has used", (call, context) => steps.settle(call, context)),
  ];
}

class Steps {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  authorise(call: LiveCall): Promise<unknown> {
    return ending(call, async () => {
      assertPhase(call, "new");
      call.phase = "authorised";
      const { inference, guards, cache, owners } = this.#options;
      const { providers, health, random } = inference.options;
      const { orgId, model } = call;
      const [known, { policy, revision }] = await Promise.all([providers.providers(orgId), inference.policy(orgId)]);
      call.policy = modelPolicy(policy, model);
      call.policyRevision = revision;
      const previous = call.body["previous_response_id"];
      const owner = call.endpoint === "responses" && typeof previous === "string"
        ? await owners.find({ orgId, id: previous })
        : null;
      const eligible = owner === null ? known : known.filter(({ name }) => name === owner.provider);
      const able = eligible.filter(({ kind }) => wireOf(kind, call.endpoint) !== null);
      call.route = routeOf({ orgId, providers: able, model, policy: call.policy, health, random });
      if (call.route.length === 0) throw modelNotFound(model);
      if (call.policy.before !== undefined) await guards.before(call, call.policy.before);
      await cache.look(call);
      const route = call.route.map(({ provider, model: { id } }) => `${provider.name}/${id}`);
      return { model, route, policyRevision: revision, cached: call.isCached };
    });
  }

  reserve(call: LiveCall, context: OperationContext): Promise<unknown> {
    return ending(call, async () => {
      assertPhase(call, "authorised");
      call.phase = "reserved";
      const { inference, requestId } = this.#options;
      const runId = String(context.metadata?.["runId"] ?? "");
      const { policy } = await inference.policy(call.orgId);
      await inference.options.spending.reserve(call, policy, { runId, chargeId: requestId(runId, "settle", 1) });
      return call.chargeId === null ? { limited: false } : { limited: true, reserved: call.worst };
    });
  }

  async attempt(call: LiveCall, context: OperationContext): Promise<unknown> {
    assertPhase(call, "reserved");
    const { cache } = this.#options;
    if (call.isCached) {
      cache.answer(call);
      return { cached: true };
    }
    const candidate = call.route[call.attempts];
    if (candidate === undefined || call.isAnswered) throw new CallError("CALL_LOST", "This call has been answered");
    const { provider, model } = candidate;
    const attemptNumber = ++call.attempts;
    const signal = context.signal === undefined ? call.signal : AbortSignal.any([call.signal, context.signal]);
    const startedAt = this.#options.inference.options.clock.now();
    try {
      if (attemptNumber > 1) await this.#again(call, candidate, signal);
      await this.#try(call, candidate, signal);
    } catch (error) {
      throw this.#failed(call, error, signal);
    }
    const ms = this.#options.inference.options.clock.now() - startedAt;
    return { provider: provider.name, model: model.id, ms, firstByteMs: call.firstByteMs };
  }

  async #try(call: LiveCall, candidate: Candidate, signal: AbortSignal): Promise<void> {
    const { inference, upstream, guards, owners } = this.#options;
    const { health, clock } = inference.options;
    const { orgId, policy: { after } } = call;
    const wire = wireOf(candidate.provider.kind, call.endpoint);
    if (wire === null) throw new CallError("CALL_LOST", "This provider cannot take such a call");
    health.begin(orgId, candidate);
    let worked: boolean | null = null;
    try {
      await attempt(call, candidate, signal, {
        upstream,
        wire,
        check: after === undefined ? null : (of, answer) => guards.after(of, after, answer),
        now: clock.now,
        onStored: (of, { provider }, id) => owners.put({ orgId: of.orgId, id, provider: provider.name }),
      });
      worked = call.error === null || call.error.code === "ABORTED" ? true : false;
    } catch (error) {
      worked = error instanceof AttemptFailed && error.mayRetry && error.details.status !== 429 ? false : null;
      throw error;
    } finally {
      health.end(orgId, candidate, worked);
    }
  }

  /** A provider that was asked before is given a moment. */
  async #again(call: LiveCall, candidate: Candidate, signal: AbortSignal): Promise<void> {
    const { clock, spending } = this.#options.inference.options;
    await spending.raise(call);
    const tries = call.route.slice(0, call.attempts - 1).filter((one) => one === candidate).length;
    if (tries === 0) return;
    const ms = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (tries - 1));
    const waited = Promise.withResolvers<void>();
    const cancel = clock.at(clock.now() + ms, waited.resolve);
    signal.addEventListener("abort", () => waited.resolve(), { once: true });
    await waited.promise;
    cancel();
    signal.throwIfAborted();
  }

  /** The error with which an attempt ends: one that lets the next be made, or the call's last. */
  #failed(call: LiveCall, error: unknown, signal: AbortSignal): CallError {
    if (error instanceof AttemptFailed) {
      if (error.mayCost) {
        const { tokens, costMicros } = lostBy(call);
        call.lost = { tokens: call.lost.tokens + tokens, costMicros: call.lost.costMicros + costMicros };
      }
      const final = toCallError(error);
      if (error.mayRetry && call.attempts < call.route.length && !signal.aborted) {
        return inferenceError("PROVIDER_ATTEMPT_FAILED", error.details, error);
      }
      call.fail(final);
      return final;
    }
    if (signal.aborted) {
      // What it had said by then is not known: it is charged as reserved.
      if (call.answeredBy === null) call.lost = lostBy(call);
      const aborted = new CallError("ABORTED", "The caller has gone, or the run was aborted");
      call.fail(aborted);
      return aborted;
    }
    const final = error instanceof CallError ? error : new CallError("INTERNAL_ERROR", "An attempt failed", undefined, {
      cause: error,
    });
    call.fail(final);
    return final;
  }

  async settle(call: LiveCall, context: OperationContext): Promise<unknown> {
    if (call.phase === "settled") throw new CallError("CALL_LOST", "This call has been settled");
    call.phase = "settled";
    const { inference, cache } = this.#options;
    const { spending, clock } = inference.options;
    const spent = await spending.settle(call);
    const { inputTokens, outputTokens, cachedInputTokens } = call.usage;
    const usage = {
      inputTokens: Math.max(inputTokens, spent.tokens - outputTokens),
      outputTokens,
      costMicros: spent.costMicros,
      ...(call.usedModel !== null && { model: call.usedModel }),
    };
    if (call.answeredBy !== null || spent.tokens > 0) context.usage?.settle(usage);
    if (call.error !== null && call.error.code !== "ABORTED") {
      const { details } = call.error;
      const refusal = typeof details === "object" && details !== null ? details : {};
      throw new CallError(call.error.code, call.error.message, {
        ...refusal,
        usage: { ...usage, countedBy: call.countedBy },
      });
    }
    if (call.error === null) cache.keep(call);
    const { answeredBy, policy, policyRevision, attempts, countedBy } = call;
    return {
      provider: answeredBy?.provider.name ?? null,
      model: answeredBy?.model.id ?? null,
      attempts,
      cached: call.isCached,
      usage: { ...call.usage, cachedInputTokens, costMicros: spent.costMicros, countedBy },
      prices: answeredBy?.model.prices ?? null,
      policyRevision,
      ms: clock.now() - call.startedAt,
      finished: call.error === null,
      ...(policy.store === "full" && { request: call.body, answer: call.kept ?? call.said }),
      ...(policy.store === "redacted" && { request: redacted(call.body), answer: null }),
    };
  }
}

/** The shape of a request without what was said: each text is its length. */
function redacted(value: unknown): unknown {
  if (typeof value === "string") return value.length <= 24 && /^[a-z_.-]*$/.test(value) ? value : `<${value.length}>`;
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redacted(inner)]));
}

function assertPhase(call: LiveCall, wanted: LiveCall["phase"]): void {
  if (call.phase !== wanted) throw new CallError("CALL_LOST", `This call is ${call.phase} already`);
}

/** A step whose failure is the call's. */
async function ending<T>(call: LiveCall, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const known = error instanceof CallError
      ? error
      : new CallError("INTERNAL_ERROR", "A step of the call failed", undefined, { cause: error });
    call.fail(known);
    throw known;
  }
}
