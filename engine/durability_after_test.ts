import assert from "node:assert/strict";
import { compile } from "@alkdev/flowgraph";
import { PATIENCE_MS } from "./group_commit.ts";
import type { EventLog, RunEvent } from "./mod.ts";
import { deferred, full, op, seq, TestEngine, type Tree, when } from "./testing/test_engine.ts";

/** An engine whose commits wait until they are let through. */
function heldBack(): {
  readonly t: TestEngine;
  readonly sent: RunEvent[];
  readonly commits: number[];
  letThrough(): void;
} {
  const gate = deferred<void>();
  const sent: RunEvent[] = [];
  const commits: number[] = [];
  const wrapLog = (log: EventLog): EventLog => ({
    ...log,
    read: (params) => log.read(params),
    async commit(batch) {
      sent.push(...batch);
      commits.push(batch.length);
      await gate.promise;
      return await log.commit(batch);
    },
  });
  return { t: new TestEngine({ wrapLog }), sent, commits, letThrough: () => gate.resolve() };
}

function start(t: TestEngine, tree: Tree, durability: "before" | "after", idempotencyKey?: string): Promise<unknown> {
  const { plan, functions } = compile({ name: "w", template: full(tree) as object }, {});
  return t.engine.start({
    workflow: "w",
    version: "v1",
    planHash: JSON.stringify(plan),
    plan,
    functions,
    input: {},
    caller: { identity: { id: "someone", scopes: [] }, orgId: "default" },
    durability,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
}

const chain = seq(op("a"), op("b"), op("c"));

Deno.test("Engine.start() with durability after runs all nodes while the first commit is under way", async () => {
  const { t, letThrough } = heldBack();
  await start(t, chain, "after");
  await t.settle();
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey), ["a", "b", "c"]);
  assert.equal(t.committed.length, 0);
  const runId = t.calls[0]!.runId;
  letThrough();
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.deepEqual(t.events(runId).map(({ seq }) => seq), t.events(runId).map((_, i) => i + 1));
  assert.deepEqual(Object.values(await t.statuses(runId)), ["completed", "completed", "completed"]);
});

Deno.test("Engine.start() with durability after catches a failure, and retries it, as any run does", async () => {
  const { t, letThrough } = heldBack();
  let tries = 0;
  t.handlers.set("t.flaky", () => {
    if (++tries < 3) throw new Error("not yet");
    return tries;
  });
  t.handlers.set("t.bad", () => Promise.reject(new Error("no")));
  const tree = seq(
    op("bad", {}, "bad"),
    when({ when: 'status.bad == "failed"' }, op("flaky", { retry: { maxAttempts: 3 } }, "flaky")),
  );
  await start(t, tree, "after");
  await t.settle();
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey), ["bad", "flaky"]);
  letThrough();
  const end = await t.end(t.calls[0]!.runId);
  assert.equal(end.type, "run.completed");
  assert.equal(tries, 3);
});

Deno.test("Engine.start() with durability after gathers a short run in one commit, or in another's", async () => {
  const { t, sent, commits, letThrough } = heldBack();
  letThrough();
  await start(t, chain, "after");
  await t.settle();
  assert.equal(t.calls.length, 3);
  assert.equal(sent.length, 0, "nothing waits for it");
  t.clock.advance(PATIENCE_MS);
  await t.settle();
  assert.equal(sent.at(-1)?.type, "run.completed");
  assert.equal(commits.length, 1);
  await start(t, chain, "after");
  await start(t, chain, "before");
  await t.settle();
  assert.equal(sent.filter(({ type }) => type === "run.completed").length, 3, "no time has passed");
});

Deno.test("Engine.stop() commits what nothing waits for", async () => {
  const { t, sent, letThrough } = heldBack();
  letThrough();
  await start(t, chain, "after");
  await t.settle();
  await t.engine.stop(0);
  assert.equal(sent.at(-1)?.type, "run.completed");
});

Deno.test("Engine.start() with durability before, or an idempotency key, waits for the commit", async () => {
  for (const [durability, key] of [["before", undefined], ["after", "k"]] as const) {
    const { t, letThrough } = heldBack();
    let started = false;
    const starting = start(t, chain, durability, key).then(() => started = true);
    await t.settle();
    assert.equal(started, false);
    assert.deepEqual(t.calls, []);
    letThrough();
    await starting;
    await t.settle();
    assert.ok(t.calls.length > 0);
  }
});

Deno.test("Engine.adopt() goes on with what is durable of a run whose hub crashed ahead of its log", async () => {
  const first = new TestEngine({
    wrapLog: (log) => {
      let commits = 0;
      return {
        read: (params) => log.read(params),
        commit: (batch) => ++commits === 1 ? log.commit(batch) : new Promise(() => {}), // lost with the process
      };
    },
  });
  const never = deferred();
  first.handlers.set("t.slow", () => never.promise);
  await start(first, seq(op("a"), op("slow", {}, "slow")), "after");
  await first.settle();
  const { runId } = first.calls[0]!;
  first.clock.advance(PATIENCE_MS);
  await first.settle();
  first.clock.advance(20_000);
  const second = new TestEngine({ store: first.store, clock: first.clock, hubId: "other" });
  second.handlers.set("t.slow", () => "done");
  await second.lease.claim(10);
  assert.equal(await second.engine.adopt(runId), true);
  assert.equal((await second.end(runId)).type, "run.completed");
});
