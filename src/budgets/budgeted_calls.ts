import { CallError, type CallUsage, type OperationSpec, type ResponseEnvelope, unpinnedId } from "@alkdev/operations";
import type { Clock, DispatchedCall, Dispatcher, EventOf, RunEvent } from "../../engine/mod.ts";
import { budgetsOf } from "../runs/mod.ts";
import { budgetExceeded } from "./budget_exceeded.ts";
import type { Amounts, BudgetLedger, Charge, ChargedHolder } from "./ports.ts";
import { addUsage, modelOf, usageOf, usageOfOutcome, usageOfThrown, type Used } from "./usage.ts";

type Created = EventOf<"run.created">;

export interface BudgetedCallsOptions {
  readonly ledger: BudgetLedger;
  readonly clock: Clock;
  /** The run's first event, while this hub drives it. */
  readonly created: (runId: string) => Created | null;
  /** This hub drives nothing any more: what is under way is left, with its reservations, to the next owner. */
  readonly isStopped: () => boolean;
  readonly spec: (orgId: string, operationId: string) => OperationSpec | undefined;
  readonly log: { warn(message: string, properties: Record<string, unknown>): void };
}

const RETRY_MS = 250;

/**
 * Charges the calls of runs to the budgets that hold for them.
 *
 * - B1 A call is dispatched after its worst case is reserved in every budget above it, or not at all.
 * - B2 It is settled before its outcome can be recorded: what follows from it finds the budget as it then is.
 * - B3 A run without a budget pays for one look at its first event.
 */
export class BudgetedCalls {
  readonly #options: BudgetedCallsOptions;
  /** What handlers have said so far, by request id: an entry for each charged call under way. */
  readonly #told = new Map<string, CallUsage | null>();

  constructor(options: BudgetedCallsOptions) {
    this.#options = options;
  }

  /** `inner` for calls that fit. */
  dispatcher(inner: Dispatcher): Dispatcher {
    return {
      dispatch: (call) => {
        const created = this.#options.created(call.runId);
        return created?.budget === undefined ? inner.dispatch(call) : this.#charged(call, created, inner);
      },
    };
  }

  /** A handler sets aside more. @throws {CallError} BUDGET_EXCEEDED */
  async reserve(call: DispatchedCall, upTo: Partial<Amounts>): Promise<void> {
    if (!this.#told.has(call.requestId)) return;
    const { orgId, requestId: id } = call;
    const refused = await this.#insist(call, () => this.#options.ledger.raise({ orgId, id, upTo }));
    if (refused !== null) throw budgetExceeded(refused, call.nodeKey);
  }

  /** A handler says what it has used. */
  report(call: DispatchedCall, usage: CallUsage): void {
    const told = this.#told.get(call.requestId);
    if (told !== undefined) this.#told.set(call.requestId, told === null ? usage : addUsage(told, usage));
  }

  /** Counts what calls without a budget have used, right behind the log. */
  committed(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type !== "call.responded" || event.output.meta.usage === undefined) continue;
      const created = this.#options.created(event.runId);
      const used = usageOfOutcome(event);
      if (created === null || used === null || holdersOf(created).length > 0) continue;
      const { ledger, log } = this.#options;
      const model = modelOf(event.output.meta.usage);
      const charge = chargeOf(created, event.requestId, operationIdOf(event));
      ledger.record({ ...charge, amounts: { calls: 1, ...used }, model })
        .catch((error: unknown) => log.warn("Usage was not counted: {error}", { error: String(error) }));
    }
  }

  async #charged(call: DispatchedCall, created: Created, inner: Dispatcher): Promise<ResponseEnvelope> {
    const holders = holdersOf(created);
    if (holders.length === 0) return await inner.dispatch(call);
    const { ledger } = this.#options;
    const charge: Charge = {
      ...chargeOf(created, call.requestId, unpinnedId(call.operationId)),
      holders,
      amounts: { calls: 1, ...worstCase(this.#options.spec(call.orgId, call.operationId)) },
      expiresAt: null,
    };
    const { refused } = await this.#insist(call, () => ledger.reserve(charge));
    if (refused !== null) throw budgetExceeded(refused, call.nodeKey);
    if (call.signal.aborted) {
      if (!this.#options.isStopped()) await this.#quietly(() => ledger.release(charge));
      throw new CallError("ABORTED", `Node "${call.nodeKey}" was no longer wanted when its budget was reserved`);
    }
    this.#told.set(call.requestId, null);
    try {
      const envelope = await inner.dispatch(call);
      await this.#settle(charge, usageOf(envelope.meta.usage), modelOf(envelope.meta.usage));
      return envelope;
    } catch (reason) {
      await this.#settle(charge, usageOfThrown(reason));
      throw reason;
    } finally {
      this.#told.delete(call.requestId);
    }
  }

  /** What nobody says counts as used: a reservation is only given back by somebody who knows better. */
  async #settle(charge: Charge, used: Used | null, model: string | null = null): Promise<void> {
    if (this.#options.isStopped()) return;
    const told = this.#told.get(charge.id) ?? null;
    const spent = used ?? usageOf(told) ?? {};
    await this.#quietly(() => this.#options.ledger.settle({ ...charge, spent, model: model ?? modelOf(told) }));
  }

  /** A settlement that fails leaves the reservation, which counts as spent until it is found. */
  async #quietly(settle: () => Promise<unknown>): Promise<void> {
    try {
      await settle();
    } catch (error) {
      this.#options.log.warn("A reservation was not settled and will be later: {error}", { error: String(error) });
    }
  }

  /** As commits do, a reservation outlasts a database that is away. */
  async #insist<T>(call: DispatchedCall, ask: () => Promise<T>): Promise<T> {
    const { clock, isStopped } = this.#options;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof CallError || call.signal.aborted || isStopped()) throw error;
        await new Promise<void>((resolve) => void clock.at(clock.now() + RETRY_MS, resolve));
      }
    }
  }
}

function chargeOf(created: Created, id: string, operationId: string) {
  const { runId, workflow, caller } = created;
  return { orgId: caller.orgId, id, runId, workflow, operationId, identityId: caller.identity.id };
}

function operationIdOf({ output: { meta } }: EventOf<"call.responded">): string {
  return meta.source === "local" ? meta.operationId : "";
}

/** The budgets that count: those of time and depth need no ledger. Innermost first, so that the nearest refusal is told. */
export function holdersOf(created: Created): readonly ChargedHolder[] {
  const holders: ChargedHolder[] = [];
  for (const { runId, limits: { calls, tokens, costMicros } } of budgetsOf(created).toReversed()) {
    if (calls === undefined && tokens === undefined && costMicros === undefined) continue;
    const limits = { calls: calls ?? null, tokens: tokens ?? null, costMicros: costMicros ?? null };
    holders.push({ kind: "run", id: runId, limits });
  }
  return holders;
}

/** What an operation declares that one call of it may use: `_meta.usage {tokens?, costMicros?}`. */
function worstCase(spec: OperationSpec | undefined): Used {
  const declared = spec?._meta?.["usage"];
  const { tokens, costMicros }: { readonly tokens?: unknown; readonly costMicros?: unknown } =
    typeof declared === "object" && declared !== null ? declared : {};
  return { tokens: amount(tokens), costMicros: amount(costMicros) };
}

function amount(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
