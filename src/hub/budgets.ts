import type { Clock, Engine } from "../../engine/mod.ts";
import { BudgetedCalls, settleLeftovers } from "../budgets/mod.ts";
import type { HubDispatcher } from "../dispatch/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import { budgetRoutes, type Route } from "../server/mod.ts";
import { createBudgetLedger, createLeftovers, type Database, type StoredBudgets } from "../storage/mod.ts";
import type { Startup } from "./startup.ts";

/** How often reservations that a crash left behind are looked for. */
const SWEEP_EVERY_MS = 5_000;

/** What runs and others may use. */
export interface Budgets {
  /** For whatever else spends tokens or money: it names its holders itself. */
  readonly ledger: StoredBudgets;
  readonly calls: BudgetedCalls;
  readonly routes: readonly Route[];
}

/** `late` gives what is built after it: it is asked for with the first call of a run. */
export function openBudgets(
  startup: Startup,
  params: {
    readonly db: Database;
    readonly clock: Clock;
    readonly late: { readonly engine: () => Engine | null; readonly dispatcher: () => HubDispatcher | null };
  },
): Budgets {
  const { db, clock, late } = params;
  const log = hubLogger("budgets");
  const ledger = createBudgetLedger(db);
  const calls = new BudgetedCalls({
    ledger,
    clock,
    created: (runId) => late.engine()?.live(runId)?.state.created ?? null,
    isStopped: () => late.engine()?.stopped ?? true,
    spec: (orgId, operationId) => late.dispatcher()?.spec(orgId, operationId),
    log,
  });
  const leftovers = createLeftovers(db);
  const sweep = async (): Promise<void> => {
    try {
      const settled = await settleLeftovers({ ledger, leftovers });
      if (settled > 0) log.info("Settled {settled} reservations that a crash had left", { settled });
    } catch (error) {
      log.warn("Reservations that a crash left could not be settled: {error}", { error: String(error) });
    }
  };
  let sweeping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => sweeping = sweeping.then(sweep), SWEEP_EVERY_MS);
  startup.onStop(() => {
    clearInterval(timer);
    return sweeping;
  });
  return { ledger, calls, routes: budgetRoutes(ledger) };
}
