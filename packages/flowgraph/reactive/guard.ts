import { compileExpression } from "../expression/compile_expression.ts";
import type { TemplateDAG } from "../graph/flow_graph.ts";
import type { CallResult } from "../schema/attributes.ts";

/** A test that must come out one way for a node to run. */
export interface Guard {
  /** Guards of one Conditional share it, so that the test is made once. */
  readonly id: string;
  /** CEL, a node's key, an operation's id, or a function of the results. */
  readonly condition: unknown;
  readonly negated: boolean;
}

/** The guards of a node: its own, outermost first, if the renderer wrote them; else those of its conditional edges. */
export function guardsOf(dag: TemplateDAG, key: string): readonly Guard[] {
  const attributes = dag.getNodeAttributes(key);
  if ("guards" in attributes && Array.isArray(attributes.guards)) return attributes.guards.filter(isGuard);
  const guards: Guard[] = [];
  for (const source of dag.predecessors(key)) {
    const { edgeType, condition, negated = false } = dag.getEdgeAttributes(source, key);
    if (edgeType !== "conditional" || condition === undefined) continue;
    if (guards.some((guard) => guard.condition === condition && guard.negated === negated)) continue;
    guards.push({ id: `${key}#${guards.length}`, condition, negated });
  }
  return guards;
}

/** What a test says of the results so far. @throws what the function or expression throws */
export function test(condition: unknown, dag: TemplateDAG, results: Readonly<Record<string, CallResult>>): boolean {
  if (typeof condition === "function") return Boolean(condition(results));
  if (typeof condition !== "string") return Boolean(condition);
  if (dag.hasNode(condition)) return results[condition]?.status === "completed";
  const named = dag.nodes().filter((key) => {
    const { namespace, name } = dag.getNodeAttributes(key);
    return `${namespace}.${name}` === condition;
  });
  if (named.length > 0) return named.some((key) => results[key]?.status === "completed");
  return compileExpression(condition).evaluate(scopeOf(results)) === true;
}

function scopeOf(results: Readonly<Record<string, CallResult>>): Record<string, Record<string, unknown>> {
  const scope = { nodes: record(), status: record(), errors: record() };
  for (const [key, { status, output, error }] of Object.entries(results)) {
    scope.nodes[key] = output ?? null;
    scope.status[key] = status;
    scope.errors[key] = error ?? null;
  }
  return scope;
}

function record(): Record<string, unknown> {
  return {};
}

function isGuard(value: unknown): value is Guard {
  return typeof value === "object" && value !== null && "id" in value && "condition" in value && "negated" in value;
}
