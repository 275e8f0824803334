import assert from "node:assert/strict";
import { compileProgram, foldRun, type RunState } from "../../engine/mod.ts";
import { deferred, op, par, seq, TestEngine, type Tree } from "../../engine/testing/test_engine.ts";
import type { Whereabouts } from "./why_entry.ts";
import { whyOf } from "./why.ts";

/** A run of the template as far as it comes without `t.hang` ever answering. */
async function stateOf(tree: Tree): Promise<RunState> {
  const world = new TestEngine();
  world.handlers.set("t.hang", () => deferred().promise);
  world.handlers.set("t.fail", () => {
    throw new Error("no");
  });
  const runId = await world.start(tree);
  await world.settle(10);
  const events = world.events(runId);
  const [created] = events;
  assert.equal(created?.type, "run.created");
  return foldRun(
    compileProgram(world.store.plans.get(created!.type === "run.created" ? created.planHash : "")!),
    events,
  );
}

Deno.test("whyOf() says of each node that is not moving what it waits for, since when, and for which operation", async () => {
  const retry = { maxAttempts: 3, backoff: 60_000, jitter: 0 };
  const state = await stateOf(seq(
    par([
      op("held", { spoke: { gpu: "yes" } }, "hang"),
      op("again", { retry }, "fail"),
      { type: "sleep", props: { key: "nap", ms: 5_000 } },
      { type: "signal", props: { key: "go", name: "go" } },
    ]),
    op("last"),
  ));
  const whereabouts: Whereabouts = ({ key, labels }) =>
    key === "held" ? { waitsFor: "spoke", message: `Waits for ${JSON.stringify(labels)}`, since: 7 } : null;
  const entries = new Map(
    whyOf(state, { driver: "here", whereabouts: [() => null, whereabouts] }).map((it) => [it.key, it]),
  );
  const held = entries.get("held")!;
  assert.deepEqual([held.waitsFor, held.since, held.operationId, held.labels], ["spoke", 7, "t.hang", { gpu: "yes" }]);
  assert.equal(entries.get("again")?.waitsFor, "retry");
  assert.ok((entries.get("again")?.until ?? 0) > (entries.get("again")?.since ?? Infinity));
  assert.equal(entries.get("nap")?.waitsFor, "timer");
  assert.equal(entries.get("go")?.waitsFor, "signal");
  assert.deepEqual([entries.get("last")?.waitsFor, entries.get("last")?.operationId], ["predecessors", "t.step"]);
  assert.equal(entries.size, 5);
});

Deno.test("whyOf() names the hub that drives a run, or says that nobody does", async () => {
  const state = await stateOf(seq(op("a", {}, "hang"), op("b")));
  const asked: string[] = [];
  const whereabouts: readonly Whereabouts[] = [({ key }) => (asked.push(key), null)];
  const there = whyOf(state, { driver: { hubId: "h2", url: "http://h2" }, whereabouts });
  assert.match(there[0]!.message, /driven by hub "h2" at http:\/\/h2/);
  const nowhere = whyOf(state, { driver: "nobody", whereabouts });
  assert.equal(nowhere[0]!.waitsFor, "owner");
  assert.deepEqual(asked, []);
});
