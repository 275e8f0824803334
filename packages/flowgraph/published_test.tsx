/**
 * What the published package promises, by the sections of its reference (6.2 to 6.18), where no test beside the code says it.
 * Where the reference is silent or at odds with itself: docs/decisions/0021-published-packages.md.
 */
import assert from "node:assert/strict";
import { type CallEventMap, type OperationSpec, OperationType, PendingRequestMap } from "@alkdev/operations";
import { createPubSub } from "@alkdev/pubsub";
import { type TSchema, Type } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";
import { buildTypeEdges, criticalPath, topologicalOrder, validateTemplate } from "./analysis/mod.ts";
import { Conditional, Map as MapOver, Operation, Parallel, Sequential } from "./component/mod.ts";
import {
  ConstructionError,
  CycleError,
  DuplicateEdgeError,
  DuplicateNodeError,
  FlowgraphError,
  InvalidInputError,
  InvalidTransitionError,
  NodeNotFoundError,
} from "./error/mod.ts";
import { bridgeCallEvent, type CallGraph, FlowGraph, type OperationGraph, type TemplateDAG } from "./graph/mod.ts";
import { createRoot, GraphologyHostConfig, ReactiveHostConfig } from "./host/mod.ts";
import { WorkflowReactiveRoot } from "./reactive/mod.ts";
import {
  type CallEventMapValue,
  CallNodeAttrs,
  CallResultSchema,
  CallStatus,
  EdgeType,
  NodeStatus,
  OperationNodeAttrs,
  SerializedGraph,
  TemplateEdgeAttrs,
} from "./schema/mod.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const requested = (requestId: string, operationId = "a.b", parentRequestId?: string): CallEventMapValue => ({
  type: "call.requested",
  requestId,
  operationId,
  input: null,
  ...(parentRequestId !== undefined && { parentRequestId }),
  timestamp: at(0),
});

function spec(
  id: string,
  inputSchema: TSchema = Type.Object({}),
  outputSchema: TSchema = Type.Object({}),
): OperationSpec {
  const [namespace = "", name = ""] = id.split(".");
  const accessControl = { requiredScopes: [] };
  const type = OperationType.QUERY;
  return { namespace, name, version: "1.0.0", type, description: "", inputSchema, outputSchema, accessControl };
}

Deno.test("6.2: the enums have the published values", () => {
  assert.deepEqual(Object.values(CallStatus), ["pending", "running", "completed", "failed", "aborted"]);
  const nodes = ["idle", "waiting", "ready", "running", "completed", "failed", "aborted", "skipped"];
  assert.deepEqual(Object.values(NodeStatus), nodes);
  assert.deepEqual(Object.values(EdgeType), ["triggered", "depends_on", "typed", "sequential", "conditional"]);
});

Deno.test("6.3: attributes have the published fields, and every edge its edgeType beside its own", () => {
  const call = { requestId: "r", operationId: "a.b", status: "pending", input: 1 };
  assert.ok(Value.Check(CallNodeAttrs, call));
  for (const field of ["requestId", "operationId", "status"]) {
    assert.ok(!Value.Check(CallNodeAttrs, { ...call, [field]: undefined }), field);
  }
  const { type, inputSchema, outputSchema } = spec("a.b");
  assert.ok(Value.Check(OperationNodeAttrs, { name: "b", namespace: "a", type, inputSchema, outputSchema }));
  assert.ok(Value.Check(TemplateEdgeAttrs, { edgeType: "conditional", condition: "x", negated: true }));
  assert.ok(!Value.Check(TemplateEdgeAttrs, { edgeType: "typed" }));
  assert.ok(Value.Check(CallResultSchema, { status: "failed", output: null, error: { code: "A", message: "b" } }));
  const graph = FlowGraph.fromCallEvents([requested("p"), requested("c", "a.b", "p")]);
  assert.deepEqual(graph.getEdgeAttributes("p", "c"), { edgeType: "triggered" });
});

Deno.test("6.3: a graph is serialised in graphology's shape, and the factory makes its schema", () => {
  const graph = FlowGraph.fromCallEvents([requested("p"), requested("c", "a.b", "p"), requested("d")]);
  graph.addDependency("c", "d");
  const json = JSON.parse(JSON.stringify(graph));
  assert.deepEqual(json, JSON.parse(JSON.stringify(graph.export())));
  assert.deepEqual(json.options, { type: "directed", multi: false, allowSelfLoops: false });
  assert.deepEqual(json.edges.map(({ key }: { key: string }) => key), ["p->c", "c->d:depends_on"]);
  const schema = SerializedGraph(CallNodeAttrs, Type.Object({ edgeType: Type.String() }), Type.Object({}));
  assert.ok(Value.Check(schema, json));
  assert.ok(!Value.Check(schema, { ...json, options: { ...json.options, multi: true } }));
  assert.deepEqual(JSON.parse(JSON.stringify(FlowGraph.fromJSON(graph.toJSON()))), JSON.parse(JSON.stringify(graph)));
});

Deno.test("6.4: bridgeCallEvent() turns what a PendingRequestMap publishes into what a call graph takes", async () => {
  const eventTarget = new EventTarget();
  const [calls, pubsub] = [new PendingRequestMap(eventTarget), createPubSub<CallEventMap>({ eventTarget })];
  const graph: CallGraph = new FlowGraph();
  const types = ["call.requested", "call.responded", "call.error", "call.aborted", "call.completed"] as const;
  const seen: CallEventMapValue[] = [];
  for (const type of types) {
    eventTarget.addEventListener(`${type}:`, (event) => {
      assert.ok(event instanceof CustomEvent);
      const bridged = bridgeCallEvent(event.detail, at(seen.length));
      seen.push(bridged);
      graph.updateFromEvent(bridged);
    });
  }
  const answered = calls.call("a.b", 1);
  const [first] = graph.nodes();
  assert.ok(first !== undefined);
  const output = { data: { n: 2 }, meta: { source: "local", operationId: "a.b", timestamp: 0 } } as const;
  calls.respond(first, output);
  await answered;
  const failed = calls.call("a.c", 1, { parentRequestId: first });
  const second = graph.children(first)[0] ?? assert.fail("no child");
  calls.emitError(second, "BUSY", "Later", { afterMs: 5 });
  await assert.rejects(failed, { code: "BUSY" });
  calls.complete("unknown");
  pubsub.publish("call.aborted", "", { requestId: "unknown" });
  assert.deepEqual(graph.getNodeAttributes(first).output, { n: 2 });
  const { status, error, startedAt, completedAt } = graph.getNodeAttributes(second);
  assert.deepEqual([status, error], ["failed", { code: "BUSY", message: "Later", details: { afterMs: 5 } }]);
  assert.deepEqual([startedAt, completedAt], [at(2), at(3)]);
  assert.deepEqual(seen.slice(-2), [
    { type: "call.completed", requestId: "unknown", timestamp: at(4) },
    { type: "call.aborted", requestId: "unknown", timestamp: at(5) },
  ]);
  assert.deepEqual(graph.nodes(), [first, second]);
});

Deno.test("6.5: events drive calls, ends of unknown ones are passed over, updateStatus() is strict", () => {
  const graph = FlowGraph.fromCallEvents([
    requested("r", "no.such"),
    requested("k", "a.b", "r"),
    { type: "call.responded", requestId: "k", output: 3, timestamp: at(2) },
    { type: "call.completed", requestId: "k", timestamp: at(9) },
    { type: "call.error", requestId: "stranger", error: { code: "X", message: "" }, timestamp: at(1) },
    { type: "call.aborted", requestId: "r", timestamp: at(4) },
  ]);
  assert.deepEqual(graph.nodes(), ["r", "k"]);
  const k = graph.getNodeAttributes("k");
  assert.deepEqual([k.status, k.output, k.completedAt], ["completed", 3, at(2)]);
  assert.equal(graph.getNodeAttributes("r").status, "aborted");
  assert.deepEqual([graph.duration("r"), graph.lineage("k"), graph.getRoots()], [4_000, ["r", "k"], ["r"]]);
  assert.deepEqual(graph.filterByStatus("completed"), ["k"]);
  graph.addCall({ requestId: "n", operationId: "a.b", status: "pending", input: null });
  assert.equal(graph.duration("n"), null);
  assert.throws(() => graph.updateStatus("n", "completed"), InvalidTransitionError);
  graph.updateStatus("n", "running");
  graph.updateStatus("n", "failed", { error: { code: "X", message: "" } });
  for (const status of Object.values(CallStatus)) {
    assert.throws(() => graph.updateStatus("n", status), { requestId: "n", from: "failed", to: status });
  }
  graph.updateCall("n", { output: 1 });
  graph.removeCall("n");
  assert.ok(!graph.hasNode("n"));
});

Deno.test("6.6: errors have the published family, and construction throws them", () => {
  const graph: CallGraph = new FlowGraph();
  const node = (requestId: string) => ({ requestId, operationId: "a.b", status: "pending", input: null } as const);
  graph.addCall(node("a"));
  graph.addCall(node("b"));
  graph.addDependency("a", "b");
  assert.throws(() => graph.addCall(node("a")), DuplicateNodeError);
  assert.throws(() => graph.addDependency("a", "b"), DuplicateEdgeError);
  assert.throws(() => graph.addDependency("a", "x"), NodeNotFoundError);
  assert.throws(() => graph.addDependency("b", "a"), CycleError);
  assert.throws(() => FlowGraph.fromJSON(JSON.parse("{}")), InvalidInputError);
  for (const kind of [DuplicateNodeError, DuplicateEdgeError, NodeNotFoundError, CycleError, InvalidInputError]) {
    assert.ok(kind.prototype instanceof ConstructionError, kind.name);
  }
  assert.ok(ConstructionError.prototype instanceof FlowgraphError);
  assert.ok(InvalidTransitionError.prototype instanceof FlowgraphError);
  assert.ok(!(InvalidTransitionError.prototype instanceof ConstructionError));
});

Deno.test("6.7: type edges join what fits, note what does not, and pass over what is unknown", () => {
  const n = Type.Object({ n: Type.Number() });
  const specs = [
    spec("a.give", Type.Object({}), Type.Object({ n: Type.Number(), more: Type.String() })),
    spec("a.take", n, Type.Null()),
    spec("a.text", Type.Object({ n: Type.String() }), Type.Null()),
    { ...spec("a.any"), inputSchema: Type.Unknown(), outputSchema: Type.Unknown() },
  ];
  const graph: OperationGraph = new FlowGraph();
  for (const one of specs) graph.addOperation(one);
  buildTypeEdges(graph);
  assert.equal(graph.getEdgeAttributes("a.give", "a.take").compatible, true);
  const bad = graph.getEdgeAttributes("a.give", "a.text");
  assert.deepEqual([bad.compatible, bad.mismatches?.map(({ path }) => path)], [false, ["/n"]]);
  for (const key of ["a.give", "a.take", "a.text"]) {
    assert.ok(!graph.hasEdge("a.any", key) && !graph.hasEdge(key, "a.any"), key);
  }
  assert.ok(topologicalOrder(graph).indexOf("a.give") < topologicalOrder(graph).indexOf("a.take"));
  assert.ok(criticalPath(graph).length >= 2);
});

Deno.test("6.8, 6.9: components make elements of their names, and a DAG of operations alone", () => {
  const template = (
    <Sequential>
      <Operation name="a.first" key="first" />
      <Parallel>
        <Operation name="a.left" key="left" />
        <Operation name="a.right" key="right" />
      </Parallel>
      <Conditional test="a.first" else={<Operation name="a.no" key="no" />}>
        <Operation name="a.yes" key="yes" />
      </Conditional>
      <Operation name="a.last" key="last" />
    </Sequential>
  );
  const { graph } = createRoot(GraphologyHostConfig, {}).render(template);
  assert.deepEqual(graph.nodes().sort(), ["first", "last", "left", "no", "right", "yes"]);
  assert.ok(!graph.hasEdge("left", "right") && !graph.hasEdge("right", "left"));
  for (const branch of ["left", "right"]) {
    const { edgeType, dataFlow = false } = graph.getEdgeAttributes("first", branch);
    assert.deepEqual([edgeType, dataFlow], ["sequential", false]);
    const yes = graph.getEdgeAttributes(branch, "yes");
    const no = graph.getEdgeAttributes(branch, "no");
    assert.deepEqual([yes.edgeType, yes.negated ?? false, yes.dataFlow], ["conditional", false, true]);
    assert.deepEqual([no.edgeType, no.negated, no.dataFlow], ["conditional", true, true]);
    // A string test is written as the expression that it stands for.
    const condition = 'status.first == "completed"';
    assert.deepEqual([yes.condition, no.condition], [condition, condition]);
  }
  assert.ok(graph.hasEdge("yes", "last") && graph.hasEdge("no", "last"));
});

/** A root, its nodes' statuses, and a coordinator's two moves. */
function started(dag: TemplateDAG, failurePolicy: "continue-running" | "abort-dependents" = "continue-running") {
  const root = new WorkflowReactiveRoot(dag, { failurePolicy });
  let count = 0;
  const call = (key: string) => {
    const requestId = `${key}-${++count}`;
    root.nodeKeyToRequestId.set(key, requestId);
    root.append({ ...requested(requestId), timestamp: at(count) });
    return requestId;
  };
  const respond = (key: string, output: unknown = null, requestId = call(key)) =>
    root.append({ type: "call.responded", requestId, output, timestamp: at(++count) });
  const fail = (key: string, requestId = call(key)) =>
    root.append({ type: "call.error", requestId, error: { code: "X", message: "" }, timestamp: at(++count) });
  const statuses = () => Object.fromEntries([...root.statusMap].map(([key, { value }]) => [key, value]));
  return { root, call, respond, fail, statuses };
}

const dagOf = (template: Parameters<ReturnType<typeof createRoot>["render"]>[0]): TemplateDAG =>
  createRoot(GraphologyHostConfig, {}).render(template).graph;

Deno.test("6.13: a failure follows edges: siblings go on, the join is aborted", () => {
  const { respond, fail, statuses, root } = started(dagOf(
    <Sequential>
      <Parallel>
        <Operation name="a.left" key="left" />
        <Operation name="a.right" key="right" />
      </Parallel>
      <Operation name="a.join" key="join" />
    </Sequential>,
  ));
  fail("left");
  assert.deepEqual(statuses(), { left: "failed", right: "ready", join: "aborted" });
  respond("right", 1);
  assert.deepEqual(statuses(), { left: "failed", right: "completed", join: "aborted" });
  assert.deepEqual([root.isComplete(), root.getAggregateStatus()], [true, "failed"]);
});

Deno.test("6.13: a Conditional is an error boundary, and what it skips satisfies", () => {
  const { fail, respond, statuses } = started(dagOf(
    <Sequential>
      <Operation name="a.try" key="try" />
      <Conditional test="try" else={<Operation name="a.mend" key="mend" />}>
        <Operation name="a.use" key="use" />
      </Conditional>
      <Operation name="a.last" key="last" />
    </Sequential>,
  ));
  fail("try");
  assert.deepEqual(statuses(), { try: "failed", use: "skipped", mend: "ready", last: "waiting" });
  respond("mend");
  assert.equal(statuses()["last"], "ready");
});

Deno.test("6.16: a retry is a new request of the same node, and status and result follow the latest", () => {
  const { root, call, fail, respond } = started(dagOf(<Operation name="a.b" key="n" />));
  const first = call("n");
  fail("n", first);
  assert.equal(root.getStatus("n"), "failed");
  const second = call("n");
  assert.equal(root.getStatus("n"), "running");
  respond("n", 7, second);
  const late: CallEventMapValue = { type: "call.responded", requestId: first, output: 1, timestamp: at(50) };
  root.append(late);
  root.append(late);
  assert.deepEqual(root.getResult("n"), { status: "completed", output: 7 });
  assert.deepEqual(root.getEvents("n").map(({ type, requestId }) => `${type} ${requestId}`), [
    `call.requested ${first}`,
    `call.error ${first}`,
    `call.requested ${second}`,
    `call.responded ${second}`,
    `call.responded ${first}`,
  ]);
});

Deno.test("6.17: a rendered node's status is the root's own signal", () => {
  const ctx = createRoot(ReactiveHostConfig, {}).render(
    <Parallel>
      <Operation name="a.b" key="n" />
    </Parallel>,
  );
  const node = ctx.nodes.get("n");
  assert.ok(node !== undefined);
  assert.equal(node.status, ctx.statusSignals.get("n"));
  assert.equal(node.operationId, "a.b");
});

Deno.test("6.18: the phases: operations, template, validation against them", () => {
  const graph = FlowGraph.fromSpecs([
    spec("a.give", Type.Object({}), Type.Array(Type.Number())),
    spec("a.take", Type.Object({ n: Type.String() })),
  ]);
  const template = (
    <Sequential>
      <Operation name="a.give" key="give" />
      <MapOver over={[1]} as="n">
        <Operation name="a.other" key="other" />
      </MapOver>
    </Sequential>
  );
  const found = validateTemplate({ name: "t", template }, graph);
  assert.deepEqual(found.map(({ type }) => type), ["graph"]);
  assert.match(JSON.stringify(found), /dangling-reference.*a\.other/);
});
