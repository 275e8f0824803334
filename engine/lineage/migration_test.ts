import assert from "node:assert/strict";
import { compile } from "@alkdev/flowgraph";
import { compileProgram, foldRun, keyOf, leaves, planPin, type Refusal, STATUS_NAMES } from "../mod.ts";
import { deferred, full, map, op, par, seq, TestEngine, type Tree, when } from "../testing/test_engine.ts";

/** Moves a run to another tree, as the run use cases do: the plan is stored first. */
async function migrate(t: TestEngine, runId: string, tree: Tree): Promise<readonly Refusal[] | null> {
  const { plan } = compile({ name: "test", template: full(tree) as object }, {});
  const planHash = JSON.stringify(plan);
  t.store.plans.set(planHash, plan);
  return await t.engine.migrate(runId, { version: "v2", planHash, by: "someone" });
}

function folded(t: TestEngine, runId: string): Record<string, string> {
  const events = t.events(runId);
  const state = foldRun(compileProgram(t.store.plans.get(planPin(events)!.planHash)!), events);
  return Object.fromEntries(
    [...leaves(state)].map(({ frame, vertex }) => [keyOf(state, frame, vertex), STATUS_NAMES[frame.status[vertex]!]]),
  );
}

const about = (refusals: readonly Refusal[] | null): string[] => (refusals ?? []).map(({ key }) => key).sort();
const ref = (text: string) => ({ $ref: text });

Deno.test("migrate() carries a call under way over, and the run goes on with the new plan's nodes", async () => {
  const t = new TestEngine();
  const gate = deferred();
  t.handlers.set("t.wait", () => gate.promise);
  const runId = await t.start(seq(op("a"), op("b", {}, "wait"), op("old")));
  await t.settle();
  assert.deepEqual(
    await migrate(t, runId, seq(op("a"), op("b", {}, "wait"), op("new", { input: ref("nodes.b") }))),
    [],
  );
  assert.deepEqual(folded(t, runId), { a: "completed", b: "running", new: "idle" });
  gate.resolve(7);
  const end = await t.end(runId);
  assert.equal(end.type === "run.completed" && end.output, 7);
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey), ["a", "b", "new"]);
});

Deno.test("migrate() refuses, with the nodes and reasons, what would undo what has begun", async () => {
  const t = new TestEngine();
  t.handlers.set("t.wait", () => new Promise(() => {}));
  const runId = await t.start(seq(op("a", { input: 1 }), when({ when: "nodes.a == 1" }, op("b", {}, "wait")), op("c")));
  await t.settle();
  const last = t.events(runId).length;
  const gate = (...inner: readonly [Tree]) => when({ when: "nodes.a == 1" }, ...inner);
  const refuses = async (tree: Tree, keys: readonly string[], reason: RegExp) => {
    const refusals = await migrate(t, runId, tree);
    assert.deepEqual(about(refusals), keys);
    assert.match(refusals![0]!.reason, reason);
  };
  await refuses(seq(op("a", { input: 2 }), gate(op("b", {}, "wait")), op("c")), ["a"], /input changed/);
  await refuses(seq(op("a", { input: 1 }), gate(op("b", {}, "step")), op("c")), ["b"], /operationId changed/);
  await refuses(seq(op("a", { input: 1 }), op("c")), ["__conditional_1", "b"], /does not have it/);
  await refuses(
    seq(op("a", { input: 1 }), op("between"), gate(op("b", {}, "wait")), op("c")),
    ["__conditional_1"],
    /comes after nodes/,
  );
  await refuses(
    seq(op("a", { input: 1 }), when({ when: "nodes.a == 2" }, op("b", {}, "wait")), op("c")),
    ["__conditional_1"],
    /test changed/,
  );
  assert.equal(t.events(runId).length, last);
  assert.deepEqual(await migrate(t, runId, seq(op("a", { input: 1 }), gate(op("b", { timeout: 1000 }, "wait")))), []);
  assert.equal(await t.engine.migrate("nobody", { version: "v2", planHash: "x", by: "someone" }), null);
});

Deno.test("migrate() carries over timers, retries that are due, and what a pause holds back", async () => {
  const t = new TestEngine();
  let tries = 0;
  t.handlers.set("t.flaky", () => {
    if (++tries < 2) throw new Error("not yet");
    return tries;
  });
  const tree = (...more: readonly Tree[]) =>
    seq(
      par([
        { type: "sleep", props: { key: "nap", ms: 500 } },
        op("flaky", { retry: { maxAttempts: 3, backoff: { kind: "fixed", initialMs: 300 } } }, "flaky"),
        seq(op("first"), op("held")),
      ]),
      ...more,
    );
  const runId = await t.start(tree(op("old")));
  await t.engine.setPaused(runId, true, "someone");
  await t.settle();
  assert.deepEqual(await migrate(t, runId, tree(op("new"))), []);
  assert.deepEqual(await migrate(t, runId, tree(op("newer"))), []);
  await t.engine.setPaused(runId, false, "someone");
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.equal(tries, 2);
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey).sort(), ["first", "flaky", "flaky", "held", "newer"]);
});

Deno.test("a migrated run is adopted under the plan of its newest migration", async () => {
  const t = new TestEngine();
  t.handlers.set("t.wait", () => new Promise(() => {}));
  const tree = (...more: readonly Tree[]) =>
    seq(map({ key: "each", over: [1, 2] }, op("x", { input: ref("item") }, "wait")), ...more);
  const runId = await t.start(tree(op("old")));
  await t.settle();
  assert.deepEqual(await migrate(t, runId, tree(op("new"))), []);
  const next = new TestEngine({ store: t.store, clock: t.clock });
  next.handlers.set("t.wait", (call) => call.input);
  assert.ok(await next.engine.adopt(runId));
  const end = await next.end(runId);
  assert.equal(end.type, "run.completed");
  assert.deepEqual(next.calls.map(({ nodeKey, requestId }) => [nodeKey, requestId]), [
    ["x[0]", `${runId}/x[0]/1`],
    ["x[1]", `${runId}/x[1]/1`],
    ["new", `${runId}/new/1`],
  ]);
});

Deno.test("migrate() folds in what happens while it reads the log", async () => {
  const reading = deferred<void>();
  const gate = deferred();
  let slow = false;
  const t = new TestEngine({
    wrapLog: (log) => ({
      ...log,
      read: async (params) => {
        if (slow) await reading.promise;
        return log.read(params);
      },
    }),
  });
  t.handlers.set("t.wait", () => gate.promise);
  const runId = await t.start(seq(op("a", {}, "wait"), op("b"), op("hang", {}, "hang")));
  t.handlers.set("t.hang", () => new Promise(() => {}));
  await t.settle();
  slow = true;
  const moving = migrate(t, runId, seq(op("a", {}, "wait"), op("b"), op("c"), op("hang", {}, "hang")));
  await t.settle();
  await assert.rejects(migrate(t, runId, seq(op("a", {}, "wait"))), { code: "MIGRATION_REFUSED" });
  gate.resolve(1);
  await t.settle();
  reading.resolve();
  assert.deepEqual(about(await moving), ["hang"]); // it has begun meanwhile, and would come after "c"
  const again = migrate(t, runId, seq(op("a", {}, "wait"), op("b"), op("hang", {}, "hang"), op("c")));
  assert.deepEqual(await again, []);
});

Deno.test("migrate() refuses to lose that a person aborted a container, which has the name of its place", async () => {
  const t = new TestEngine();
  t.handlers.set("t.wait", () => new Promise(() => {}));
  const branch = seq(op("a"), op("b", {}, "wait"));
  const runId = await t.start(par([branch, op("c", {}, "wait")]));
  await t.settle();
  await t.engine.actOnNode(runId, { type: "abort", key: "__sequential_1", reason: "not wanted", by: "someone" });
  await t.settle();
  const refused = await migrate(t, runId, seq(op("first"), par([branch, op("c", {}, "wait")])));
  assert.match(refused!.find(({ key }) => key === "__sequential_1")!.reason, /^It was aborted/);
  assert.deepEqual(await migrate(t, runId, par([branch, op("c", {}, "wait"), op("d")])), []);
});

/** A limit of one; in the second form `b` has nothing to wait for, and so comes before `c` and not after it. */
const inTurn = (b: Readonly<Record<string, unknown>>): Tree =>
  par([op("b", b, "busy"), op("c", {}, "busy")], { maxConcurrency: 1 });

/** Answers `t.busy` a while later. Gives the most that were at work at once. */
function countBusy(t: TestEngine): () => number {
  let [now, most] = [0, 0];
  t.handlers.set("t.busy", async () => {
    most = Math.max(most, ++now);
    await new Promise<void>((resolve) => t.clock.at(t.clock.now() + 10, resolve));
    now--;
  });
  return () => most;
}

Deno.test("migrate() takes back a call that waits for room when its node is in line for a slot in the new version", async () => {
  const t = new TestEngine({ limits: { maxInFlight: 2 } });
  const mostBusy = countBusy(t);
  const gate = deferred();
  t.handlers.set("t.wait", () => gate.promise);
  const other = await t.start(par([op("x", {}, "wait"), op("y", {}, "wait")]));
  await t.settle();
  const runId = await t.start(inTurn({ input: ref("nodes.c") }));
  await t.settle();
  assert.deepEqual(await migrate(t, runId, inTurn({})), []);
  gate.resolve(null);
  await t.end(other);
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.equal(mostBusy(), 1);
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey), ["x", "y", "b", "c"]);
});

Deno.test("migrate() lets go of what a pause holds back when it is in line for a slot in the new version", async () => {
  const t = new TestEngine();
  const mostBusy = countBusy(t);
  const runId = await t.start(seq(op("a"), inTurn({ input: ref("nodes.c") })));
  await t.engine.setPaused(runId, true, "someone");
  await t.settle();
  assert.deepEqual(await migrate(t, runId, seq(op("a"), inTurn({}))), []);
  await t.engine.setPaused(runId, false, "someone");
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.equal(mostBusy(), 1);
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey), ["a", "b", "c"]);
});
