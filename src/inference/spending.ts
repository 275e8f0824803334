import { CallError } from "@alkdev/operations";
import type { Clock } from "../../engine/mod.ts";
import type { Amounts, BudgetLedger, ChargedHolder, Refusal } from "../budgets/mod.ts";
import type { Caller } from "../runs/mod.ts";
import { inferenceError } from "./inference_error.ts";
import type { LiveCall } from "./live_call.ts";
import type { InferencePolicy, RateLimits } from "./policy.ts";
import { costOf, countInput, countText, mostInputTokens, NO_USAGE } from "./usage.ts";
import type { Body } from "./wire.ts";

const MINUTE_MS = 60_000;
const DEFAULT_CAP = 4_096;
/** A call that has not ended by then counts as spent. */
const LONGEST_CALL_MS = 3_600_000;

export interface SpendingOptions {
  readonly ledger: BudgetLedger;
  readonly clock: Clock;
  /** Those of these budgets that limit anything, as they were at most a second ago. */
  readonly limiting: (orgId: string, holders: readonly ChargedHolder[]) => Promise<readonly ChargedHolder[]>;
  /** The budgets of a run and of all above it. @throws {CallError} RUN_NOT_FOUND */
  readonly runHolders: (caller: Caller, runId: string) => Promise<readonly ChargedHolder[]>;
}

/**
 * Pays for calls: what a call may use at most is set aside, durably, before a provider hears of it, and settled after.
 *
 * Limits per minute are budgets too, of one minute each: so requests, tokens and money are reserved in one step that is exact
 * across hubs, and fail closed alike.
 */
export class Spending {
  readonly #options: SpendingOptions;

  constructor(options: SpendingOptions) {
    this.#options = options;
  }

  /** @throws {CallError} BUDGET_EXCEEDED, RATE_LIMITED */
  async reserve(
    call: LiveCall,
    policy: InferencePolicy,
    run: { readonly runId: string; readonly chargeId: string },
  ): Promise<void> {
    call.charge = { id: run.chargeId, runId: run.runId };
    const holders = await this.#holders(call, policy);
    if (holders.length === 0) return;
    call.cap = capOf(call);
    call.inputEstimate = mostInputTokens(call.body);
    call.worst = worstOf(call);
    const { refused } = await this.#options.ledger.reserve({
      orgId: call.orgId,
      id: run.chargeId,
      holders,
      amounts: { calls: 1, ...call.worst },
      ...sourceOf(call, run.runId),
      expiresAt: this.#options.clock.now() + LONGEST_CALL_MS,
    });
    if (refused !== null) throw this.#refusal(refused, call);
    call.chargeId = run.chargeId;
  }

  /** Before another attempt: what a failed one may have cost is set aside beside it. */
  async raise(call: LiveCall): Promise<void> {
    const { chargeId, orgId, worst, lost } = call;
    if (chargeId === null || lost.tokens === 0 && lost.costMicros === 0) return;
    const upTo = { tokens: worst.tokens + lost.tokens, costMicros: worst.costMicros + lost.costMicros };
    const refused = await this.#options.ledger.raise({ orgId, id: chargeId, upTo });
    if (refused !== null) throw this.#refusal(refused, call);
  }

  /** What the call has used; its reservation becomes that. */
  async settle(call: LiveCall): Promise<Amounts> {
    const spent = await this.#spent(call);
    const { chargeId, orgId, usedModel: model } = call;
    if (chargeId === null) {
      await this.#count(call, spent);
      return spent;
    }
    if (call.countedBy === "reserved") {
      await this.#options.ledger.settle({ orgId, id: chargeId, spent: {}, model });
      return { calls: 1, ...call.worst };
    }
    await this.#options.ledger.settle({ orgId, id: chargeId, spent, model });
    return spent;
  }

  /** What failed has no usage in its run's events that would be counted from there. */
  async #count(call: LiveCall, spent: Amounts): Promise<void> {
    const { charge, orgId, error, usedModel: model } = call;
    if (charge === null || error === null || error.code === "ABORTED" || spent.tokens === 0) return;
    const { id, runId } = charge;
    await this.#options.ledger.record({ orgId, id, amounts: spent, ...sourceOf(call, runId), model });
  }

  async #spent(call: LiveCall): Promise<Amounts> {
    const { lost, answeredBy } = call;
    if (answeredBy === null || call.isCached) {
      call.usage = NO_USAGE;
      return { calls: 1, ...lost };
    }
    if (call.countedBy === "hub") {
      // What is not known is not given away: the provider works in the background.
      if (call.body["background"] === true && call.chargeId !== null) call.countedBy = "reserved";
      const [inputTokens, outputTokens] = [await countInput(call.body), await countText(call.said)];
      call.usage = { inputTokens, outputTokens, cachedInputTokens: 0 };
    }
    const { inputTokens, outputTokens } = call.usage;
    return {
      calls: 1,
      tokens: inputTokens + outputTokens + lost.tokens,
      costMicros: costOf(call.usage, answeredBy.model.prices) + lost.costMicros,
    };
  }

  async #holders(call: LiveCall, policy: InferencePolicy): Promise<readonly ChargedHolder[]> {
    const { orgId, asker } = call;
    const own: ChargedHolder[] = [];
    if (asker.keyId !== null) own.push({ kind: "key", id: asker.keyId });
    if (asker.sessionId !== null) own.push({ kind: "session", id: asker.sessionId });
    own.push({ kind: "org", id: orgId });
    const [limiting, above] = await Promise.all([
      this.#options.limiting(orgId, own),
      asker.runId === null ? [] : this.#options.runHolders(asker.caller, asker.runId),
    ]);
    return [...above, ...limiting, ...this.#minutes(call, policy)];
  }

  #minutes({ asker, model, policy: { limits } }: LiveCall, policy: InferencePolicy): readonly ChargedHolder[] {
    const minute = Math.floor(this.#options.clock.now() / MINUTE_MS);
    const holders: ChargedHolder[] = [];
    const add = (what: string, of: RateLimits | undefined): void => {
      if (of?.requestsPerMinute === undefined && of?.tokensPerMinute === undefined) return;
      const amounts = { calls: of.requestsPerMinute ?? null, tokens: of.tokensPerMinute ?? null };
      holders.push({ kind: "minute", id: `${minute} ${what}`, limits: amounts });
    };
    const { keys } = policy;
    if (asker.keyId !== null && keys !== undefined && Object.hasOwn(keys, asker.keyId)) {
      add(`key ${asker.keyId}`, keys[asker.keyId]);
    }
    add(`model ${model}`, limits);
    add("organization", policy.organization);
    return holders;
  }

  #refusal(refused: Refusal, { model }: LiveCall): CallError {
    const { kind, id, which, limit, spent, reserved, wanted } = refused;
    const used = `limit ${limit}, used ${spent + reserved}, requested ${wanted}`;
    if (kind !== "minute") {
      const message = `You exceeded the budget of ${kind} "${id}" (${which}): ${used}`;
      const error = { message, type: "insufficient_quota", param: null, code: "insufficient_quota" };
      return inferenceError("BUDGET_EXCEEDED", { status: 429, error });
    }
    const [minute, ...what] = id.split(" ");
    const leftMs = (Number(minute) + 1) * MINUTE_MS - this.#options.clock.now();
    const unit = which === "calls" ? "requests" : "tokens";
    const message = `Rate limit reached for ${what.join(" ")} on ${unit} per minute, asking for "${model}": ${used}`;
    return inferenceError("RATE_LIMITED", {
      status: 429,
      error: { message, type: unit, param: null, code: "rate_limit_exceeded" },
      retryAfter: String(Math.max(1, Math.ceil(leftMs / 1000))),
    });
  }
}

function sourceOf({ asker: { caller } }: LiveCall, runId: string) {
  return { runId, workflow: "proxy_call", operationId: "inference.settle", identityId: caller.identity.id };
}

/** What an attempt that broke off may have cost: its input, and all it might have said. */
export function lostBy(call: LiveCall): { readonly tokens: number; readonly costMicros: number } {
  if (call.chargeId === null) return { tokens: 0, costMicros: 0 };
  return call.worst;
}

function worstOf(call: LiveCall): LiveCall["worst"] {
  const inputTokens = call.inputEstimate;
  const { n } = call.body;
  const outputTokens = call.endpoint === "embeddings"
    ? 0
    : (outputLimit(call.body) ?? call.cap ?? DEFAULT_CAP) * (typeof n === "number" && n > 1 ? Math.ceil(n) : 1);
  const usage = { inputTokens, outputTokens, cachedInputTokens: 0 };
  const costMicros = Math.max(0, ...call.route.map(({ model: { prices } }) => costOf(usage, prices)));
  return { tokens: inputTokens + outputTokens, costMicros };
}

function capOf({ endpoint, body, policy }: LiveCall): number | null {
  if (endpoint === "embeddings" || outputLimit(body) !== null) return null;
  return policy.maxOutputTokens ?? DEFAULT_CAP;
}

/** How much the caller lets the model say; null: the caller does not limit it. */
export function outputLimit(body: Body): number | null {
  for (const field of ["max_completion_tokens", "max_tokens", "max_output_tokens"]) {
    const value = body[field];
    if (typeof value === "number" && value >= 0) return Math.ceil(value);
  }
  return null;
}
