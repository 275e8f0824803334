import { OperationType } from "@alkdev/operations";
import type { OperationSpec } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { FlowGraph, type TemplateDAG } from "../graph/flow_graph.ts";
import type { CompiledPlan, PlanNode } from "../plan.ts";
import type { Guard } from "../reactive/guard.ts";
import type { Limit } from "../reactive/slots.ts";
import type { TemplateEdgeAttrs, TemplateNodeAttrs } from "../schema/attributes.ts";
import { planGraph } from "../view/plan_graph.ts";

/**
 * The DAG of a compiled plan, ready for `WorkflowReactiveRoot`: `planGraph` with attributes, functions in place of their
 * marks, on each node inside a Conditional its `guards`, and inside a limited Parallel its `limits`. Maps and Loops stand in it with one instance of their body.
 */
export function templateDag(
  compiled: CompiledPlan,
  operations: (id: string) => OperationSpec | undefined = () => undefined,
): TemplateDAG {
  const { plan: { nodes }, functions } = compiled;
  const { nodes: drawn, edges } = planGraph(compiled.plan);
  const indices = new Map(nodes.map(({ key }, index) => [key, index]));
  const resolve = (condition: string): unknown => functions.get(condition) ?? condition;
  // In bulk: the plan has no cycle, so one check of the whole is enough.
  return FlowGraph.fromJSON<TemplateNodeAttrs, TemplateEdgeAttrs>({
    nodes: drawn.map(({ key, kind, operationId }) => {
      const attributes = nodeAttributes(operationId ?? `flow.${kind}`, operations);
      const index = indices.get(key) ?? 0;
      const [guards, limits] = [guardsAt(compiled, index), limitsAt(nodes, index)];
      if (guards.length > 0) Object.assign(attributes, { guards });
      if (limits.length > 0) Object.assign(attributes, { limits });
      return { key, attributes };
    }),
    edges: edges.map(({ source, target, edgeType, dataFlow, condition, negated }) => ({
      source,
      target,
      attributes: {
        edgeType,
        dataFlow,
        ...(condition !== undefined && { condition: resolve(condition) }),
        ...(negated && { negated }),
      },
    })),
  });
}

function nodeAttributes(id: string, operations: (id: string) => OperationSpec | undefined): TemplateNodeAttrs {
  const spec = operations(id);
  const dot = id.lastIndexOf(".");
  return {
    name: spec?.name ?? id.slice(dot + 1),
    namespace: spec?.namespace ?? id.slice(0, Math.max(dot, 0)),
    type: spec?.type ?? OperationType.MUTATION,
    inputSchema: spec?.inputSchema ?? Type.Unknown(),
    outputSchema: spec?.outputSchema ?? Type.Unknown(),
  };
}

/** The tests of every Conditional around a node, outermost first. */
function guardsAt({ plan: { nodes }, functions }: CompiledPlan, index: number): Guard[] {
  const guards: Guard[] = [];
  let node: PlanNode | undefined = nodes[index];
  while (node !== undefined && node.parent >= 0) {
    const parent: PlanNode | undefined = nodes[node.parent];
    if (parent?.kind === "conditional") {
      const { test } = parent;
      const condition = "when" in test ? test.when : "completed" in test ? test.completed : functions.get(test.$fn);
      guards.push({ id: parent.key, condition, negated: node.branch === "else" });
    }
    node = parent;
  }
  return guards.reverse();
}

/** The limited Parallels around a node, innermost first. */
function limitsAt(nodes: readonly PlanNode[], index: number): Limit[] {
  const limits: Limit[] = [];
  for (let node = nodes[index]; node !== undefined && node.parent >= 0;) {
    const parent: PlanNode | undefined = nodes[node.parent];
    if (parent?.kind === "parallel" && parent.maxConcurrency !== undefined) {
      limits.push({ id: parent.key, branch: node.key, max: parent.maxConcurrency });
    }
    node = parent;
  }
  return limits;
}
