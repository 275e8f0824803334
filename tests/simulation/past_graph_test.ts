/** A run at a past event is what it was then: for random templates, what was seen live is what the log gives afterwards. */
import assert from "node:assert/strict";
import type { Json } from "@alkdev/flowgraph";
import { countNodes, type EventLog } from "../../engine/mod.ts";
import { createMemoryLog, createMemoryPlanStore } from "../../engine/memory/mod.ts";
import { TestEngine } from "../../engine/testing/test_engine.ts";
import { graphOf } from "../../src/runs/graph.ts";
import { createRuns, RunFeed, type RunRecord, type Runs } from "../../src/runs/mod.ts";
import { behave } from "./behaviour.ts";
import { Chance } from "./random.ts";
import { randomWorkflow } from "./workflows.ts";

const CALLER = { identity: { id: "someone", scopes: [] }, orgId: "default" };
const OPERATIONS = ["ok", "list", "flaky", "fail", "odd", "slow"].flatMap((name) => [`spoke.${name}`, `local.${name}`]);

interface Seen {
  readonly graph: string;
  readonly progress: unknown;
  readonly status: string;
}

/** The use cases over a test engine's memory. */
function runsOf(world: TestEngine): Runs {
  const absent = () => Promise.reject(new Error("not asked for here"));
  const record = (runId: string): RunRecord => ({
    ...{ id: runId, orgId: "default", workflow: "w", version: "v1", planHash: "", status: "running", priority: 0 },
    ...{ labels: {}, parentRunId: null, rootRunId: runId, createdAt: 0, completedAt: null, errorCode: null },
  });
  return createRuns({
    engine: world.engine,
    log: createMemoryLog(world.store, world.lease),
    plans: createMemoryPlanStore(world.store),
    functions: { functions: absent },
    store: {
      get: ({ runId }) => Promise.resolve(record(runId)),
      list: absent,
      findCall: absent,
      children: absent,
      liveVersions: absent,
    },
    catalog: { get: absent, versions: absent, list: absent, similar: absent, register: absent, validate: absent },
    feed: new RunFeed(),
  });
}

/** Plays one random run and gives what was seen of it after each commit, by seq. */
async function play(seed: number): Promise<{ world: TestEngine; runId: string; seen: Map<number, Seen> }> {
  const chance = new Chance(seed);
  const seen = new Map<number, Seen>();
  const world: TestEngine = new TestEngine({
    random: chance.unit,
    wrapLog: (log): EventLog => ({
      read: (params) => log.read(params),
      commit(batch) {
        const run = world.engine.live(batch[0]!.runId)!;
        const { state } = run;
        assert.equal(state.seq, batch.at(-1)!.seq);
        const graph = JSON.stringify(graphOf(state, { data: true }));
        seen.set(state.seq, { graph, progress: countNodes(state), status: state.status });
        return log.commit(batch);
      },
    }),
  });
  for (const id of OPERATIONS) {
    world.handlers.set(id, async (call) => {
      const { takes, outcome } = behave(chance, call.operationId);
      if (takes > 0) await new Promise<void>((resolve) => world.clock.at(world.clock.now() + takes, resolve));
      if ("error" in outcome) throw outcome.error;
      return outcome.data;
    });
  }
  const { plan, planHash, name } = randomWorkflow(chance, "w", chance.int(1, 14));
  const input: Json = { flag: chance.is(0.5), n: 3, items: [1, { n: 2 }] };
  const start = { workflow: name, version: "v1", planHash, plan, functions: new Map(), input, caller: CALLER };
  const { runId } = await world.engine.start(start);
  if (chance.is(0.2)) await world.engine.setPaused(runId, true, "someone");
  if (chance.is(0.5)) await world.engine.setPaused(runId, false, "someone");
  for (let step = 0; step < 400 && world.engine.live(runId) !== null; step++) {
    await world.settle(2);
    const due = world.clock.nextDue();
    if (due !== null) world.clock.advance(Math.max(0, due - world.clock.now()));
    else if (step > 20) await world.engine.abort(runId, { reason: "nothing follows", by: "someone" });
  }
  if (world.engine.live(runId) !== null) await world.engine.abort(runId, { reason: "too long", by: "someone" });
  return { world, runId, seen };
}

Deno.test("Runs.graph() and get() at a past seq give what was seen live, over random runs", async () => {
  let looked = 0;
  const statuses = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    const { world, runId, seen } = await play(seed);
    const runs = runsOf(world);
    for (const [seq, { graph, progress, status }] of seen) {
      const past = await runs.graph({ caller: CALLER, runId, at: seq });
      assert.equal(JSON.stringify(past), graph, `seed ${seed}, seq ${seq}`);
      const view = await runs.get({ caller: CALLER, runId, at: seq });
      assert.deepEqual([view.progress, view.status, view.lastSeq], [progress, status, seq], `seed ${seed}, seq ${seq}`);
      assert.equal(view.completedAt === null, status === "running" || status === "paused");
      statuses.add(status);
      looked++;
    }
  }
  assert.ok(looked > 1_000, `${looked} states were compared`);
  assert.deepEqual([...statuses].toSorted(), ["aborted", "completed", "failed", "paused", "running"]);
});
