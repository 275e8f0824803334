import assert from "node:assert/strict";
import { compile, type Json, type Plan } from "@alkdev/flowgraph";
import { VirtualClock } from "../../../engine/memory/mod.ts";
import { full, map, op, par, seq, type Tree, when } from "../../../engine/testing/test_engine.ts";
import { createMemoryHistoryStore } from "../history/memory_history_store.ts";
import type { HistoryStore, SubjectKind } from "../history/ports.ts";
import { SubjectStats } from "../history/subject_stats.ts";
import { drawShare } from "./beta.ts";
import { createEstimator } from "./estimator.ts";
import type { Estimate, Range } from "./ports.ts";

/** The same draws every time. */
function chance(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function world() {
  const store = createMemoryHistoryStore();
  const know = (kind: SubjectKind, name: string, fill: (stats: SubjectStats) => void) => {
    const stats = new SubjectStats();
    fill(stats);
    return store.merge([{ orgId: "o", kind, name, stats }]);
  };
  return { store, know };
}

/** An operation that always takes `ms`, failing as often as told. */
function steady(ms: number, ok = 100, failed = 0, cost?: number): (stats: SubjectStats) => void {
  return (stats) => {
    stats.ok = ok;
    stats.failed = failed;
    for (let i = 0; i < ok; i++) stats.duration.add(ms);
    for (let i = 0; i < failed; i++) stats.failedDuration.add(ms);
    if (cost !== undefined) { for (let i = 0; i < ok; i++) stats.cost.add(cost); }
  };
}

function planOf(tree: Tree, input: Json = {}): Plan {
  return compile({ name: "w", template: full(tree) as object }, input).plan;
}

function estimate(store: HistoryStore, tree: Tree, input: Json = {}): Promise<Estimate> {
  const estimator = createEstimator({ store, clock: new VirtualClock(), random: chance() });
  return estimator.estimate({ orgId: "o", plan: planOf(tree, input), input });
}

/** Within what a histogram's buckets and a few hundred plays allow. */
function near(range: Range | null, wanted: number): void {
  assert.ok(
    range !== null && range.p50 > wanted * 0.8 && range.p50 < wanted * 1.25,
    `${JSON.stringify(range)} is not ${wanted}`,
  );
}

Deno.test("estimate() adds sequences up, and takes the longest of what is parallel, by places", async () => {
  const { store, know } = world();
  await know("operation", "t.fast", steady(100));
  await know("operation", "t.slow", steady(1_000));
  near((await estimate(store, seq(op("a", {}, "fast"), op("b", {}, "slow")))).durationMs, 1_100);
  near((await estimate(store, par([op("a", {}, "fast"), op("b", {}, "slow")]))).durationMs, 1_000);
  const six = Array.from({ length: 6 }, (_, i) => op(`s${i}`, {}, "slow"));
  near((await estimate(store, par(six, { maxConcurrency: 2 }))).durationMs, 3_000);
  const found = await estimate(store, par(six));
  assert.deepEqual([found.calls, found.samples, found.missing], [{ p10: 6, p50: 6, p90: 6 }, 100, []]);
  assert.deepEqual([found.costMicros, found.workflow], [null, null]);
});

Deno.test("estimate() multiplies a Map by its items: those of the input, or as many as there used to be", async () => {
  const { store, know } = world();
  await know("operation", "t.item", steady(100, 100, 0, 500));
  const body = op("item", {}, "item");
  const given = await estimate(store, map({ key: "m", over: { $ref: "input.list" } }, body), { list: [1, 2, 3, 4] });
  assert.equal(given.calls?.p50, 4);
  near(given.durationMs, 100);
  near(given.costMicros, 2_000);
  const many = Array.from({ length: 10_000 }, (_, i) => i);
  const large = await estimate(store, map({ key: "m", over: many, maxConcurrency: 10 }, body));
  near(large.durationMs, 100_000);
  near(large.costMicros, 5_000_000);
  assert.equal(large.calls?.p50, 10_000);
  const tree = seq(op("list", {}, "item"), map({ key: "m", over: { $ref: "nodes.list" }, maxConcurrency: 1 }, body));
  const unknown = await estimate(store, tree);
  assert.deepEqual(unknown.missing, [{ key: "m", what: "count" }]);
  assert.deepEqual([unknown.durationMs, unknown.calls, unknown.failureRisk], [null, null, null]);
  await know("count", "w\nm", (stats) => {
    for (let i = 0; i < 50; i++) stats.count.add(32);
  });
  near((await estimate(store, tree)).durationMs, 33 * 100);
});

Deno.test("estimate() takes a Conditional by the share of its branches, and a Loop by its turns", async () => {
  const { store, know } = world();
  await know("operation", "t.fast", steady(10));
  await know("operation", "t.slow", steady(1_000));
  const tree = when({ key: "c", when: "input.n > 1" }, op("a", {}, "slow"), op("b", {}, "fast"));
  assert.deepEqual((await estimate(store, tree)).missing, [{ key: "c", what: "branch" }]);
  await know("branch", "w\nc", (stats) => {
    for (let i = 0; i < 30; i++) stats.note("then");
    for (let i = 0; i < 70; i++) stats.note("else");
  });
  const found = await estimate(store, tree);
  assert.ok(found.durationMs!.p50 < 20 && found.durationMs!.p90 > 800, JSON.stringify(found.durationMs));
  await know("count", "w\nl", (stats) => stats.count.add(5));
  const loop = {
    type: "loop",
    props: { key: "l", as: "i", while: "i < 9", maxIterations: 50 },
    children: [op("a", {}, "slow")],
  };
  near((await estimate(store, loop)).durationMs, 5_000);
});

Deno.test("estimate() gives null and names what was never seen, and says nothing of another organization", async () => {
  const { store, know } = world();
  await store.merge([{ orgId: "other", kind: "operation", name: "t.step", stats: new SubjectStats({ ok: 5 }) }]);
  await know("operation", "t.known", steady(10));
  const found = await estimate(
    store,
    seq(op("a"), op("b", {}, "known"), { type: "signal", props: { key: "s", name: "s" } }),
  );
  assert.deepEqual(found.missing, [{ key: "a", what: "operation" }, { key: "s", what: "wait" }]);
  assert.deepEqual([found.durationMs, found.failureRisk, found.samples], [null, null, 0]);
  assert.equal(found.calls?.p50, 2);
  assert.deepEqual(found.operations.map(({ operationId, attempts }) => [operationId, attempts]), [["t.step", 0], [
    "t.known",
    100,
  ]]);
});

Deno.test("estimate() counts retries into time and risk, and a failure that is caught into no risk", async () => {
  const { store, know } = world();
  await know("operation", "t.flaky", steady(100, 500, 500));
  await know("operation", "t.fine", steady(100, 1_000));
  const plain = await estimate(store, op("a", {}, "flaky"));
  assert.ok(Math.abs(plain.failureRisk!.p50 - 0.5) < 0.05 && plain.failureRisk!.p10 < plain.failureRisk!.p90);
  const retry = { maxAttempts: 3, backoff: 10_000, jitter: 0 };
  const retried = await estimate(store, op("a", { retry }, "flaky"));
  assert.ok(Math.abs(retried.failureRisk!.p50 - 0.125) < 0.03, JSON.stringify(retried.failureRisk));
  assert.ok(retried.durationMs!.p90 > 20_000, JSON.stringify(retried.durationMs));
  await know("branch", "w\nc", (stats) => stats.note("then"));
  const caught = await estimate(
    store,
    seq(op("a", {}, "flaky"), when({ key: "c", when: 'status.a == "failed"' }, op("b", {}, "fine"))),
  );
  assert.ok(caught.failureRisk!.p90 < 0.02, JSON.stringify(caught.failureRisk));
  near(caught.durationMs, 200);
  const few = world();
  await few.know("operation", "t.flaky", steady(100, 1, 1));
  const unsure = (await estimate(few.store, op("a", {}, "flaky"))).failureRisk!;
  assert.ok(unsure.p90 - unsure.p10 > 0.4, `two attempts say little: ${JSON.stringify(unsure)}`);
});

Deno.test("estimate() takes child runs by the history of their workflow, and a Race by its first success", async () => {
  const { store, know } = world();
  await know("operation", "t.fast", steady(10));
  await know("operation", "t.slow", steady(10_000));
  await know("workflow", "sub", (stats) => {
    steady(2_000, 10, 0, 77)(stats);
    for (let i = 0; i < 10; i++) stats.count.add(16);
  });
  const child = await estimate(store, { type: "workflow", props: { key: "s", name: "sub" } });
  near(child.durationMs, 2_000);
  near(child.costMicros, 77);
  near(child.calls, 17);
  const race = { type: "race", props: {}, children: [op("a", {}, "fast"), op("b", {}, "slow")] };
  near((await estimate(store, race)).durationMs, 10);
});

Deno.test("estimate() of a plan with 20,000 nodes lets others have their turns", async () => {
  const { store, know } = world();
  await know("operation", "t.step", steady(1));
  const plan = planOf(seq(...Array.from({ length: 20_000 }, (_, i) => op(`s${i}`))));
  const clock = new VirtualClock();
  let turns = 0;
  const afterTurn = clock.afterTurn.bind(clock);
  clock.afterTurn = (callback) => {
    turns++;
    afterTurn(callback);
  };
  const estimator = createEstimator({ store, clock, random: chance() });
  const found = await estimator.estimate({ orgId: "o", plan, input: {} });
  near(found.durationMs, 20_000 * 1.1);
  assert.ok(turns >= 10, `${turns} turns`);
});

Deno.test("drawShare() draws around what is known, the closer the more is known", () => {
  const random = chance(7);
  const draws = (yes: number, no: number) =>
    Array.from({ length: 500 }, () => drawShare(yes, no, random)).toSorted((a, b) => a - b);
  const sure = draws(900, 100);
  const unsure = draws(9, 1);
  assert.ok(Math.abs(sure[250]! - 0.9) < 0.01, `${sure[250]}`);
  assert.ok(unsure[450]! - unsure[50]! > 4 * (sure[450]! - sure[50]!));
});
