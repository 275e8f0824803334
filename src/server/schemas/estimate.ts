import { type TObject, Type } from "@alkdev/typebox";
import type { Estimate } from "../../sight/mod.ts";
import { nullable } from "./nullable.ts";

const range = Type.Object({ p10: Type.Number(), p50: Type.Number(), p90: Type.Number() }, {
  description: "Values below which a tenth, a half and nine tenths lie",
});

const operation = Type.Object({
  operationId: Type.String(),
  attempts: Type.Integer({ description: "Attempts (runs, of a workflow) that are remembered" }),
  failureRate: nullable(Type.Number()),
  durationMs: nullable(range),
  costMicros: nullable(range),
});

const missing = Type.Object({
  key: Type.String(),
  what: Type.Union([
    Type.Literal("operation"),
    Type.Literal("branch"),
    Type.Literal("count"),
    Type.Literal("wait"),
  ]),
});

const estimate = Type.Object({
  durationMs: nullable(range),
  calls: nullable(range),
  costMicros: nullable(range),
  tokens: nullable(range),
  failureRisk: nullable(range),
  samples: Type.Integer({ description: "The fewest attempts that any operation of the plan is known by" }),
  simulations: Type.Integer(),
  missing: Type.Array(missing, { description: "What was never seen: the reason for a null above" }),
  operations: Type.Array(operation),
  workflow: nullable(operation),
}, { $id: "Estimate" });

/** Does not compile when it parts from its type. */
export const EstimateSchema: TObject = estimate satisfies { static: Estimate };
