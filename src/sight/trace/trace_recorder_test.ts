import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { callSpanId, type EventOf, type RunEvent, runTrace } from "../../../engine/mod.ts";
import { op, seq, TestEngine, type Tree } from "../../../engine/testing/test_engine.ts";
import { type EndedSpan, TraceRecorder } from "./trace_recorder.ts";

async function played(tree: Tree): Promise<{ readonly world: TestEngine; readonly events: readonly RunEvent[] }> {
  const world = new TestEngine();
  world.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "no");
  });
  await world.run(tree);
  return { world, events: world.committed };
}

function recorderOf(events: readonly RunEvent[], read: () => Promise<readonly RunEvent[]>, change: object = {}) {
  const spans: EndedSpan[] = [];
  const first = { ...events[0], ...change } as EventOf<"run.created">;
  const recorder = new TraceRecorder({ sink: (span) => spans.push(span), created: () => first, read });
  return { recorder, spans, first };
}

const TREE = seq(op("a"), op("b", { retry: { maxAttempts: 2, backoff: 5, jitter: 0 } }, "fail"));

Deno.test("TraceRecorder.observe() makes the same spans, however the events are cut into commits and processes", async () => {
  const { events } = await played(TREE);
  const whole = recorderOf(events, () => Promise.reject(new Error("not asked for")));
  whole.recorder.observe(events);
  assert.deepEqual(whole.spans.map(({ name, error }) => [name, error?.code ?? null]), [
    ["t.step", null],
    ["t.fail", "BOOM"],
    ["t.fail", "BOOM"],
    ["workflow.test", "BOOM"],
  ]);
  const run = whole.spans.at(-1)!;
  assert.equal(run.spanId, runTrace(run.attributes["hub.run.id"] as string, whole.first).spanId);
  assert.ok(
    whole.spans.slice(0, 3).every(({ parentSpanId, traceId }) =>
      parentSpanId === run.spanId && traceId === run.traceId
    ),
  );
  assert.deepEqual(whole.spans.map(({ attributes }) => attributes["hub.attempt"] ?? 0), [1, 1, 2, 0]);
  const sorted = (spans: readonly EndedSpan[]) => spans.toSorted((a, b) => a.spanId < b.spanId ? -1 : 1);
  for (let cut = 1; cut < events.length; cut++) {
    const before = recorderOf(events, () => Promise.resolve(events));
    const after = recorderOf(events, () => Promise.resolve(events));
    before.recorder.observe(events.slice(0, cut));
    after.recorder.observe(events.slice(cut)); // another process: it knows of no call under way
    await after.recorder.idle();
    assert.deepEqual(sorted([...before.spans, ...after.spans]), sorted(whole.spans), `cut at ${cut}`);
  }
});

Deno.test("TraceRecorder makes nothing of a run whose caller does not want it traced", async () => {
  const { events } = await played(TREE);
  const traceparent = (flags: string) => `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`;
  const none = recorderOf(events, () => Promise.resolve([]), { traceparent: traceparent("00") });
  none.recorder.observe(events.slice(1));
  await none.recorder.idle();
  assert.deepEqual(none.spans, []);
  const some = recorderOf(events, () => Promise.resolve([]), { traceparent: traceparent("01") });
  some.recorder.observe(events.slice(1));
  assert.equal(some.spans.length, 4);
  assert.equal(some.spans[0]!.traceId, "4bf92f3577b34da6a3ce929d0e0e4736");
});

Deno.test("TraceRecorder loses a span, and nothing else, when the start of a call cannot be read", async () => {
  const { events } = await played(TREE);
  const { recorder, spans } = recorderOf(events, () => Promise.reject(new Error("away")));
  const outcome = events.findIndex(({ type }) => type === "call.responded");
  recorder.observe(events.slice(outcome));
  await recorder.idle();
  assert.ok(spans.length === 3 && spans.every(({ name }) => name !== "t.step"));
  assert.equal(callSpanId("11111111-2222-5333-9444-555555555555"), "1111111122225333");
});
