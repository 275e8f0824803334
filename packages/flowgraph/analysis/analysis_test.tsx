import assert from "node:assert/strict";
import { OperationType } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { Operation, Parallel, Sequential } from "../component/mod.ts";
import { type CallGraph, FlowGraph, type OperationGraph, type TemplateDAG } from "../graph/flow_graph.ts";
import { ref } from "../reference.ts";
import { buildTypeEdges, criticalPath, parallelGroups, reachableFrom, topologicalOrder } from "./graph_analysis.ts";
import { validate, validateGraph, validateTemplate } from "./validate_graph.ts";

const unknown = {
  name: "n",
  namespace: "x",
  type: OperationType.QUERY,
  inputSchema: Type.Unknown(),
  outputSchema: Type.Unknown(),
};

function diamond(): TemplateDAG {
  const graph: TemplateDAG = new FlowGraph();
  for (const key of ["a", "b", "c", "d", "e"]) graph.addNode(key, unknown);
  for (const [source, target] of ["ab", "ac", "cd", "be", "de"]) {
    graph.addEdge(source ?? "", target ?? "", { edgeType: "sequential" });
  }
  return graph;
}

Deno.test("parallelGroups(), topologicalOrder() and reachableFrom() follow the edges", () => {
  assert.deepEqual(parallelGroups(diamond()), [["a"], ["b", "c"], ["d"], ["e"]]);
  assert.deepEqual(topologicalOrder(diamond()), ["a", "b", "c", "d", "e"]);
  assert.deepEqual([...reachableFrom(diamond(), ["c"])].sort(), ["c", "d", "e"]);
});

Deno.test("criticalPath() is the longest path, by nodes or by weight", () => {
  assert.deepEqual(criticalPath(diamond()), ["a", "c", "d", "e"]);
  assert.deepEqual(criticalPath(diamond(), (key) => key === "b" ? 10 : 1), ["a", "b", "e"]);
  assert.deepEqual(criticalPath(new FlowGraph()), []);
});

Deno.test("validateGraph() and validate() tell calls out of step with their parents, and wrong attributes", () => {
  const graph: CallGraph = new FlowGraph();
  const call = { operationId: "x.a", input: null };
  graph.addCall({ ...call, requestId: "late", parentRequestId: "p", status: "pending" });
  graph.addCall({ ...call, requestId: "p", status: "completed" });
  graph.addCall({ ...call, requestId: "open", parentRequestId: "p", status: "running" });
  graph.addCall({ ...call, requestId: "lost", parentRequestId: "nobody", status: "completed" });
  assert.deepEqual(validateGraph(graph).map(({ category }) => category), [
    "orphan-node",
    "status-inconsistency",
    "dangling-reference",
  ]);
  graph.updateCall("p", { startedAt: JSON.parse("7") });
  const [first] = validate(graph);
  assert(first?.type === "schema");
  assert.deepEqual([first.nodeKey, first.field], ["p", "startedAt"]);
});

Deno.test("validateTemplate() finds unknown operations, cycles and data flow that does not fit", () => {
  const graph: OperationGraph = new FlowGraph();
  const text = Type.Object({ text: Type.String() });
  graph.addNode("x.text", { ...unknown, name: "text", outputSchema: text });
  graph.addNode("x.count", { ...unknown, name: "count", inputSchema: Type.Object({ n: Type.Number() }) });
  buildTypeEdges(graph);
  assert.equal(graph.getEdgeAttributes("x.text", "x.count").compatible, false);
  const found = validateTemplate({
    name: "t",
    template: (
      <Parallel>
        <Sequential>
          <Operation name="x.text" key="a" />
          <Operation name="x.count" key="b" input={{ n: ref("a").text }} />
        </Sequential>
        <Operation name="x.nope" key="c" input={ref("d")} />
        <Operation name="x.text" key="d" input={ref("c")} />
      </Parallel>
    ),
  }, graph);
  assert.deepEqual(found.map((error) => error.type === "graph" ? error.category : error.type), [
    "cycle",
    "type-compat",
    "dangling-reference",
  ]);
  assert.deepEqual(found[1], {
    type: "type-compat",
    sourceKey: "a",
    targetKey: "b",
    compatible: false,
    mismatches: [{ path: "", expected: "number", actual: "string" }],
  });
});
