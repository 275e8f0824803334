import { type TObject, type TUnsafe, Type } from "@alkdev/typebox";
import type { RunBudgetView, StartRun } from "../../runs/mod.ts";
import { nullable } from "./nullable.ts";

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

const limitUse = Type.Object({ limit: Type.Integer(), spent: Type.Integer(), reserved: Type.Integer() });
const view = Type.Object({
  calls: Type.Optional(limitUse),
  tokens: Type.Optional(limitUse),
  costMicros: Type.Optional(limitUse),
  wallMs: Type.Optional(limitUse),
  depth: Type.Optional(Type.Object({ limit: Type.Integer() })),
}, { description: "The run's own budget, by what it limits" });

/** How much of a run's budget is used. */
export const RunBudgetSchema: TUnsafe<RunBudgetView> = Type.Unsafe<RunBudgetView>(
  view satisfies { static: RunBudgetView },
);

const limit = () => Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })));
const limits = Type.Object({ calls: limit(), tokens: limit(), costMicros: limit() }, { additionalProperties: false });
interface LimitsBody {
  readonly calls?: number | null;
  readonly tokens?: number | null;
  readonly costMicros?: number | null;
}

/** Limits of a budget; null or absent: none. */
export const AmountLimitsSchema: TUnsafe<LimitsBody> = Type.Unsafe<LimitsBody>(limits);

const amounts = { calls: Type.Integer(), tokens: Type.Integer(), costMicros: Type.Integer() };
const shown = nullable(Type.Integer());

/** A budget as it is shown. */
export const BudgetRecordSchema: TObject = Type.Object({
  kind: Type.String(),
  id: Type.String(),
  limits: Type.Object({ calls: shown, tokens: shown, costMicros: shown }),
  spent: Type.Object(amounts),
  reserved: Type.Object(amounts),
  createdAt: Type.Optional(Type.Integer({ description: "Ms since the epoch" })),
}, { $id: "Budget" });

/** What a group has used. */
export const UsageRowSchema: TObject = Type.Object({
  group: nullable(Type.String({ description: "Null: of none" })),
  ...amounts,
}, { $id: "UsageRow" });
