import { operationId, type OperationSpec, schemaSource } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import type { McpDeps } from "../ports.ts";
import { may, mayOn } from "../rights.ts";

/** Before the name of a workflow where it stands among operations. */
export const WORKFLOW_PREFIX = "workflow.";

/** What can be called by `hub.call`. */
export interface Callable {
  readonly id: string;
  readonly title: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
}

/** The operations and workflows that a caller may call, by id. */
export async function callables(deps: McpDeps, principal: Principal): Promise<readonly Callable[]> {
  const found: Callable[] = [];
  if (may(principal, "operation:read", "operation:call")) {
    for (const spec of deps.operations.list(principal)) {
      if (!mayOn(principal, operationId(spec), "operation:read", "operation:call")) continue;
      found.push(toCallable(operationId(spec), spec));
    }
  }
  if (may(principal, "workflow:read", "workflow:run")) {
    for (const workflow of await deps.workflows.list({ orgId: principal.orgId })) {
      const { name, title, description, inputSchema, outputSchema } = workflow;
      if (!mayOn(principal, name, "workflow:read", "workflow:run")) continue;
      found.push({
        id: `${WORKFLOW_PREFIX}${name}`,
        title,
        description: description ?? title ?? "",
        tags: ["workflow"],
        inputSchema: inputSchema ?? {},
        outputSchema: outputSchema ?? {},
      });
    }
  }
  return found.sort((left, right) => left.id < right.id ? -1 : 1);
}

export function toCallable(id: string, spec: OperationSpec): Callable {
  const { title = null, description, tags = [], inputSchema, outputSchema } = spec;
  return {
    id,
    title,
    description,
    tags,
    inputSchema: schemaSource(inputSchema),
    outputSchema: schemaSource(outputSchema),
  };
}

/** Best first. A word counts 8 in the id, 4 in the title or a tag, 1 in the description. */
export function search(all: readonly Callable[], query: string): readonly Callable[] {
  const words = query.toLowerCase().split(/[\s.,;:/_-]+/).filter((word) => word !== "");
  if (words.length === 0) return all;
  return all.map((it) => ({ it, score: scoreOf(it, words) }))
    .filter(({ score }) => score > 0)
    .sort((left, right) => right.score - left.score)
    .map(({ it }) => it);
}

function scoreOf({ id, title, tags, description }: Callable, words: readonly string[]): number {
  const texts = [[id, 8], [[title ?? "", ...tags].join(" "), 4], [description, 1]] as const;
  let score = 0;
  for (const [text, weight] of texts) {
    const lower = text.toLowerCase();
    for (const word of words) if (lower.includes(word)) score += weight;
  }
  return score;
}
