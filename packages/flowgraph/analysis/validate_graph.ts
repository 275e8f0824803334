import { collectErrors, type OperationSpec } from "@alkdev/operations";
import type { TSchema } from "@alkdev/typebox";
import type { NamedTemplate } from "../compile/compile.ts";
import type { AnyValidationError, GraphValidationError, ValidationError } from "../error/validation_error.ts";
import type { CallEdge, CallGraph, EdgeBase, FlowGraph, OperationGraph } from "../graph/flow_graph.ts";
import type { Problem } from "../problem.ts";
import { CallNodeAttrs } from "../schema/attributes.ts";
import { validate as validateWorkflow } from "../validate/validate.ts";
import type { WorkflowDefinition } from "../workflow.ts";

/** Checks the attributes of every node. */
export function validateSchema(graph: FlowGraph<object, EdgeBase>, schema: TSchema): ValidationError[] {
  return graph.nodes().flatMap((nodeKey) =>
    collectErrors(schema, graph.getNodeAttributes(nodeKey)).map(({ path, message }): ValidationError => ({
      type: "schema",
      nodeKey,
      field: path.slice(1).replaceAll("/", "."),
      message,
    }))
  );
}

/**
 * Checks a graph as a whole: cycles; calls whose parent is not there; calls beside others without any edge though they name a
 * parent; calls still open under a parent that has ended.
 */
export function validateGraph(graph: FlowGraph<object, EdgeBase>): GraphValidationError[] {
  const found: GraphValidationError[] = graph.findCycles().map((cycle) => ({
    type: "graph",
    category: "cycle",
    details: [...cycle, cycle[0]].join(" -> "),
  }));
  if (isCallGraph(graph)) { for (const key of graph.nodes()) found.push(...callProblems(graph, key)); }
  return found;
}

/** {@linkcode validateGraph}, and for a graph of calls {@linkcode validateSchema}. */
export function validate(graph: FlowGraph<object, EdgeBase>): AnyValidationError[] {
  return [...(isCallGraph(graph) ? validateSchema(graph, CallNodeAttrs) : []), ...validateGraph(graph)];
}

/** Checks a template against a graph of operations: they exist, nothing waits for itself, data-flow edges fit. */
export function validateTemplate(
  template: WorkflowDefinition | NamedTemplate,
  operationGraph: OperationGraph,
  input?: unknown,
): AnyValidationError[] {
  const operations = (id: string): OperationSpec | undefined => {
    if (!operationGraph.hasNode(id)) return undefined;
    const attributes = operationGraph.getNodeAttributes(id);
    return { version: "0.0.0", description: "", ...attributes, accessControl: { requiredScopes: [] } };
  };
  const options = { operations, operationIds: operationGraph.nodes(), ...(input !== undefined && { input }) };
  return validateWorkflow(template, options).map(toValidationError);
}

function toValidationError(problem: Problem): AnyValidationError {
  const { code, edge, message, node, path } = problem;
  if (code === "type-mismatch" && edge) {
    const { source: sourceKey, target: targetKey } = edge;
    return { type: "type-compat", sourceKey, targetKey, compatible: false, mismatches: problem.mismatches ?? [] };
  }
  if (code === "cycle") return { type: "graph", category: "cycle", details: message };
  if (code === "unknown-operation" || code === "unknown-reference") {
    return { type: "graph", category: "dangling-reference", details: `${path}: ${message}` };
  }
  return { type: "schema", nodeKey: node ?? "", field: path, message };
}

function callProblems(graph: CallGraph, key: string): GraphValidationError[] {
  const { parentRequestId: parent, status } = graph.getNodeAttributes(key);
  if (parent === undefined) return [];
  if (!graph.hasNode(parent)) {
    return [{
      type: "graph",
      category: "dangling-reference",
      details: `Parent "${parent}" of "${key}" is not in the graph`,
    }];
  }
  if (!graph.hasEdge(parent, key)) {
    return [{ type: "graph", category: "orphan-node", details: `"${key}" has no edge from its parent "${parent}"` }];
  }
  const parentStatus = graph.getNodeAttributes(parent).status;
  const open = status === "pending" || status === "running";
  if (!open || parentStatus === "pending" || parentStatus === "running") return [];
  const details = `"${key}" is ${status} under "${parent}", which is ${parentStatus}`;
  return [{ type: "graph", category: "status-inconsistency", details }];
}

/** A graph has one mode: its first node tells. */
function isCallGraph(graph: FlowGraph<object, EdgeBase>): graph is FlowGraph<CallNodeAttrs, CallEdge> {
  const [first] = graph.nodes();
  return first !== undefined && "requestId" in graph.getNodeAttributes(first);
}
