/** Budgets: what may be used, what has been, and the calls that are charged. @module */
export { budgetExceeded } from "./budget_exceeded.ts";
export { BudgetedCalls, holdersOf } from "./budgeted_calls.ts";
export type { BudgetedCallsOptions } from "./budgeted_calls.ts";
export { MemoryLedger } from "./memory_ledger.ts";
export type {
  AmountLimits,
  Amounts,
  Balance,
  BudgetBook,
  BudgetLedger,
  BudgetRecord,
  Charge,
  ChargedHolder,
  ChargeKey,
  Holder,
  HolderKind,
  HolderName,
  Leftover,
  Leftovers,
  Refusal,
  Reservation,
  UsageGroup,
  UsageRow,
} from "./ports.ts";
export { settleLeftovers } from "./settle_leftovers.ts";
export { modelOf, usageOf, usageOfOutcome } from "./usage.ts";
