import { Type } from "@alkdev/typebox";
import { compileExpression } from "@alkdev/flowgraph";
import { CallError, type OperationRegistration } from "@alkdev/operations";
import { defineOperation } from "./define_operation.ts";

/** `{expression, vars} -> {value}`: CEL over the names in `vars`. */
export const coreEval: OperationRegistration = defineOperation({
  namespace: "core",
  name: "eval",
  type: "query",
  title: "Evaluate",
  description: "Evaluates a CEL expression over the given variables.",
  inputSchema: Type.Object({
    expression: Type.String({ description: "CEL, such as `items.size() > 3`" }),
    vars: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: "Values by name" })),
  }),
  outputSchema: Type.Object({ value: Type.Unknown() }),
  handler: ({ expression, vars = {} }) => {
    try {
      return { value: jsonOf(compileExpression(expression).evaluate(vars)) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new CallError("VALIDATION_ERROR", message, { errors: [{ path: "/expression", message }] }, {
        cause: error,
      });
    }
  },
});

function jsonOf(value: unknown): unknown {
  // What CEL can hold and JSON cannot: integers past 2^53, types, optionals.
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError("Expression gives something that is not JSON");
  return value;
}
