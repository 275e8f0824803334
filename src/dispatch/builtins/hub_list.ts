import { Type } from "@alkdev/typebox";
import type { OperationRegistration } from "@alkdev/operations";
import type { Operations } from "../ports.ts";
import { callerOf } from "./caller_of.ts";
import { defineOperation } from "./define_operation.ts";
import { OperationSummary, summarize } from "./operation_summary.ts";

/** `{namespace?} -> [{id, type, title?, description}]`. */
export function hubList(operations: Operations): OperationRegistration {
  return defineOperation({
    namespace: "hub",
    name: "list",
    type: "query",
    title: "List operations",
    description: "Lists the operations that you can call, of all namespaces or of one.",
    requiredScopes: ["operation:read"],
    inputSchema: Type.Object({ namespace: Type.Optional(Type.String()) }),
    outputSchema: Type.Array(OperationSummary),
    handler: ({ namespace }, context) =>
      operations.list(callerOf(context))
        .filter((spec) => namespace === undefined || spec.namespace === namespace)
        .map(summarize),
  });
}
