import { compile, FlowgraphError } from "@alkdev/flowgraph";
import type { PlanNodeView } from "./format/graph_tree.ts";
import type { ShownPlanNode, WorkflowBody } from "./run_views.ts";

/**
 * All nodes of a workflow's plan, containers included, which the HTTP API leaves out: made here from the template where there
 * is one. Else what the API shows, each container that it names standing at the root. Null: the plan is not known.
 */
export function planNodes(
  { name, template, plan }: Pick<WorkflowBody, "name" | "template" | "plan">,
): readonly PlanNodeView[] | null {
  if (template != null) {
    try {
      return compile({ name, template }).plan.nodes;
    } catch (error) {
      // A hub of another version may know more than this command line.
      if (!(error instanceof FlowgraphError)) throw error;
    }
  }
  return plan == null ? null : withContainers(plan.nodes);
}

function withContainers(shown: readonly ShownPlanNode[]): readonly PlanNodeView[] {
  const nodes: PlanNodeView[] = [];
  const indexOf = new Map<string, number>();
  const place = (node: PlanNodeView): number => {
    indexOf.set(node.key, nodes.length);
    return nodes.push(node) - 1;
  };
  for (const { key, kind, parent, operationId } of shown) {
    const around = parent === null
      ? -1
      : indexOf.get(parent) ?? place({ key: parent, kind: kindOf(parent), parent: -1 });
    if (!indexOf.has(key)) place({ key, kind, parent: around, ...(operationId !== null && { operationId }) });
  }
  return nodes;
}

/** The compiler's own keys tell what they are keys of: `__parallel_2`. */
function kindOf(key: string): string {
  return /^__([a-z]+)_\d+$/.exec(key)?.[1] ?? "container";
}
