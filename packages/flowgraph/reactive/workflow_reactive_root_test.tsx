import assert from "node:assert/strict";
import { OperationType } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { effect } from "@preact/signals-core";
import { compile } from "../compile/compile.ts";
import { Conditional, Operation, Parallel, Sequential } from "../component/mod.ts";
import type { Template } from "../element.ts";
import { FlowGraph, type TemplateDAG } from "../graph/flow_graph.ts";
import { templateDag } from "../host/template_dag.ts";
import { ref } from "../reference.ts";
import type { CallEventMapValue } from "../schema/call_event.ts";
import { WorkflowReactiveRoot } from "./workflow_reactive_root.ts";

const timestamp = "2026-01-01T00:00:00.000Z";
let requests = 0;

function root(template: Template, failurePolicy?: "abort-dependents"): WorkflowReactiveRoot {
  return new WorkflowReactiveRoot(
    templateDag(compile({ name: "t", template })),
    failurePolicy ? { failurePolicy } : {},
  );
}

const op = (key: string, input?: ReturnType<typeof ref>): Template => (
  <Operation name={`x.${key}`} key={key} {...(input && { input })} />
);

function start(to: WorkflowReactiveRoot, key: string): string {
  const requestId = `r${requests++}`;
  to.nodeKeyToRequestId.set(key, requestId);
  to.append({ type: "call.requested", requestId, operationId: key, input: null, timestamp });
  return requestId;
}

function complete(to: WorkflowReactiveRoot, key: string, output: unknown = null): void {
  to.append({ type: "call.responded", requestId: start(to, key), output, timestamp });
}

function fail(to: WorkflowReactiveRoot, key: string): void {
  to.append({ type: "call.error", requestId: start(to, key), error: { code: "X", message: "no" }, timestamp });
}

function statuses(of: WorkflowReactiveRoot): Record<string, string> {
  return Object.fromEntries([...of.statusMap].map(([key, status]) => [key, status.value]));
}

Deno.test("WorkflowReactiveRoot makes a node ready when all before it are completed", () => {
  const it = root(
    <Sequential>
      {op("a")}
      <Parallel>{op("b")}{op("c")}</Parallel>
      {op("d")}
    </Sequential>,
  );
  assert.deepEqual(statuses(it), { a: "ready", b: "idle", c: "idle", d: "idle" });
  const seen: string[] = [];
  const stop = effect(() => void seen.push(it.statusMap.get("d")?.value ?? "gone"));
  complete(it, "a", 1);
  complete(it, "b");
  assert.deepEqual(statuses(it), { a: "completed", b: "completed", c: "ready", d: "waiting" });
  assert.equal(it.preconditions("d").value, false);
  complete(it, "c");
  complete(it, "d", 7);
  assert.deepEqual(seen, ["idle", "waiting", "ready", "running", "completed"]);
  assert.deepEqual([it.isComplete(), it.getAggregateStatus(), it.getResult("d")?.output], [true, "completed", 7]);
  stop();
});

Deno.test("WorkflowReactiveRoot aborts what depends on a failure, and lets siblings finish", () => {
  const it = root(
    <Sequential>
      <Parallel>{op("a")}{op("b")}</Parallel>
      {op("c")}
      {op("d")}
    </Sequential>,
  );
  const running = start(it, "b");
  fail(it, "a");
  assert.deepEqual(statuses(it), { a: "failed", b: "running", c: "aborted", d: "aborted" });
  assert.equal(it.blockedByFailure("c").value, true);
  it.append({ type: "call.responded", requestId: running, output: 1, timestamp });
  assert.deepEqual([it.getStatus("b"), it.getAggregateStatus()], ["completed", "failed"]);
});

Deno.test("WorkflowReactiveRoot gives dependents back when a retry begins, and ignores the earlier attempt", () => {
  const it = root(<Sequential>{op("a")}{op("b")}{op("c")}</Sequential>);
  const first = start(it, "a");
  const error: CallEventMapValue = {
    type: "call.error",
    requestId: first,
    error: { code: "X", message: "no" },
    timestamp,
  };
  it.append(error);
  it.append(error);
  assert.deepEqual(statuses(it), { a: "failed", b: "aborted", c: "aborted" });
  const second = start(it, "a");
  assert.deepEqual(statuses(it), { a: "running", b: "waiting", c: "idle" });
  it.append({ type: "call.aborted", requestId: first, timestamp });
  it.append({ type: "call.responded", requestId: second, output: 2, timestamp });
  assert.deepEqual(statuses(it), { a: "completed", b: "ready", c: "idle" });
  assert.deepEqual(it.getEvents("a").map(({ type }) => type), [
    "call.requested",
    "call.error",
    "call.requested",
    "call.aborted",
    "call.responded",
  ]);
});

Deno.test("WorkflowReactiveRoot routes by the test, a failed predecessor included", () => {
  const template = (
    <Sequential>
      {op("a")}
      <Conditional test="a" else={op("rescue")}>
        {op("then")}
        <Conditional when="nodes.then.big > 3">{op("big")}{op("bigger")}</Conditional>
      </Conditional>
      {op("end")}
    </Sequential>
  );
  const failed = root(template);
  fail(failed, "a");
  assert.deepEqual(statuses(failed), {
    a: "failed",
    then: "skipped",
    big: "skipped",
    bigger: "skipped",
    rescue: "ready",
    end: "waiting",
  });
  complete(failed, "rescue");
  assert.equal(failed.getStatus("end"), "ready");
  const fine = root(template);
  complete(fine, "a");
  complete(fine, "then", { big: 1 });
  assert.deepEqual(statuses(fine), {
    a: "completed",
    then: "completed",
    big: "skipped",
    bigger: "skipped",
    rescue: "skipped",
    end: "ready",
  });
});

Deno.test("WorkflowReactiveRoot aborts running dependents when the policy says so", () => {
  for (const policy of [undefined, "abort-dependents"] as const) {
    const it = root(<Sequential>{op("a")}{op("b")}{op("c")}</Sequential>, policy);
    complete(it, "a");
    start(it, "b");
    // Only a person can bring down a node that has completed; a retry that fails does.
    it.abortNode("b");
    assert.deepEqual(statuses(it), { a: "completed", b: "aborted", c: "aborted" });
    const other = root(<Parallel>{op("a")}{op("b", ref("a"))}</Parallel>, policy);
    start(other, "b");
    fail(other, "a");
    assert.equal(other.getStatus("b"), policy ? "aborted" : "running");
  }
});

Deno.test("abortAll() aborts everything that is not completed or failed", () => {
  const it = root(<Parallel>{op("a")}{op("b")}{op("c")}</Parallel>);
  complete(it, "a");
  fail(it, "b");
  it.abortAll();
  assert.deepEqual([statuses(it), it.isComplete()], [{ a: "completed", b: "failed", c: "aborted" }, true]);
});

Deno.test("render() projects the log on another graph and keeps events of nodes that are gone", () => {
  const it = root(<Sequential>{op("a")}{op("b")}</Sequential>);
  complete(it, "a");
  complete(it, "b");
  it.render(templateDag(compile({ name: "t", template: <Sequential>{op("a")}{op("new")}</Sequential> })));
  assert.deepEqual([statuses(it), it.getEvents("b").length], [{ a: "completed", new: "ready" }, 2]);
  it.dispose();
  assert.equal(it.statusMap.size, 0);
});

Deno.test("WorkflowReactiveRoot takes function conditions from the edges of a graph made by hand", () => {
  const node = {
    name: "n",
    namespace: "x",
    type: OperationType.QUERY,
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
  };
  const dag: TemplateDAG = new FlowGraph();
  for (const key of ["a", "yes", "no", "broken"]) dag.addNode(key, node);
  const condition = (results: Record<string, { output: unknown }>): boolean => results.a?.output === 1;
  dag.addEdge("a", "yes", { edgeType: "conditional", condition, dataFlow: true });
  dag.addEdge("a", "no", { edgeType: "conditional", condition, negated: true, dataFlow: true });
  dag.addEdge("a", "broken", { edgeType: "conditional", condition: "nodes.a.b.c", dataFlow: true });
  const it = new WorkflowReactiveRoot(dag);
  complete(it, "a", 1);
  assert.deepEqual(statuses(it), { a: "completed", yes: "ready", no: "skipped", broken: "failed" });
  assert.equal(it.getResult("broken")?.error?.code, "EXECUTION_ERROR");
});

Deno.test("WorkflowReactiveRoot survives a chain of 5,000 nodes, watched", () => {
  const it = root(<Sequential>{Array.from({ length: 5000 }, (_, i) => op(`k${i}`))}</Sequential>);
  let changes = 0;
  const stops = [...it.statusMap.values()].map((status) => effect(() => void (changes += status.value ? 1 : 0)));
  fail(it, "k0");
  assert.equal(it.getStatus("k4999"), "aborted");
  start(it, "k0");
  assert.equal(it.getStatus("k4999"), "idle");
  for (let i = 0; i < 5000; i++) complete(it, `k${i}`);
  assert.equal(it.isComplete(), true);
  assert(changes > 10_000);
  for (const stop of stops) stop();
});
