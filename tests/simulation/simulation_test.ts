import assert from "node:assert/strict";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulate.ts";

/** Seeds played with every test run; `deno task simulate --seeds N` plays as many as one likes. */
const SEEDS = 300;
/** Seeds a broken engine may live for. */
const MUTANT_SEEDS = 600;

/** What the seeds must bring up for their silence to mean something. */
const REACHED = [
  ...["run.created", "run.started", "run.paused", "run.resumed", "run.completed", "run.failed", "run.aborted"],
  ...["call.requested", "call.responded", "call.error", "call.aborted", "node.failed"],
  ...["node.aborted", "node.paused", "node.resumed", "node.nudged"],
  ...["branch.taken", "map.expanded", "loop.turned", "timer.set", "timer.fired"],
  ...["signal.awaited", "signal.received", "signal.timedout", "signal.buffered"],
  ...["node.reused", "run.migrated"],
  ...["refused", "lost-answer", "crash-before", "crash-after", "freeze", "slow"].map((fault) => `fault ${fault}`),
  ...["crash", "freeze", "thaw", "fenced", "claim", "rival", "drain", "clock", "spoke-restart"],
];

Deno.test("every invariant holds over 300 seeds of faults, and the seeds reach every event and fault", async () => {
  const reached = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { failure, tally } = await simulate(seed);
    assert.equal(failure, null, `seed ${seed}: ${failure?.invariant}: ${failure?.message}`);
    for (const what of tally.keys()) reached.add(what);
  }
  assert.deepEqual(REACHED.filter((what) => !reached.has(what)), []);
});

Deno.test("simulate() gives the same history, byte for byte, when the seed is the same", async () => {
  for (const seed of [1, 7, 23, 92, 2 ** 40 + 5]) {
    const [first, second] = [await simulate(seed, { keepHistory: true }), await simulate(seed, { keepHistory: true })];
    assert.deepEqual(first.history, second.history);
    assert.equal((await simulate(seed)).digest, first.digest);
    assert.ok(first.history!.length > 10);
  }
});

Deno.test("simulate() gives another history when the seed is another", async () => {
  const digests = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) digests.add((await simulate(seed)).digest);
  assert.equal(digests.size, 20);
});

for (const mutant of MUTANTS) {
  Deno.test(`the simulation catches an engine when ${mutant.name}`, async () => {
    let caught = false;
    for (let seed = 1; seed <= MUTANT_SEEDS && !caught; seed++) {
      caught = (await simulate(seed, { mutant })).failure !== null;
    }
    assert.ok(caught, `still alive after ${MUTANT_SEEDS} seeds`);
  });
}
