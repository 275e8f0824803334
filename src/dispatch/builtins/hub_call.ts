import { Type } from "@alkdev/typebox";
import type { OperationRegistration } from "@alkdev/operations";
import type { Operations } from "../ports.ts";
import { originOf } from "../origin_of.ts";
import { callerOf } from "./caller_of.ts";
import { defineOperation } from "./define_operation.ts";

/** `{operationId, input}` -> what that operation answers, as it answers it. */
export function hubCall(operations: Operations): OperationRegistration {
  return defineOperation({
    namespace: "hub",
    name: "call",
    type: "mutation",
    title: "Call an operation",
    description: "Calls a query or mutation by its id. See its input schema first.",
    requiredScopes: ["operation:call"],
    inputSchema: Type.Object({ operationId: Type.String(), input: Type.Optional(Type.Unknown()) }),
    outputSchema: Type.Unknown(),
    handler: ({ operationId, input = {} }, context) => {
      const origin = originOf(context);
      return operations.call({
        caller: callerOf(context),
        operationId,
        input,
        ...(context.signal === undefined ? {} : { signal: context.signal }),
        ...(context.requestId === undefined ? {} : { parentRequestId: context.requestId }),
        ...(origin !== null && { origin }),
      });
    },
  });
}
