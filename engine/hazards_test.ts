/** The hazards of docs/engine: sizes that break recursion, effects that run twice, propagation that overflows. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { compile } from "@alkdev/flowgraph";
import { compileProgram } from "./mod.ts";
import { full, map, op, par, seq, TestEngine } from "./testing/test_engine.ts";

Deno.test("a chain of 10,000 nodes completes, each node dispatched once", async () => {
  const t = new TestEngine();
  const end = await t.run(
    seq(
      ...Array.from(
        { length: 10_000 },
        (_, i) => op(`n${i}`, i === 0 ? { input: 1 } : { input: { $ref: `nodes.n${i - 1}` } }),
      ),
    ),
  );
  assert.deepEqual(end.type === "run.completed" && [end.output, end.counts.completed], [1, 10_000]);
  assert.equal(new Set(t.calls.map((call) => call.nodeKey)).size, 10_000);
  assert.equal(t.calls.length, 10_000);
});

Deno.test("a fan-out of 10,000 completes with its join", async () => {
  const t = new TestEngine();
  const end = await t.run(
    seq(par(Array.from({ length: 10_000 }, (_, i) => op(`n${i}`, { input: i })), {}), op("join", { input: "end" })),
  );
  assert.deepEqual(end.type === "run.completed" && [end.output, end.counts.completed], ["end", 10_001]);
  assert.equal(t.calls.length, 10_001);
});

Deno.test("a Map over 10,000 items known only at run time completes, with and without a limit", async () => {
  for (const limit of [{}, { maxConcurrency: 7 }]) {
    const t = new TestEngine();
    t.handlers.set("t.list", () => Array.from({ length: 10_000 }, (_, i) => i));
    const end = await t.run(
      seq(op("ls", {}, "list"), map({ over: { $ref: "nodes.ls" }, ...limit }, op("x", { input: { $ref: "item" } }))),
    );
    assert.equal(end.type === "run.completed" && (end.output as number[])[9_999], 9_999);
    assert.equal(t.calls.length, 10_001);
  }
});

Deno.test("a failure cascades through 5,000 dependents without recursion", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "at the head");
  });
  const end = await t.run(seq(op("head", {}, "fail"), ...Array.from({ length: 5_000 }, (_, i) => op(`n${i}`))));
  assert.deepEqual(end.type === "run.failed" && [end.error.nodeKey, end.counts.aborted], ["head", 5_000]);
  assert.equal(t.calls.length, 1);
});

Deno.test("an abort reaches 5,000 calls under way, each told once", async () => {
  const t = new TestEngine();
  let told = 0;
  t.handlers.set("t.hang", (call) => {
    call.signal.addEventListener("abort", () => told++);
    return new Promise(() => {});
  });
  const runId = await t.start(par(Array.from({ length: 5_000 }, (_, i) => op(`n${i}`, {}, "hang"))));
  await t.settle();
  await t.engine.abort(runId, { reason: "enough", by: "me" });
  assert.equal(told, 5_000);
  assert.equal(t.events(runId).filter((event) => event.type === "call.aborted").length, 5_000);
});

Deno.test("a plan of 100,000 nodes compiles and runs", async () => {
  const t = new TestEngine();
  const branch = (i: number) => seq(...Array.from({ length: 100 }, (_, j) => op(`n${i}_${j}`)));
  const end = await t.run(par(Array.from({ length: 1_000 }, (_, i) => branch(i)), { maxConcurrency: 500 }));
  assert.deepEqual(end.type === "run.completed" && end.counts.completed, 100_000);
});

Deno.test("containers nested 60 deep run", async () => {
  let tree = op("x", { input: 3 });
  for (let i = 0; i < 60; i++) tree = i % 2 === 0 ? seq(tree) : par([tree]);
  const end = await new TestEngine().run(tree);
  assert.equal(end.type, "run.completed");
});

Deno.test("compileProgram() looks behind a node once when 5,000 children of a limited Parallel read it", () => {
  const chain = seq(...Array.from({ length: 5_000 }, (_, i) => op(`c${i}`)));
  const readers = Array.from(
    { length: 5_000 },
    (_, i) => seq(op(`a${i}`), op(`b${i}`, { input: { $ref: "nodes.c4999" } })),
  );
  const elapsed = (props: Readonly<Record<string, unknown>>): number => {
    const { plan } = compile({ name: "wide", template: full(par([chain, par(readers, props)])) as object });
    const began = performance.now();
    compileProgram(plan);
    return performance.now() - began;
  };
  const free = Math.max(1, elapsed({}), elapsed({}));
  const limited = Math.min(elapsed({ maxConcurrency: 100 }), elapsed({ maxConcurrency: 100 }));
  // 1 to 3 times as long when looked at once, more than 50 times when looked at for every child.
  assert.ok(limited < 20 * free + 50, `${limited} ms with a limit, ${free} ms without`);
});
