import assert from "node:assert/strict";
import fc from "fast-check";
import { op, par, seq, TestEngine, when } from "../../../engine/testing/test_engine.ts";
import { Meter } from "../metrics/meter.ts";
import { LogHistogram } from "./log_histogram.ts";
import { createMemoryHistoryStore } from "./memory_history_store.ts";
import { HistoryRecorder } from "./recorder.ts";
import { SubjectStats } from "./subject_stats.ts";

Deno.test("LogHistogram.quantile() is within a fifth of the true one, also after JSON and merging", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 200 }),
    fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    (values, q) => {
      const halves = [new LogHistogram(), new LogHistogram()];
      for (const [i, value] of values.entries()) halves[i % 2]!.add(value);
      const whole = LogHistogram.from(JSON.parse(JSON.stringify(halves[0])));
      whole.merge(halves[1]!);
      assert.equal(whole.total, values.length);
      const sorted = values.toSorted((a, b) => a - b);
      const truth = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
      const found = whole.quantile(q)!;
      assert.ok(found >= truth / 1.2 && found <= truth * 1.2, `${found} for ${truth}`);
    },
  ));
  assert.equal(new LogHistogram().quantile(0.5), null);
  assert.equal(new LogHistogram().sampler(), null);
});

Deno.test("LogHistogram.sampler() draws as the values were", () => {
  const histogram = new LogHistogram();
  for (let i = 0; i < 90; i++) histogram.add(10);
  for (let i = 0; i < 10; i++) histogram.add(1_000);
  const draw = histogram.sampler()!;
  let seed = 0;
  const random = (): number => (seed = (seed * 16_807 + 11) % 2_147_483_647) / 2_147_483_647;
  const slow = Array.from({ length: 2_000 }, () => draw(random)).filter((ms) => ms > 500).length;
  assert.ok(slow > 120 && slow < 280, `${slow} of 2000 were slow`);
});

Deno.test("SubjectStats.plus() halves what is old, so that what is new counts", () => {
  const old = new SubjectStats({ ok: 20_000, by: { A: 100 } });
  const sum = old.plus(new SubjectStats({ ok: 0, failed: 10 }));
  assert.deepEqual([sum.ok, sum.failed, sum.by.get("A")], [10_000, 5, 50]);
  assert.equal(old.ok, 20_000);
});

function recorded() {
  const world = new TestEngine();
  const store = createMemoryHistoryStore();
  const meter = new Meter();
  const recorder = new HistoryRecorder({
    store,
    clock: world.clock,
    created: (runId) => {
      const first = world.events(runId)[0];
      return first?.type === "run.created" ? first : null;
    },
    onCall: (...call) => meter.ended(...call),
  });
  return { world, store, meter, recorder };
}

Deno.test("HistoryRecorder.observe() sees short and long calls, retries, branches, items, turns and usage", async () => {
  const { world, store, meter, recorder } = recorded();
  let tries = 0;
  world.handlers.set(
    "t.slow",
    () => new Promise<void>((resolve) => world.clock.at(world.clock.now() + 5_000, resolve)),
  );
  world.handlers.set("t.flaky", () => {
    if (++tries % 2 === 1) throw Object.assign(new Error("no"), { code: "FLAKY" });
    return 1;
  });
  const tree = seq(
    par([op("long", {}, "slow"), op("again", { retry: { maxAttempts: 2, backoff: 10, jitter: 0 } }, "flaky")]),
    when({ key: "choose", when: "input.n > 1" }, op("then")),
    { type: "map", props: { key: "each", as: "item", over: [1, 2, 3] }, children: [op("item")] },
  );
  await world.run(tree, { n: 2 });
  await world.run(tree, { n: 0 });
  recorder.observe(world.committed);
  await recorder.flush();
  const at = async (kind: "operation" | "workflow" | "branch" | "count", name: string) =>
    (await store.read([{ orgId: "default", kind, name }]))[0]?.stats;
  const slow = (await at("operation", "t.slow"))!;
  assert.equal(slow.ok, 2);
  assert.ok(Math.abs(slow.duration.quantile(0.5)! - 5_000) < 1_000);
  const flaky = (await at("operation", "t.flaky"))!;
  assert.deepEqual([flaky.ok, flaky.failed], [2, 2]);
  assert.deepEqual(Object.fromEntries((await at("branch", "test\nchoose"))!.by), { then: 1, none: 1 });
  assert.ok(Math.abs((await at("count", "test\neach"))!.count.quantile(0.5)! - 3) < 1);
  const workflow = (await at("workflow", "test"))!;
  assert.deepEqual([workflow.ok, workflow.count.total], [2, 2]);
  assert.equal((await at("operation", "t.step"))!.ok, 7);
  assert.equal(meter.calls.of("t.flaky").retries, 2);
  assert.equal(meter.calls.of("t.slow").ok.count, 2);
  assert.equal(recorder.forgotten, 0);
});

Deno.test("HistoryRecorder keeps what a call used, and hands a child run's use to its parent", async () => {
  const { store, recorder } = recorded();
  const caller = { identity: { id: "a", scopes: [] }, orgId: "o1" };
  const head = { version: "v", planHash: "p", input: null, caller, labels: {}, priority: 0, idempotencyKey: null };
  const counts = { total: 1, completed: 1, failed: 0, aborted: 0, skipped: 0 };
  const parent = { runId: "p", requestId: "c", rootRunId: "p" };
  const meta = (costMicros: number) =>
    ({ source: "local", operationId: "llm", timestamp: 0, usage: { costMicros, inputTokens: 7 } }) as const;
  const call = (runId: string, costMicros: number) =>
    [
      {
        runId,
        seq: 2,
        at: 0,
        type: "call.requested",
        key: "k",
        attempt: 1,
        requestId: `${runId}1`,
        operationId: "llm",
        input: null,
      },
      {
        runId,
        seq: 3,
        at: 9,
        type: "call.responded",
        key: "k",
        attempt: 1,
        requestId: `${runId}1`,
        output: { data: 1, meta: meta(costMicros) },
      },
    ] as const;
  recorder.observe([
    { runId: "p", seq: 1, at: 0, type: "run.created", workflow: "top", ...head, parent: null, deadline: null },
    ...call("p", 100),
  ]);
  recorder.observe([
    { runId: "c", seq: 1, at: 0, type: "run.created", workflow: "sub", ...head, parent, deadline: null },
    ...call("c", 1_000),
    { runId: "c", seq: 4, at: 10, type: "run.completed", output: 1, counts },
  ]);
  // Its created event is not in this batch: the recorder has to be told of it.
  const created = {
    runId: "p",
    seq: 1,
    at: 0,
    type: "run.created",
    workflow: "top",
    ...head,
    parent: null,
    deadline: null,
  } as const;
  recorder.observe([created, { runId: "p", seq: 4, at: 20, type: "run.completed", output: 1, counts }]);
  await recorder.flush();
  const read = async (kind: "workflow" | "operation", name: string) =>
    (await store.read([{ orgId: "o1", kind, name }]))[0]!.stats;
  assert.ok(Math.abs((await read("workflow", "top")).cost.quantile(0.5)! - 1_100) < 220);
  assert.ok(Math.abs((await read("workflow", "sub")).cost.quantile(0.5)! - 1_000) < 200);
  assert.equal((await read("operation", "llm")).tokens.total, 2);
});

Deno.test("Meter counts names beyond a few hundred together", () => {
  const meter = new Meter();
  for (let i = 0; i < 1_000; i++) meter.ended(`op${i}`, 1, null, false);
  const entries = [...meter.calls.entries()];
  assert.ok(entries.length <= 201, `${entries.length} families`);
  assert.equal(entries.reduce((sum, [, { ok }]) => sum + ok.count, 0), 1_000);
  assert.equal(meter.calls.of("other").ok.count, 800);
});
