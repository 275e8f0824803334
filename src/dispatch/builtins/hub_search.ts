import { Type } from "@alkdev/typebox";
import { operationId, type OperationRegistration, type OperationSpec } from "@alkdev/operations";
import type { Operations } from "../ports.ts";
import { callerOf } from "./caller_of.ts";
import { defineOperation } from "./define_operation.ts";
import { OperationSummary, summarize } from "./operation_summary.ts";

const DEFAULT_LIMIT = 20;

/** `{query, namespace?, limit?} -> [{id, type, title?, description}]`, best first. */
export function hubSearch(operations: Operations): OperationRegistration {
  return defineOperation({
    namespace: "hub",
    name: "search",
    type: "query",
    title: "Search operations",
    description: "Finds the operations that you can call by words in their id, title, tags and description.",
    requiredScopes: ["operation:read"],
    inputSchema: Type.Object({
      query: Type.String({ maxLength: 1000 }),
      namespace: Type.Optional(Type.String()),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    }),
    outputSchema: Type.Array(OperationSummary),
    handler: ({ query, namespace, limit = DEFAULT_LIMIT }, context) => {
      const words = query.toLowerCase().split(/[\s.,;:/_-]+/).filter((word) => word !== "");
      return operations.list(callerOf(context))
        .filter((spec) => namespace === undefined || spec.namespace === namespace)
        .map((spec) => ({ spec, score: scoreOf(spec, words) }))
        .filter(({ score }) => score > 0 || words.length === 0)
        // The sort is stable: of equals the one registered first is first.
        .sort((left, right) => right.score - left.score)
        .slice(0, limit)
        .map(({ spec }) => summarize(spec));
    },
  });
}

/** A word counts 8 in the id, 4 in the title or a tag, 1 in the description. */
function scoreOf(spec: OperationSpec, words: readonly string[]): number {
  const id = operationId(spec).toLowerCase();
  const title = [spec.title ?? "", ...spec.tags ?? []].join(" ").toLowerCase();
  const description = spec.description.toLowerCase();
  let score = 0;
  for (const word of words) {
    score += (id.includes(word) ? 8 : 0) + (title.includes(word) ? 4 : 0) + (description.includes(word) ? 1 : 0);
  }
  return score;
}
