/**
 * What a fork takes over is exactly what a full run would have given: over random workflows, a node is made to answer
 * differently (or no longer to fail), the run is forked from it, and the fork must end as a full run does.
 */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import type { Json, Plan } from "@alkdev/flowgraph";
import {
  compileProgram,
  foldRun,
  InvalidPlaces,
  keptNodes,
  keyOf,
  leaves,
  markFrom,
  type NodeReused,
  reusedResults,
  type RunState,
  STATUS_NAMES,
} from "../../engine/mod.ts";
import { TestEngine } from "../../engine/testing/test_engine.ts";
import { Chance } from "./random.ts";
import { randomWorkflow } from "./workflows.ts";

const SEEDS = 1_500;

/** Answers by node key alone, so that any two runs of a plan see the same, but for the node that `changed` names. */
class Handlers {
  changed: string | null = null;
  readonly called: string[] = [];

  answer(nodeKey: string, operationId: string, input: Json): Json {
    this.called.push(nodeKey);
    const hash = hashOf(nodeKey);
    const base = nodeKey.replace(/\[.*$/, "");
    const isChanged = this.changed !== null && (nodeKey === this.changed || base === this.changed);
    if (operationId.endsWith(".fail") !== isChanged && hash % 3 > 0) throw new CallError("BROKEN", `No ${nodeKey}`);
    if (operationId.endsWith(".list")) {
      return [hash % 4 + (isChanged ? 1 : 0), { n: hash % 7 }].slice(0, isChanged ? hash % 3 : 2) as Json;
    }
    return { n: hash % 10 + (isChanged ? 1 : 0), seen: hashOf(JSON.stringify(input)) };
  }
}

function hashOf(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 99_991, 7);
}

async function runToEnd(
  plan: Plan,
  handlers: Handlers,
  input: Json,
  reuse?: readonly NodeReused[],
): Promise<RunState> {
  const world = new TestEngine();
  const dispatched = (operationId: string) =>
    world.handlers.set(operationId, (call) => handlers.answer(call.nodeKey, operationId, call.input));
  for (const node of plan.nodes) if (node.kind === "operation") dispatched(node.operationId);
  const { runId } = await world.engine.start({
    workflow: plan.workflow,
    version: "v1",
    planHash: JSON.stringify(plan),
    plan,
    functions: new Map(),
    input,
    caller: { identity: { id: "someone", scopes: [] }, orgId: "org" },
    ...(reuse !== undefined && { lineage: { runId: "before", kind: "fork", from: null }, reuse }),
  });
  await answered(world, runId);
  return foldRun(compileProgram(plan), world.events(runId));
}

/** Moves time on, and answers whatever is asked, until the run has ended. */
async function answered(world: TestEngine, runId: string): Promise<void> {
  for (let idle = 0; idle < 10_000; idle++) {
    await world.settle();
    const live = world.engine.live(runId);
    if (live === null) return;
    const waiting = [...leaves(live.state)].find(({ frame, vertex }) =>
      live.node({ frame, vertex }).kind === "signal" && STATUS_NAMES[frame.status[vertex]!] === "waiting" &&
      frame.cells[vertex] !== undefined
    );
    const due = world.clock.nextDue();
    if (waiting !== undefined) {
      const name = keyOf(live.state, waiting.frame, waiting.vertex);
      await world.engine.answer(runId, { name, payload: { n: name.length % 10 }, by: "someone" });
    } else if (due !== null) world.clock.advance(Math.max(0, due - world.clock.now()));
  }
  throw new Error(`Run ${runId} does not end`);
}

/** How every leaf ended and with what; times and attempts aside. */
function shown(state: RunState): Record<string, unknown> {
  const nodes = [...leaves(state)].map(({ frame, vertex }) => {
    const status = STATUS_NAMES[frame.status[vertex]!];
    return [keyOf(state, frame, vertex), status === "completed" ? frame.cells[vertex]?.data ?? null : status];
  });
  const { terminal } = state;
  return {
    status: state.status,
    output: terminal?.type === "run.completed" ? terminal.output : null,
    ...Object.fromEntries(nodes),
  };
}

/** Who wins a Race, and what a time-out cuts short, depends on how long things take: a reused result takes no time. */
function dependsOnTime(plan: Plan): boolean {
  return plan.nodes.some((node) => node.kind === "race" || ("timeoutMs" in node && node.timeoutMs !== undefined));
}

Deno.test("a fork from a node that now answers otherwise ends as a full run does, and runs nothing that it reuses", async () => {
  let [compared, reusedMany] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = new Chance(seed);
    const { plan } = randomWorkflow(chance, "w", chance.int(3, 14));
    if (dependsOnTime(plan)) continue;
    const input = { flag: chance.is(0.5), n: chance.int(0, 9), items: [1, 2] };
    const first = await runToEnd(plan, new Handlers(), input);
    const places = [...leaves(first)].map(({ frame, vertex }) => keyOf(first, frame, vertex));
    if (places.length === 0) continue;
    const from = chance.pick(places);
    const handlers = new Handlers();
    handlers.changed = from;
    const invalid = new InvalidPlaces(first);
    invalid.addUnfinished();
    markFrom(first, invalid, from, "/from");
    const reuse = reusedResults(first, { runId: "before", invalid });
    const forked = await runToEnd(plan, handlers, input, reuse);
    const ran = new Set(handlers.called);
    const full = new Handlers();
    full.changed = from;
    assert.deepEqual(shown(forked), shown(await runToEnd(plan, full, input)), `seed ${seed}, from ${from}`);
    for (const { key } of reuse) assert.ok(!ran.has(key), `seed ${seed}: ${key} was reused, and ran`);
    compared++;
    if (reuse.length > 1) reusedMany++;
  }
  assert.ok(
    compared > SEEDS / 4 && reusedMany > SEEDS / 15,
    `${compared} compared, ${reusedMany} reused more than one`,
  );
});

Deno.test("a fork on another version ends as a full run of that version does", async () => {
  let reusedSome = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = new Chance(seed);
    const { plan, variants } = randomWorkflow(chance, "w", chance.int(3, 14));
    const next = chance.pick(variants).plan;
    if (dependsOnTime(plan)) continue;
    const input = { flag: chance.is(0.5), n: chance.int(0, 9), items: [1, 2] };
    const first = await runToEnd(plan, new Handlers(), input);
    const invalid = new InvalidPlaces(first);
    invalid.addUnfinished();
    const kept = keptNodes(first.program, compileProgram(next), { sameFunctions: true });
    const reuse = reusedResults(first, { runId: "before", invalid, keep: (key) => kept.has(key) });
    const handlers = new Handlers();
    const forked = await runToEnd(next, handlers, input, reuse);
    assert.deepEqual(shown(forked), shown(await runToEnd(next, new Handlers(), input)), `seed ${seed}`);
    for (const { key } of reuse) assert.ok(!handlers.called.includes(key), `seed ${seed}: ${key} was reused, and ran`);
    if (reuse.length > 0) reusedSome++;
  }
  assert.ok(reusedSome > SEEDS / 10, `only ${reusedSome} reused anything`);
});
