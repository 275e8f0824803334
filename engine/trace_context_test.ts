import assert from "node:assert/strict";
import { callSpanId, formatTraceparent, parseTraceparent, runTrace } from "./trace_context.ts";

const ROOT = "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0001";
const CHILD = "11111111-2222-5333-9444-555555555555";
const GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

Deno.test("runTrace() begins a trace with the root run's id, and a child joins it below its call", () => {
  const root = runTrace(ROOT, { parent: null });
  assert.deepEqual(root, {
    traceId: "0190aaaabbbb7ccc8dddeeeeffff0001",
    spanId: "8dddeeeeffff0001",
    flags: "01",
    parentSpanId: null,
  });
  const child = runTrace(CHILD, { parent: { runId: ROOT, requestId: CHILD, rootRunId: ROOT } });
  assert.equal(child.traceId, root.traceId);
  assert.equal(child.parentSpanId, callSpanId(CHILD));
  assert.notEqual(child.spanId, child.parentSpanId);
});

Deno.test("runTrace() joins the caller's trace, and a child the same", () => {
  const root = runTrace(ROOT, { parent: null, traceparent: GIVEN });
  assert.equal(root.traceId, "4bf92f3577b34da6a3ce929d0e0e4736");
  assert.equal(root.parentSpanId, "00f067aa0ba902b7");
  assert.equal(formatTraceparent(root), `00-${root.traceId}-${root.spanId}-00`);
  const parent = { runId: ROOT, requestId: CHILD, rootRunId: ROOT };
  const child = runTrace(CHILD, { parent, traceparent: GIVEN });
  assert.deepEqual([child.traceId, child.parentSpanId], [root.traceId, callSpanId(CHILD)]);
});

Deno.test("parseTraceparent() takes only what the standard allows", () => {
  assert.equal(parseTraceparent(GIVEN)?.flags, "00");
  assert.notEqual(parseTraceparent(`01${GIVEN.slice(2)}-later`), null);
  for (
    const wrong of [
      "",
      "x",
      `ff${GIVEN.slice(2)}`,
      `${GIVEN}-more`,
      GIVEN.toUpperCase(),
      GIVEN.replace("00f067aa0ba902b7", "0".repeat(16)),
      GIVEN.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0".repeat(32)),
    ]
  ) assert.equal(parseTraceparent(wrong), null, wrong);
});
