/** Crashes at every commit of generated runs: the next owner folds the log and goes on (I1, I2, I3, I6). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CallError } from "@alkdev/operations";
import { MemoryStore } from "./memory/mod.ts";
import { compileProgram, foldRun, keyOf, leaves, type RunEvent, STATUS_NAMES } from "./mod.ts";
import { map, op, par, seq, TestEngine, type Tree, when } from "./testing/test_engine.ts";

/** A tree of every component, keys given in order of making so that they are unique. */
function trees(): fc.Arbitrary<Tree> {
  const leaf = fc.constantFrom("step", "fail", "flaky", "slow").map((name) => ({ leaf: name }));
  const shape = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      leaf,
      fc.record({ kind: fc.constant("seq"), children: fc.array(tie("node"), { maxLength: 4 }) }),
      fc.record({
        kind: fc.constant("par"),
        children: fc.array(tie("node"), { maxLength: 4 }),
        max: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      }),
      fc.record({
        kind: fc.constant("when"),
        holds: fc.boolean(),
        catches: fc.boolean(),
        then: tie("node"),
        otherwise: fc.option(tie("node"), { nil: undefined }),
      }),
      fc.record({
        kind: fc.constant("map"),
        items: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
        max: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
        body: tie("node"),
      }),
      fc.record({ kind: fc.constant("loop"), turns: fc.integer({ min: 1, max: 3 }), body: tie("node") }),
      fc.record({ kind: fc.constant("race"), children: fc.array(tie("node"), { minLength: 1, maxLength: 3 }) }),
      fc.constant({ kind: "sleep" }),
    ),
  })).node;
  return shape.map((made) => grow(made as Shape, { next: 0, last: null }));
}

interface Shape {
  readonly leaf?: string;
  readonly kind?: string;
  readonly children?: readonly Shape[];
  readonly then?: Shape;
  readonly otherwise?: Shape;
  readonly body?: Shape;
  readonly holds?: boolean;
  readonly catches?: boolean;
  readonly items?: readonly number[];
  readonly turns?: number;
  readonly max?: number;
}

function grow(shape: Shape, names: { next: number; last: string | null }): Tree {
  const key = `n${names.next++}`;
  if (shape.leaf !== undefined) {
    names.last = key;
    return op(key, { input: key, retry: { maxAttempts: 2, backoff: 5, jitter: 0 } }, shape.leaf);
  }
  const limit = shape.max === undefined ? {} : { maxConcurrency: shape.max };
  switch (shape.kind) {
    case "seq":
      return seq(...shape.children!.map((child) => grow(child, names)));
    case "par":
      return par(shape.children!.map((child) => grow(child, names)), limit);
    case "race":
      return { type: "race", children: shape.children!.map((child) => grow(child, names)) };
    case "map":
      return map({ key, over: shape.items, as: key, ...limit }, grow(shape.body!, names));
    case "loop":
      return {
        type: "loop",
        props: { key, while: "true", maxIterations: shape.turns },
        children: [grow(shape.body!, names)],
      };
    case "sleep":
      return { type: "sleep", props: { key, ms: 7 } };
    default: {
      const test = `${
        shape.catches && names.last !== null ? `status.${names.last} != "nothing" && ` : ""
      }${shape.holds}`;
      const before = names.last;
      const then = grow(shape.then!, names);
      names.last = before; // a branch may not look into the other
      return when({ key, when: test }, then, shape.otherwise === undefined ? undefined : grow(shape.otherwise, names));
    }
  }
}

function equip(t: TestEngine): TestEngine {
  t.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "always");
  });
  t.handlers.set("t.flaky", (call) => {
    if (call.attempt === 1) throw new CallError("FLAKY", "first");
    return call.input;
  });
  t.handlers.set("t.slow", async (call) => {
    await t.settle(2);
    return call.input;
  });
  return t;
}

/** The log without times: what the fold is compared by. */
function snapshot(store: MemoryStore, events: readonly RunEvent[]): string {
  const created = events[0];
  if (created?.type !== "run.created") throw new Error("no log");
  const state = foldRun(compileProgram(store.plans.get(created.planHash)!), events);
  return JSON.stringify([
    state.status,
    state.finished,
    [...leaves(state)].map((
      { frame, vertex },
    ) => [keyOf(state, frame, vertex), STATUS_NAMES[frame.status[vertex]!], frame.cells[vertex]]),
  ]);
}

function checkLog(events: readonly RunEvent[]): void {
  const outcomes = new Set<string>();
  const completed = new Set<string>();
  events.forEach((event, i) => assert.equal(event.seq, i + 1, "seqs have no gap"));
  for (const event of events) {
    if (event.type === "call.requested") {
      assert.ok(!completed.has(event.key), `I3: ${event.key} ran again after it had completed`);
    }
    if (event.type !== "call.responded" && event.type !== "call.error") continue;
    const attempt = `${event.key}/${event.attempt}`;
    assert.ok(!outcomes.has(attempt), `I2: two outcomes of ${attempt}`);
    outcomes.add(attempt);
    if (event.type === "call.responded") completed.add(event.key);
  }
  const last = events.at(-1)!;
  assert.ok(last.type.startsWith("run.") && last.type !== "run.created", `the log ends with ${last.type}`);
}

async function runWithCrashes(
  tree: Tree,
  crashAfter: readonly number[],
): Promise<{ store: MemoryStore; runId: string }> {
  const store = new MemoryStore();
  let t = equip(new TestEngine({ store }));
  const runId = await t.start(tree);
  for (const commits of crashAfter) {
    let left = commits;
    const before = t;
    // The old engine is simply no longer heard: its next commit is fenced, whatever it still does.
    while (left-- > 0 && before.engine.live(runId) !== null) {
      await before.settle(1);
      const due = before.clock.nextDue();
      if (due !== null) before.clock.advance(Math.max(0, due - before.clock.now()));
    }
    t = equip(new TestEngine({ store, clock: before.clock }));
    for (const id of await t.lease.claim(10)) await t.engine.adopt(id);
    await before.settle(3);
    assert.ok(before.fenced || before.engine.live(runId) === null || before.engine.stats().backlog === 0);
    if (t.engine.live(runId) === null) break;
  }
  await t.end(runId);
  return { store, runId };
}

Deno.test("a generated run ends, its log is sound, and folding it gives the same state each time (I6)", async () => {
  await fc.assert(
    fc.asyncProperty(trees(), async (tree) => {
      const { store, runId } = await runWithCrashes(tree, []);
      const { events } = store.runs.get(runId)!;
      checkLog(events);
      assert.equal(snapshot(store, events), snapshot(store, JSON.parse(JSON.stringify(events))));
    }),
    { numRuns: 150 },
  );
});

Deno.test("a generated run whose hub dies again and again still ends, and nothing completed runs twice (I2, I3)", async () => {
  await fc.assert(
    fc.asyncProperty(
      trees(),
      fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 }),
      async (tree, crashes) => {
        const { store, runId } = await runWithCrashes(tree, crashes);
        checkLog(store.runs.get(runId)!.events);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("Engine.adopt() sends what was under way again with the same request id, and a durable retry at its time", async () => {
  const store = new MemoryStore();
  const a = new TestEngine({ store });
  a.handlers.set("t.hang", () => new Promise(() => {}));
  a.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "once");
  });
  const runId = await a.start(
    par([op("long", {}, "hang"), op("back", { retry: { maxAttempts: 2, backoff: 1000, jitter: 0 } }, "fail")]),
  );
  await a.settle();
  const b = new TestEngine({ store, clock: a.clock });
  b.handlers.set("t.hang", () => "done");
  b.handlers.set("t.fail", (call) => call.attempt);
  assert.deepEqual(await b.lease.claim(10), [runId]);
  await b.engine.adopt(runId);
  const end = await b.end(runId);
  assert.equal(
    b.calls.find((call) => call.nodeKey === "long")?.requestId,
    a.calls.find((call) => call.nodeKey === "long")?.requestId,
  );
  assert.deepEqual(end.type === "run.completed" && end.output, ["done", 2]);
});
