import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import {
  compileProgram,
  foldRun,
  InvalidPlaces,
  keptNodes,
  markFrom,
  type NodeReused,
  reusedResults,
  type RunState,
} from "../mod.ts";
import { full, map, op, par, seq, TestEngine, type Tree, when } from "../testing/test_engine.ts";
import { compile } from "@alkdev/flowgraph";

function stateOf(t: TestEngine, runId: string): RunState {
  const events = t.events(runId);
  const created = events[0];
  assert.equal(created?.type, "run.created");
  return foldRun(compileProgram(t.store.plans.get(created.planHash)!), events);
}

/** What a fork from these keys takes over. */
function reuse(t: TestEngine, runId: string, from: readonly string[] = []): readonly NodeReused[] {
  const state = stateOf(t, runId);
  const invalid = new InvalidPlaces(state);
  invalid.addUnfinished();
  for (const key of from) markFrom(state, invalid, key, "/from/0");
  return reusedResults(state, { runId, invalid });
}

const keys = (results: readonly NodeReused[]): string[] => results.map(({ key }) => key).sort();

/** Starts a run that takes over `results`. */
async function startWith(t: TestEngine, tree: Tree, results: readonly NodeReused[], input: Json = {}): Promise<string> {
  const { plan, functions } = compile({ name: "test", template: full(tree) as object }, input);
  const { runId } = await t.engine.start({
    workflow: "test",
    version: "v1",
    planHash: JSON.stringify(plan),
    plan,
    functions,
    input,
    caller: { identity: { id: "someone", scopes: [] }, orgId: "default" },
    lineage: { runId: "before", kind: "fork", from: null },
    reuse: results,
  });
  return runId;
}

const calledSince = (t: TestEngine, from: number): string[] => t.calls.slice(from).map(({ nodeKey }) => nodeKey).sort();
const ref = (text: string): Json => ({ $ref: text });

Deno.test("reusedResults() leaves out the node named and all that comes after, and nothing beside it", async () => {
  const t = new TestEngine();
  const tree = seq(op("a", { input: 1 }), par([op("b", { input: ref("nodes.a") }), op("c", { input: 3 })]), op("d"));
  await t.run(tree);
  assert.deepEqual(keys(reuse(t, "run-1-1", ["b"])), ["a", "c"]);
  assert.deepEqual(keys(reuse(t, "run-1-1", ["a"])), []);
  assert.deepEqual(keys(reuse(t, "run-1-1")), ["a", "b", "c", "d"]);
});

Deno.test("InvalidPlaces marks one Map item and what follows the Map, not the other items", async () => {
  const t = new TestEngine();
  const tree = seq(
    op("list", { input: [1, 2, 3] }),
    map(
      { key: "each", over: ref("nodes.list") },
      seq(op("x", { input: ref("item") }), op("y", { input: ref("nodes.x") })),
    ),
    op("sum", { input: ref("nodes.y") }),
  );
  await t.run(tree);
  const all = ["list", "sum", "x[0]", "x[1]", "x[2]", "y[0]", "y[1]", "y[2]"];
  const without = (...gone: string[]) => all.filter((key) => !gone.includes(key));
  assert.deepEqual(keys(reuse(t, "run-1-1", ["y[1]"])), without("y[1]", "sum"));
  assert.deepEqual(keys(reuse(t, "run-1-1", ["each[1]"])), without("x[1]", "y[1]", "sum"));
  assert.deepEqual(keys(reuse(t, "run-1-1", ["x"])), ["list"]);
  assert.deepEqual(keys(reuse(t, "run-1-1", ["each"])), ["list"]);
});

Deno.test("InvalidPlaces marks later turns of a Loop, not earlier ones", async () => {
  const t = new TestEngine();
  const tree = seq(
    {
      type: "loop",
      props: { key: "again", while: "true", maxIterations: 3, as: "i" },
      children: [op("x", { input: ref("i") })],
    },
    op("end"),
  );
  await t.run(tree);
  assert.deepEqual(keys(reuse(t, "run-1-1", ["x[1]"])), ["x[0]"]);
  assert.deepEqual(keys(reuse(t, "run-1-1", ["again[2]"])), ["x[0]", "x[1]"]);
});

Deno.test("InvalidPlaces keeps what follows a Race when only a loser is unfinished, and reruns the Race when one is named", async () => {
  const t = new TestEngine();
  t.handlers.set(
    "t.hang",
    (call) => new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(new Error("gone")))),
  );
  const tree = seq({ type: "race", children: [op("slow", {}, "hang"), op("quick", { input: 1 })] }, op("end"));
  await t.run(tree);
  assert.deepEqual(keys(reuse(t, "run-1-1")), ["end", "quick"]);
  assert.deepEqual(keys(reuse(t, "run-1-1", ["slow"])), []);
});

Deno.test("validLeaves() leaves out what a branch had done before it lost its Race, unless the Race runs again", async () => {
  const t = new TestEngine();
  t.handlers.set("t.hang", () => new Promise(() => {}));
  t.handlers.set("t.later", async () => {
    await t.settle();
    return 1;
  });
  const loser = seq(op("done"), op("hangs", {}, "hang"));
  await t.run(seq({ type: "race", children: [loser, op("wins", {}, "later")] }, op("end")));
  assert.deepEqual(keys(reuse(t, "run-1-1")), ["end", "wins"]);
  assert.deepEqual(keys(reuse(t, "run-1-1", ["wins"])), ["done"]);
});

Deno.test("markFrom() tells an unknown node with a suggestion, and an item that is not there", async () => {
  const t = new TestEngine();
  await t.run(map({ key: "each", over: [1, 2] }, op("measure", { input: ref("item") })));
  const fails = (key: string, message: RegExp) =>
    assert.throws(
      () => reuse(t, "run-1-1", [key]),
      (error) => error instanceof CallError && error.code === "VALIDATION_ERROR" && message.test(error.message),
    );
  fails("mesure", /did you mean "measure"/);
  fails("measure[2]", /"each" has 2 items/);
  fails("measure[0][1]", /1 Maps or Loops/);
  fails("measure[x]", /no node "measure\[x\]"/);
});

Deno.test("a run reuses what it is given in its first commit, and runs only the rest", async () => {
  const t = new TestEngine();
  let failing = true;
  t.handlers.set("t.shaky", (call) => {
    if (failing && call.nodeKey === "y[1]") throw new CallError("BROKEN", "not yet");
    return call.input;
  });
  const tree = seq(
    op("list", { input: [1, 2, 3] }),
    map(
      { key: "each", over: ref("nodes.list") },
      seq(op("x", { input: ref("item") }), op("y", { input: ref("nodes.x") }, "shaky")),
    ),
    when({ when: "size(nodes.y) == 3" }, op("sum", { input: ref("nodes.y") })),
  );
  const first = await t.run(tree);
  assert.equal(first.type, "run.failed");
  failing = false;
  const before = t.calls.length;
  const runId = await startWith(t, tree, reuse(t, "run-1-1"));
  const end = await t.end(runId);
  assert.equal(end.type === "run.completed" && JSON.stringify(end.output), "[1,2,3]");
  assert.deepEqual(calledSince(t, before), ["sum", "y[1]"]);
  assert.equal(t.events("run-1-1").at(-1), first);
  const types = t.events(runId).map(({ type }) => type);
  assert.equal(types.lastIndexOf("node.reused"), 6); // list, x 3, y 2: right behind run.created
  const state = stateOf(t, runId);
  assert.equal(state.offers, null);
});

Deno.test("a run uses an offer when a limited Parallel or Map gets to it, also after another took the run over", async () => {
  const t = new TestEngine();
  const tree = seq(
    op("first", { input: 0 }),
    par([op("a", { input: 1 }), op("b", { input: 2 }), op("c", { input: 3 })], { maxConcurrency: 1 }),
    map({ key: "each", over: [1, 2, 3], maxConcurrency: 1 }, op("x", { input: ref("item") })),
    op("end"),
  );
  await t.run(tree);
  const offers = reuse(t, "run-1-1", ["first"]);
  assert.deepEqual(offers, []); // all comes after it
  const all = reuse(t, "run-1-1").filter(({ key }) => !["first", "b", "x[1]", "end"].includes(key));
  const held: (() => void)[] = [];
  t.handlers.set(
    "t.step",
    (call) => call.nodeKey === "first" ? new Promise((resolve) => held.push(() => resolve(0))) : call.input,
  );
  const runId = await startWith(t, tree, all);
  await t.settle();
  const next = new TestEngine({ store: t.store, clock: t.clock });
  assert.ok(await next.engine.adopt(runId));
  assert.equal((await next.end(runId)).type, "run.completed");
  assert.deepEqual(next.calls.map(({ nodeKey }) => nodeKey), ["first", "b", "x[1]", "end"]);
});

Deno.test("keptNodes() leaves out what another version adds or changes, and all that comes after it", () => {
  const program = (tree: Tree) => compileProgram(compile({ name: "test", template: full(tree) as object }, {}).plan);
  const before = program(seq(op("a", { input: 1 }), op("b", { input: 2 }), op("c", { input: ref("nodes.b") })));
  const kept = (tree: Tree) =>
    [...keptNodes(before, program(tree), { sameFunctions: false })].filter((key) => !key.startsWith("__"));
  assert.deepEqual(kept(seq(op("a", { input: 1 }), op("b", { input: 9 }), op("c", { input: ref("nodes.b") }))), ["a"]);
  assert.deepEqual(
    kept(seq(op("a", { input: 1 }), op("new"), op("b", { input: 2 }), op("c", { input: ref("nodes.b") }))),
    ["a"],
  );
  assert.deepEqual(
    kept(seq(op("a", { input: 1 }), op("b", { input: 2, timeout: 1000 }), op("c", { input: ref("nodes.b") }), op("d"))),
    ["a", "b", "c"],
  );
});
