import { type TUnsafe, Type } from "@alkdev/typebox";
import type { StartRun } from "../../runs/mod.ts";

/** A budget in a body. */
export type BudgetBody = NonNullable<StartRun["budget"]>;

const amount = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }));

const budget = Type.Object({
  calls: amount("Calls of nodes"),
  tokens: amount("Tokens, in and out"),
  costMicros: amount("Millionths of the currency that usage is told in"),
  wallMs: amount("Ms from the run's start"),
  depth: amount("Levels of child runs below the run; 0: none"),
}, {
  additionalProperties: false,
  minProperties: 1,
  description: "What the run and all that descends from it may use",
});

/** What a run and all that descends from it may use. */
export const BudgetSchema: TUnsafe<BudgetBody> = Type.Unsafe<BudgetBody>(budget);
