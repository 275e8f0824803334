import { Type } from "@alkdev/typebox";
import { CallError, type OperationRegistration } from "@alkdev/operations";
import type { Operations } from "../ports.ts";
import { callerOf } from "./caller_of.ts";
import { defineOperation } from "./define_operation.ts";

/** `{operationId}` -> the operation's spec. */
export function hubSchema(operations: Operations): OperationRegistration {
  return defineOperation({
    namespace: "hub",
    name: "schema",
    type: "query",
    title: "Describe an operation",
    description: "Gives an operation's description, with its input and output schema.",
    requiredScopes: ["operation:read"],
    inputSchema: Type.Object({ operationId: Type.String() }),
    outputSchema: Type.Unknown(),
    handler: ({ operationId }, context) => {
      const spec = operations.spec(callerOf(context), operationId);
      if (spec !== undefined) return spec;
      throw new CallError("OPERATION_NOT_FOUND", `Operation "${operationId}" is not known`, { operationId });
    },
  });
}
