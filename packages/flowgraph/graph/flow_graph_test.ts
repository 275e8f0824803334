import assert from "node:assert/strict";
import { OperationType } from "@alkdev/operations";
import type { OperationSpec } from "@alkdev/operations";
import { type TSchema, Type } from "@alkdev/typebox";
import {
  CycleError,
  DuplicateEdgeError,
  DuplicateNodeError,
  InvalidInputError,
  NodeNotFoundError,
} from "../error/construction_error.ts";
import { InvalidTransitionError } from "../error/invalid_transition_error.ts";
import type { CallEventMapValue } from "../schema/call_event.ts";
import { type CallGraph, FlowGraph, type TemplateDAG } from "./flow_graph.ts";

function spec(name: string, inputSchema: TSchema, outputSchema: TSchema): OperationSpec {
  return {
    namespace: "x",
    name,
    version: "1.0.0",
    type: OperationType.QUERY,
    description: name,
    inputSchema,
    outputSchema,
    accessControl: { requiredScopes: [] },
  };
}

function calls(): CallGraph {
  const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
  const events: CallEventMapValue[] = [
    { type: "call.requested", requestId: "r", operationId: "x.root", input: 1, timestamp: at(0) },
    { type: "call.requested", requestId: "a", operationId: "x.a", input: 2, parentRequestId: "r", timestamp: at(1) },
    { type: "call.requested", requestId: "b", operationId: "x.b", input: 3, parentRequestId: "a", timestamp: at(2) },
    { type: "call.error", requestId: "b", error: { code: "TIMEOUT", message: "late" }, timestamp: at(3) },
    { type: "call.responded", requestId: "a", output: 7, timestamp: at(4) },
    { type: "call.completed", requestId: "a", timestamp: at(5) },
    { type: "call.aborted", requestId: "nobody", timestamp: at(5) },
  ];
  return FlowGraph.fromCallEvents([...events, ...events]);
}

Deno.test("FlowGraph.fromCallEvents() makes the call tree, each event applied once", () => {
  const graph = calls();
  assert.deepEqual([graph.order, graph.size], [3, 2]);
  assert.deepEqual(graph.nodes().map((key) => graph.getNodeAttributes(key).status), ["pending", "completed", "failed"]);
  assert.deepEqual(graph.getNodeAttributes("b").error, { code: "TIMEOUT", message: "late" });
  assert.deepEqual([graph.duration("a"), graph.duration("r")], [3000, null]);
  assert.deepEqual([graph.lineage("b"), graph.children("r"), graph.getRoots()], [["r", "a", "b"], ["a"], ["r"]]);
  assert.deepEqual(graph.filterByStatus("failed"), ["b"]);
  assert.equal(graph.edges()[0]?.key, "r->a");
});

Deno.test("updateStatus() allows only the call's legal moves", () => {
  const graph = calls();
  assert.throws(() => graph.updateStatus("r", "completed"), InvalidTransitionError);
  graph.updateStatus("r", "running");
  graph.updateStatus("r", "completed", { output: 1 });
  assert.equal(graph.getNodeAttributes("r").output, 1);
  assert.throws(() => graph.updateStatus("r", "aborted"), /cannot go from "completed" to "aborted"/);
  graph.updateCall("r", { output: 2 });
  graph.removeCall("a");
  assert.deepEqual([graph.order, graph.size], [2, 0]);
});

Deno.test("addEdge() refuses duplicates, strangers and cycles, and leaves the graph as it was", () => {
  const graph: TemplateDAG = new FlowGraph();
  const node = {
    name: "n",
    namespace: "x",
    type: OperationType.QUERY,
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
  };
  for (const key of ["a", "b", "c"]) graph.addNode(key, node);
  graph.addEdge("a", "b", { edgeType: "sequential" });
  graph.addEdge("b", "c", { edgeType: "sequential" });
  assert.throws(() => graph.addNode("a", node), DuplicateNodeError);
  assert.throws(() => graph.addEdge("a", "b", { edgeType: "sequential" }), DuplicateEdgeError);
  assert.throws(() => graph.addEdge("a", "d", { edgeType: "sequential" }), NodeNotFoundError);
  assert.throws(() => graph.addEdge("a", "a", { edgeType: "sequential" }), CycleError);
  assert.throws(() => graph.addEdge("c", "a", { edgeType: "sequential" }), (error) => {
    assert(error instanceof CycleError);
    assert.deepEqual(error.cycles, [["c", "a", "b"]]);
    return true;
  });
  assert.deepEqual([graph.size, graph.hasCycles(), graph.topologicalOrder()], [2, false, ["a", "b", "c"]]);
  assert.deepEqual([graph.ancestors("c").sort(), graph.descendants("a")], [["a", "b"], ["b", "c"]]);
});

Deno.test("fromJSON() gives the same graph back, and refuses cycles and other data", () => {
  const graph = calls();
  graph.addDependency("r", "b");
  assert.equal(graph.edges()[2]?.key, "r->b:depends_on");
  const json = JSON.parse(JSON.stringify(graph));
  assert.deepEqual(JSON.parse(JSON.stringify(FlowGraph.fromJSON(json))), json);
  json.edges.push({ source: "b", target: "r", attributes: { edgeType: "triggered" } });
  assert.throws(() => FlowGraph.fromJSON(json), CycleError);
  assert.throws(() => FlowGraph.fromJSON(JSON.parse('{"nodes":[{}],"edges":[]}')), InvalidInputError);
});

Deno.test("fromSpecs() adds an edge wherever schemas are known, and only fitting ones connect", () => {
  const text = Type.Object({ text: Type.String() });
  const count = Type.Object({ count: Type.Number() });
  const graph = FlowGraph.fromSpecs([
    spec("read", Type.Object({ path: Type.String() }), text),
    spec("count", text, count),
    spec("any", Type.Unknown(), Type.Unknown()),
  ]);
  assert.deepEqual(graph.edges().map(({ key, attributes }) => [key, attributes.compatible]), [
    ["x.read->x.count", true],
    ["x.count->x.read", false],
  ]);
  assert.deepEqual([graph.topologicalOrder(), graph.successors("x.count")], [["x.read", "x.any", "x.count"], []]);
});

Deno.test("fromSpecs() throws or skips when fitting operations form a cycle", () => {
  const text = Type.Object({ text: Type.String() });
  const specs = [spec("up", text, text), spec("down", text, text)];
  assert.throws(() => FlowGraph.fromSpecs(specs), CycleError);
  assert.deepEqual(FlowGraph.fromSpecs(specs, { onCycle: "skip" }).edges().map(({ key }) => key), ["x.up->x.down"]);
});
