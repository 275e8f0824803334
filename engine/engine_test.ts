import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { deferred, map, op, par, seq, TestEngine, when } from "./testing/test_engine.ts";

const fails = (code = "BOOM"): never => {
  throw new CallError(code, `It went ${code}`);
};

Deno.test("Engine runs a Sequential in order and gives the last node's data", async () => {
  const t = new TestEngine();
  t.handlers.set("t.add", (call) => ({ n: (call.input as { n: number }).n + 1 }));
  const end = await t.run(
    seq(op("a", { input: { n: { $ref: "input.n" } } }, "add"), op("b", { input: { n: { $ref: "nodes.a.n" } } }, "add")),
    { n: 40 },
  );
  assert.equal(end.type, "run.completed");
  assert.deepEqual(end.type === "run.completed" && end.output, { n: 42 });
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a", "b"]);
});

Deno.test("Engine ends an empty template at once", async () => {
  const end = await new TestEngine().run(seq());
  assert.equal(end.type === "run.completed" && end.output, null);
});

Deno.test("Engine starts a dependent only after its predecessor's result is durable", async () => {
  const gate = deferred<void>();
  let holding = false;
  const t = new TestEngine({
    wrapLog: (log) => ({
      ...log,
      commit: async (batch) => {
        if (batch.some((event) => event.type === "call.responded" && event.key === "a")) {
          holding = true;
          await gate.promise;
        }
        return log.commit(batch);
      },
    }),
  });
  const runId = await t.start(seq(op("a"), op("b")));
  await t.settle(10);
  assert.equal(holding, true);
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a"]);
  gate.resolve();
  await t.end(runId);
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a", "b"]);
});

Deno.test("Engine runs Parallel branches at the same time and joins them", async () => {
  const t = new TestEngine();
  const waits = { a: deferred(), b: deferred() };
  t.handlers.set("t.wait", (call) => waits[call.nodeKey as "a" | "b"].promise);
  const runId = await t.start(seq(par([op("a", {}, "wait"), op("b", {}, "wait")]), op("c")));
  await t.settle();
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a", "b"]);
  waits.b.resolve(2);
  await t.settle();
  assert.equal(t.calls.length, 2);
  waits.a.resolve(1);
  await t.end(runId);
  assert.equal(t.calls[2]?.nodeKey, "c");
});

Deno.test("Engine lets Parallel siblings of a failed branch finish and aborts the join", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => fails());
  const runId = await t.start(seq(par([op("bad", {}, "fail"), seq(op("x"), op("y"))]), op("after")));
  const end = await t.end(runId);
  assert.equal(end.type, "run.failed");
  assert.deepEqual(end.type === "run.failed" && [end.error.code, end.error.nodeKey], ["BOOM", "bad"]);
  assert.deepEqual(await t.statuses(runId), { bad: "failed", x: "completed", y: "completed", after: "aborted" });
});

Deno.test("Engine keeps maxConcurrency of a Parallel (I7)", async () => {
  const t = new TestEngine();
  let now = 0;
  let most = 0;
  t.handlers.set("t.slow", async () => {
    most = Math.max(most, ++now);
    await t.settle(2);
    now--;
  });
  const end = await t.run(par(Array.from({ length: 12 }, (_, i) => op(`n${i}`, {}, "slow")), { maxConcurrency: 3 }));
  assert.equal(end.type, "run.completed");
  assert.equal(most, 3);
  assert.equal(t.calls.length, 12);
});

Deno.test("Engine gives back the slot of a branch that fails, is skipped or waits for another branch", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => fails());
  const runId = await t.start(par([
    op("first", { input: { $ref: "nodes.last" } }),
    op("bad", {}, "fail"),
    when({ when: "false" }, op("never")),
    op("last"),
  ], { maxConcurrency: 1 }));
  await t.end(runId);
  assert.deepEqual(await t.statuses(runId), { first: "completed", bad: "failed", never: "skipped", last: "completed" });
});

Deno.test("Conditional takes then, else or neither by its condition", async () => {
  for (
    const [n, expected] of [[5, { a: "completed", big: "completed", small: "skipped" }], [1, {
      a: "completed",
      big: "skipped",
      small: "completed",
    }]] as const
  ) {
    const t = new TestEngine();
    const runId = await t.start(
      seq(op("a", { input: { n } }), when({ when: "nodes.a.n > 3" }, op("big"), op("small"))),
    );
    assert.equal((await t.end(runId)).type, "run.completed");
    assert.deepEqual(await t.statuses(runId), expected);
  }
  const t = new TestEngine();
  const runId = await t.start(seq(op("a"), when({ when: "false" }, op("b")), op("c")));
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.deepEqual(await t.statuses(runId), { a: "completed", b: "skipped", c: "completed" });
});

Deno.test("Conditional with else is an error boundary for the failure it tests", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => fails());
  const runId = await t.start(
    seq(op("a", {}, "fail"), op("b"), when({ test: "b" }, op("good"), op("rescue")), op("after")),
  );
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.deepEqual(await t.statuses(runId), {
    a: "failed",
    b: "aborted",
    good: "skipped",
    rescue: "completed",
    after: "completed",
  });
});

Deno.test("Conditional sees the error it catches", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => fails("RATE_LIMIT"));
  const end = await t.run(seq(
    op("a", {}, "fail"),
    when(
      { when: 'status.a == "failed" && errors.a.code == "RATE_LIMIT"' },
      op("slow", { input: { why: { $ref: "errors.a.code" } } }),
      op("other"),
    ),
  ));
  assert.deepEqual(end.type === "run.completed" && end.output, { why: "RATE_LIMIT" });
});

Deno.test("Conditional that does not look at the failure cascades it", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => fails());
  const runId = await t.start(seq(op("a", {}, "fail"), when({ when: "input.x == 1" }, op("b"), op("c")), op("d")), {
    x: 1,
  });
  assert.equal((await t.end(runId)).type, "run.failed");
  assert.deepEqual(await t.statuses(runId), { a: "failed", b: "aborted", c: "aborted", d: "aborted" });
});

Deno.test("Conditional fails its node when its condition is no condition", async () => {
  const end = await new TestEngine().run(
    seq(op("a", { input: { n: null } }), when({ key: "gate", when: "nodes.a.n.m > 3" }, op("b"))),
  );
  assert.deepEqual(end.type === "run.failed" && [end.error.code, end.error.nodeKey], ["VALIDATION_ERROR", "gate"]);
});

Deno.test("Map runs its body per item of a list known only at run time", async () => {
  const t = new TestEngine();
  t.handlers.set("t.list", () => ({ files: [{ p: "x" }, { p: "y" }, { p: "z" }] }));
  const end = await t.run(seq(
    op("ls", {}, "list"),
    map(
      { key: "each", over: { $ref: "nodes.ls.files" } },
      op("read", { input: { path: { $ref: "item.p" } } }),
      op("len", { input: { of: { $ref: "nodes.read.path" } } }),
    ),
    op("join", { input: { all: { $ref: "nodes.each" }, paths: { $ref: "nodes.read" } } }),
  ));
  assert.deepEqual(end.type === "run.completed" && end.output, {
    all: [{ of: "x" }, { of: "y" }, { of: "z" }],
    paths: [{ path: "x" }, { path: "y" }, { path: "z" }],
  });
  assert.ok(t.calls.some((call) => call.nodeKey === "len[2]"));
});

Deno.test("Map over nothing completes at once", async () => {
  const end = await new TestEngine().run(seq(map({ over: [] }, op("x")), op("after", { input: 1 })));
  assert.equal(end.type === "run.completed" && end.output, 1);
});

Deno.test("Map fails when one item fails, and keeps the others' results", async () => {
  const t = new TestEngine();
  t.handlers.set("t.odd", (call) => (call.input as number) % 2 === 1 ? fails("ODD") : call.input);
  const runId = await t.start(
    seq(map({ key: "m", over: [1, 2, 4] }, op("x", { input: { $ref: "item" } }, "odd")), op("after")),
  );
  const end = await t.end(runId);
  assert.equal(end.type === "run.failed" && end.error.nodeKey, "x[0]");
  assert.deepEqual(await t.statuses(runId), {
    "x[0]": "failed",
    "x[1]": "completed",
    "x[2]": "completed",
    after: "aborted",
  });
});

Deno.test("Map fails its node when its reference gives no list", async () => {
  const end = await new TestEngine().run(
    seq(op("a", { input: { n: 1 } }), map({ key: "m", over: { $ref: "nodes.a.n" } }, op("x"))),
  );
  assert.deepEqual(end.type === "run.failed" && [end.error.code, end.error.nodeKey], ["VALIDATION_ERROR", "m"]);
});

Deno.test("Map keeps maxConcurrency over items and over nested containers", async () => {
  const t = new TestEngine();
  let now = 0;
  let most = 0;
  t.handlers.set("t.slow", async () => {
    most = Math.max(most, ++now);
    await t.settle(1);
    now--;
  });
  const end = await t.run(
    map({ over: [1, 2, 3, 4, 5, 6], maxConcurrency: 2 }, par([op("a", {}, "slow"), seq(op("b"), op("c"))])),
  );
  assert.equal(end.type, "run.completed");
  assert.equal(most, 2);
});

Deno.test("Map nests: keys carry both indices, and the outer item is seen inside", async () => {
  const t = new TestEngine();
  const end = await t.run(
    map(
      { key: "rows", over: [[1, 2], [3]], as: "row" },
      map({ over: { $ref: "row" }, as: "cell" }, op("x", { input: [{ $ref: "row" }, { $ref: "cell" }] })),
    ),
  );
  assert.deepEqual(end.type === "run.completed" && end.output, [[[[1, 2], 1], [[1, 2], 2]], [[[3], 3]]]);
  assert.deepEqual(t.calls.map((call) => call.nodeKey).sort(), ["x[0][0]", "x[0][1]", "x[1][0]"]);
});

Deno.test("Engine retries by policy with backoff and a new request id, then goes on", async () => {
  const t = new TestEngine();
  t.handlers.set("t.flaky", (call) => call.attempt < 3 ? fails("FLAKY") : "ok");
  const runId = await t.start(
    op("a", {
      retry: { maxAttempts: 3, backoff: { kind: "exponential", initialMs: 100, factor: 2, maxMs: 1000 }, jitter: 0 },
    }, "flaky"),
  );
  const begin = t.clock.now();
  const end = await t.end(runId);
  assert.equal(end.type === "run.completed" && end.output, "ok");
  assert.equal(t.clock.now() - begin, 300);
  assert.equal(new Set(t.calls.map((call) => call.requestId)).size, 3);
});

Deno.test("Engine does not retry a code that the policy leaves out", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => fails("B"));
  const end = await t.run(op("a", { retry: { maxAttempts: 5, on: ["A"] } }, "fail"));
  assert.equal(end.type === "run.failed" && end.error.code, "B");
  assert.equal(t.calls.length, 1);
});

Deno.test("Engine ends an attempt at its timeout, aborts its signal and drops the late answer (I2)", async () => {
  const t = new TestEngine();
  const late = deferred();
  let aborted = false;
  t.handlers.set("t.hang", (call) => {
    call.signal.addEventListener("abort", () => aborted = true);
    return late.promise;
  });
  const runId = await t.start(op("a", { timeout: 50 }, "hang"));
  const end = await t.end(runId);
  assert.equal(end.type === "run.failed" && end.error.code, "TIMEOUT");
  assert.equal(aborted, true);
  const before = t.events(runId).length;
  late.resolve("too late");
  await t.settle();
  assert.equal(t.events(runId).length, before);
});

Deno.test("Engine.abort() reaches every call and starts nothing more (I5)", async () => {
  const t = new TestEngine();
  const signals: AbortSignal[] = [];
  t.handlers.set("t.hang", (call) => {
    signals.push(call.signal);
    return new Promise(() => {});
  });
  const runId = await t.start(seq(par([op("a", {}, "hang"), op("b", {}, "hang")]), op("c")));
  await t.settle();
  assert.equal(await t.engine.abort(runId, { reason: "enough", by: "me" }), true);
  assert.deepEqual(signals.map((signal) => signal.aborted), [true, true]);
  assert.deepEqual(await t.statuses(runId), { a: "aborted", b: "aborted", c: "aborted" });
  assert.equal(t.events(runId).at(-1)?.type, "run.aborted");
  assert.equal(t.events(runId).filter((event) => event.type === "call.aborted").length, 2);
  assert.equal(t.engine.live(runId), null);
});

Deno.test("Race: the first success wins and the others are aborted", async () => {
  const t = new TestEngine();
  t.handlers.set("t.hang", () => new Promise(() => {}));
  t.handlers.set("t.fail", () => fails());
  const runId = await t.start({
    type: "race",
    children: [op("bad", {}, "fail"), seq(op("slow", {}, "hang"), op("never")), op("quick", { input: 7 })],
  });
  const end = await t.end(runId);
  assert.equal(end.type === "run.completed" && end.output, 7);
  assert.deepEqual(await t.statuses(runId), { bad: "failed", slow: "aborted", never: "aborted", quick: "completed" });
});

Deno.test("Race fails when every branch has failed", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => fails());
  assert.equal(
    (await t.run({ type: "race", children: [op("x", {}, "fail"), op("y", {}, "fail")] })).type,
    "run.failed",
  );
});

Deno.test("Loop runs its body again while its condition holds, at most maxIterations times", async () => {
  const t = new TestEngine();
  const end = await t.run({
    type: "loop",
    props: { while: "nodes.x < 2", maxIterations: 10, as: "turn" },
    children: [op("x", { input: { $ref: "turn" } })],
  });
  assert.deepEqual(end.type === "run.completed" && end.output, [0, 1, 2]);
  const capped = await new TestEngine().run({
    type: "loop",
    props: { while: "true", maxIterations: 3 },
    children: [op("x", { input: 1 })],
  });
  assert.deepEqual(capped.type === "run.completed" && capped.output, [1, 1, 1]);
});

Deno.test("Sleep is a timer in the log, and Signal waits for its answer or its time-out", async () => {
  const t = new TestEngine();
  const begin = t.clock.now();
  const slept = await t.run(seq({ type: "sleep", props: { ms: 60_000 } }, op("a", { input: 1 })));
  assert.equal(slept.type, "run.completed");
  assert.equal(t.clock.now() - begin, 60_000);
  const runId = await t.start(
    seq({ type: "signal", props: { name: "go", key: "s" } }, op("a", { input: { got: { $ref: "nodes.s" } } })),
  );
  await t.settle();
  assert.equal(await t.engine.answer(runId, { name: "nope", payload: 1, by: "me" }), "unknown");
  assert.equal(await t.engine.answer(runId, { name: "go", payload: { x: 1 }, by: "me" }), "answered");
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.completed" && end.output, { got: { x: 1 } });
  const late = await t.run({ type: "signal", props: { name: "go", timeout: 10 } });
  assert.equal(late.type === "run.failed" && late.error.code, "TIMEOUT");
});

Deno.test("Engine.setPaused() holds back what has not started and lets it go on", async () => {
  const t = new TestEngine();
  const first = deferred();
  t.handlers.set("t.wait", () => first.promise);
  const runId = await t.start(seq(op("a", {}, "wait"), op("b")));
  await t.settle();
  assert.equal(await t.engine.setPaused(runId, true, "me"), true);
  first.resolve(1);
  await t.settle(10);
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a"]);
  await t.engine.setPaused(runId, false, "me");
  assert.equal((await t.end(runId)).type, "run.completed");
});

Deno.test("Engine.start() with a used idempotency key gives the run that has it", async () => {
  const t = new TestEngine();
  const first = await t.start(op("a"), {}, { idempotencyKey: "k" });
  await t.end(first);
  const again = await t.start(op("a"), {}, { idempotencyKey: "k" });
  assert.equal(again, first);
  await t.settle();
  assert.equal(t.calls.length, 1);
  assert.equal(t.store.runs.size, 1);
});

Deno.test("Engine refuses a result that is too large or has no JSON form, with the node's name", async () => {
  const t = new TestEngine({ limits: { value: { maxBytes: 1000, maxDepth: 10 } } });
  t.handlers.set("t.big", () => "x".repeat(2000));
  t.handlers.set("t.odd", () => ({ n: 1n }));
  const big = await t.run(op("a", {}, "big"));
  assert.deepEqual(big.type === "run.failed" && [big.error.code, big.error.message.includes('"a"')], [
    "PAYLOAD_TOO_LARGE",
    true,
  ]);
  const odd = await t.run(op("a", {}, "odd"));
  assert.equal(odd.type === "run.failed" && odd.error.code, "VALIDATION_ERROR");
});

Deno.test("Engine lets no handler change what is recorded, in its input or in what it has answered (I6)", async () => {
  const t = new TestEngine();
  const kept = { list: [1] };
  t.handlers.set("t.give", () => kept);
  t.handlers.set("t.spoil", (call) => {
    const input = call.input as { list: number[] };
    input.list.push(2);
    kept.list.push(3);
    return input;
  });
  const ref = { $ref: "nodes.a" };
  const end = await t.run(seq(op("a", {}, "give"), op("b", { input: ref }, "spoil"), op("c", { input: ref })));
  assert.deepEqual(end.type === "run.completed" && end.output, { list: [1] });
  assert.deepEqual(t.committed.filter((event) => event.type === "call.requested").map((event) => event.input), [
    {},
    { list: [1] },
    { list: [1] },
  ]);
});

Deno.test("Engine keeps a field named __proto__ as data", async () => {
  const t = new TestEngine();
  const odd = JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}');
  const end = await t.run(op("a", { input: { $ref: "input" } }), odd);
  assert.equal(JSON.stringify(end.type === "run.completed" && end.output), JSON.stringify(odd));
});

Deno.test("Engine records a handler's Date as its JSON text, in memory as in the log", async () => {
  const t = new TestEngine();
  t.handlers.set("t.date", () => ({ at: new Date(0), gone: undefined }));
  const end = await t.run(op("a", {}, "date"));
  assert.deepEqual(end.type === "run.completed" && end.output, { at: "1970-01-01T00:00:00.000Z" });
});

Deno.test("Engine sends a failed commit again until it is durable", async () => {
  let failures = 3;
  const t = new TestEngine({
    wrapLog: (log) => ({
      ...log,
      commit: (batch) => failures-- > 0 ? Promise.reject(new Error("connection lost")) : log.commit(batch),
    }),
  });
  const pending = t.start(op("a", { input: 5 }));
  let runId: string | undefined;
  void pending.then((id) => runId = id);
  while (runId === undefined) {
    await t.settle();
    t.clock.advance(50);
  }
  const end = await t.end(runId);
  assert.equal(end.type === "run.completed" && end.output, 5);
});

Deno.test("Engine refuses a start when its queues are full", async () => {
  const t = new TestEngine({ limits: { maxLiveRuns: 1 } });
  t.handlers.set("t.hang", () => new Promise(() => {}));
  await t.start(op("a", {}, "hang"));
  await assert.rejects(t.start(op("a", {}, "hang")), (error: CallError) => error.code === "OVERLOADED");
});

Deno.test("Engine refuses a start when live runs hold too much, and takes it again once they have ended", async () => {
  const t = new TestEngine({ limits: { maxLiveBytes: 1000 } });
  const first = deferred();
  t.handlers.set("t.wait", () => first.promise);
  const runId = await t.start(op("a", {}, "wait"), "x".repeat(1500));
  await assert.rejects(t.start(op("a"), {}), (error: CallError) => error.code === "OVERLOADED");
  first.resolve("y".repeat(1500));
  await t.end(runId);
  await t.settle();
  assert.equal((await t.run(op("a"), {})).type, "run.completed");
});

Deno.test("Engine that is fenced writes and dispatches nothing more (I2)", async () => {
  const t = new TestEngine();
  const first = deferred();
  let signal: AbortSignal | undefined;
  t.handlers.set("t.wait", (call) => {
    signal = call.signal;
    return first.promise;
  });
  const runId = await t.start(seq(op("a", {}, "wait"), op("b")));
  await t.settle();
  const next = new TestEngine({ store: t.store, clock: t.clock });
  next.handlers.set("t.wait", () => "from the new owner");
  first.resolve("from the old owner");
  await t.settle(10);
  assert.equal(t.fenced, true);
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a"]);
  assert.equal(signal?.aborted, false, "its handler had already answered");
  for (const id of await next.lease.claim(10)) await next.engine.adopt(id);
  const end = await next.end(runId);
  assert.equal(end.type, "run.completed");
  const outcomes = next.events(runId).filter((event) => event.type === "call.responded" && event.key === "a");
  assert.equal(outcomes.length, 1);
});

Deno.test("run.failed names the failure nobody caught, not one that was caught and that an aborted branch would have read", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "always");
  });
  const end = await t.run(
    par([
      seq(op("bad", {}, "fail"), when({ key: "caught", when: 'status.bad == "failed"' }, op("mend"))),
      when({ key: "second", when: "nodes.mend.missing > 1" }, op("never", { input: { $ref: "errors.bad.code" } })),
    ]),
  );
  assert.equal(end.type === "run.failed" && end.error.nodeKey, "second");
});

Deno.test("Conditional catches a failure whatever an aborted container before it would have waited for", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "always");
  });
  const end = await t.run(
    par([
      seq(op("other", {}, "fail"), when({ key: "mended", when: 'status.other == "failed"' }, op("mend"))),
      seq(
        op("late", { input: { $ref: "nodes.mend" } }, "fail"),
        par([op("x", { input: { $ref: "errors.other.code" } })]),
        when({ key: "catch", when: 'status.late == "failed"' }, op("y")),
      ),
    ]),
  );
  assert.equal(end.type, "run.completed");
});
