/** Every component in every other, to any depth, with data flowing where it likes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compile, TemplateError } from "@alkdev/flowgraph";
import { compileProgram, foldRun, keyOf, leaves } from "./mod.ts";
import { full, TestEngine, type Tree } from "./testing/test_engine.ts";

type Sketch =
  | { readonly leaf: "op" | "sleep" | "until" | "signal" | "approval" | "child"; readonly reads: number | null }
  | {
    readonly box: "sequential" | "parallel" | "race" | "map" | "loop" | "conditional";
    readonly limit: number | null;
    readonly inner: readonly Sketch[];
  };

const leaf: fc.Arbitrary<Sketch> = fc.record({
  leaf: fc.constantFrom("op", "op", "op", "sleep", "until", "signal", "approval", "child"),
  reads: fc.option(fc.nat(30), { nil: null, freq: 2 }),
});
const { sketch } = fc.letrec<{ sketch: Sketch }>((tie) => ({
  sketch: fc.oneof(
    { depthSize: "large", maxDepth: 6, withCrossShrink: true },
    leaf,
    fc.record({
      box: fc.constantFrom("sequential", "sequential", "parallel", "parallel", "race", "map", "loop", "conditional"),
      limit: fc.option(fc.integer({ min: 1, max: 2 }), { nil: null }),
      inner: fc.array(tie("sketch"), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));

/** A template of a sketch; `reads` are leaves by number, before or behind. */
function treeOf(root: Sketch): Tree {
  let count = 0;
  const numbered = new Map<Sketch, number>();
  const number = (one: Sketch): void => {
    numbered.set(one, count++);
    if ("box" in one) one.inner.forEach(number);
  };
  number(root);
  const leafKeys = [...numbered].filter(([one]) => "leaf" in one).map(([, n]) => `n${n}`);
  const build = (one: Sketch): Tree => {
    const key = `n${numbered.get(one)}`;
    if ("leaf" in one) {
      const read = one.reads === null ? undefined : leafKeys[one.reads];
      const input = read === undefined ? { value: 1 } : { value: { $ref: `nodes.${read}` } };
      switch (one.leaf) {
        case "op":
          return { type: "operation", props: { name: "t.step", key, input } };
        case "child":
          return { type: "workflow", props: { name: "child", key, input } };
        case "sleep":
          return { type: "sleep", props: { ms: 10, key } };
        case "until":
          return { type: "sleepuntil", props: { until: 5, key } };
        case "signal":
          return { type: "signal", props: { name: "any", key } };
        case "approval":
          return { type: "approval", props: { question: input, key } };
      }
    }
    const [first, ...rest] = one.inner.map(build);
    const limit = one.limit === null ? {} : { maxConcurrency: one.limit };
    const children = [first!, ...rest];
    switch (one.box) {
      case "parallel":
        return { type: "parallel", props: { key, ...limit }, children };
      case "map":
        return { type: "map", props: { key, as: `i${key}`, over: [1, 2], ...limit }, children };
      case "loop":
        return { type: "loop", props: { key, as: `i${key}`, while: `i${key} < 1`, maxIterations: 3 }, children };
      case "conditional":
        return {
          type: "conditional",
          props: { key, when: one.limit === 1 ? "false" : "true", ...(rest[0] && { else: full(rest[0]) }) },
          children: [first!],
        };
      default:
        return { type: one.box, props: { key }, children };
    }
  };
  return build(root);
}

/** Runs it, answering whatever is asked. False: it stands still and waits for nothing outside. */
async function ends(t: TestEngine, runId: string): Promise<boolean> {
  for (let idle = 0; idle < 3;) {
    const before = t.events(runId).length;
    await t.settle();
    const live = t.engine.live(runId);
    if (live === null) return true;
    for (const { frame, vertex } of [...leaves(live.state)]) {
      const node = live.state.program.plan.nodes[frame.block.nodes[vertex]!]!;
      if (node.kind !== "signal") continue;
      await t.engine.answer(runId, { name: keyOf(live.state, frame, vertex), payload: 1, by: "ann" });
    }
    const due = t.clock.nextDue();
    if (due !== null) t.clock.advance(Math.max(0, due - t.clock.now()));
    idle = t.events(runId).length === before ? idle + 1 : 0;
  }
  return false;
}

function valid(tree: Tree): boolean {
  try {
    compile({ name: "test", template: full(tree) as object });
    return true;
  } catch (error) {
    if (error instanceof TemplateError) return false;
    throw error;
  }
}

Deno.test("components nest in each other to any depth: every run ends, and its log folds to its state (I4, I6)", async () => {
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(sketch, async (drawn) => {
      const tree = treeOf(drawn);
      fc.pre(valid(tree));
      const t = new TestEngine();
      t.handlers.set("workflow.child", (call) => call.input);
      const runId = await t.start(tree);
      assert.ok(await ends(t, runId), "the run stands still, and waits for nothing");
      const created = t.events(runId)[0]!;
      assert.ok(created.type === "run.created");
      const plan = t.store.plans.get(created.planHash)!;
      for (const { kind } of plan.nodes) kinds.add(kind);
      const state = foldRun(compileProgram(plan), t.events(runId));
      assert.ok(state.terminal !== null && [...leaves(state)].every(({ frame, vertex }) => frame.status[vertex]! >= 4));
    }),
    { numRuns: 600 },
  );
  assert.deepEqual(
    [...kinds].sort(),
    [
      ...["conditional", "loop", "map", "operation", "parallel", "race", "sequential", "signal", "sleep", "workflow"],
    ],
  );
});

Deno.test("a wait inside a Parallel inside a Loop inside a Conditional is waited for in each turn", async () => {
  const t = new TestEngine();
  const both: Tree = {
    type: "parallel",
    children: [
      { type: "approval", props: { key: "ok", question: { turn: { $ref: "turn" } } } },
      { type: "sleep", props: { key: "nap", ms: 1_000 } },
    ],
  };
  const loop: Tree = {
    type: "loop",
    props: { key: "l", as: "turn", while: "turn < 2", maxIterations: 9 },
    children: [both],
  };
  const runId = await t.start({ type: "conditional", props: { when: "true" }, children: [loop] });
  assert.ok(await ends(t, runId));
  const asked = t.events(runId).flatMap((event) =>
    event.type === "signal.awaited" ? [[event.key, event.question]] : []
  );
  assert.deepEqual(asked, [["ok[0]", { turn: 0 }], ["ok[1]", { turn: 1 }], ["ok[2]", { turn: 2 }]]);
  assert.equal(t.events(runId).at(-1)?.type, "run.completed");
});

const dense = fc.letrec<{ sketch: Sketch }>((tie) => ({
  sketch: fc.oneof(
    { depthSize: "large", maxDepth: 4, withCrossShrink: true },
    fc.record({ leaf: fc.constant("op" as const), reads: fc.option(fc.nat(9), { nil: null, freq: 3 }) }),
    fc.record({
      box: fc.constantFrom("sequential" as const, "parallel" as const),
      limit: fc.option(fc.integer({ min: 1, max: 2 }), { nil: null, freq: 4 }),
      inner: fc.array(tie("sketch"), { minLength: 1, maxLength: 4 }),
    }),
  ),
})).sketch;

Deno.test("no run stands still over the places of limited Parallels, whatever their children read", async () => {
  await fc.assert(
    fc.asyncProperty(dense, async (drawn) => {
      const tree = treeOf(drawn);
      fc.pre(valid(tree));
      const t = new TestEngine();
      const runId = await t.start(tree);
      assert.ok(await ends(t, runId), "the run stands still, and waits for nothing");
    }),
    { numRuns: 2_000, maxSkipsPerRun: 1000 },
  );
});
