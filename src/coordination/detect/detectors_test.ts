import assert from "node:assert/strict";
import fc from "fast-check";
import { anomaliesOf, callLoops, costOutlier, noProgress, STALL_MS } from "./detectors.ts";
import type { SessionTrace, TracedCall, TracedStep } from "./session_trace.ts";

const trace = (more: Partial<SessionTrace> = {}): SessionTrace => ({
  status: "busy",
  runId: "r",
  lastActivityAt: 1_000,
  toolErrors: 0,
  malformedCalls: 0,
  costMicros: 0,
  steps: [],
  ...more,
});
const call = (tool: string, input: string, more: Partial<TracedCall> = {}): TracedCall => ({
  tool,
  input,
  output: "1",
  outcome: "ok",
  ...more,
});
const step = (...calls: TracedCall[]): TracedStep => ({ runId: "r", calls, text: "" });
const types = (given: SessionTrace, now = 1_000, siblingCosts: readonly number[] = []) =>
  anomaliesOf({ trace: given, siblingCosts, now }).map(({ type }) => type);

Deno.test("anomaliesOf() finds nothing in a session that works", () => {
  assert.deepEqual(
    types(trace({ toolErrors: 4, steps: [step(call("fs.read", "a")), step(call("fs.read", "b"))] })),
    [],
  );
});

Deno.test("anomaliesOf() tells MODEL_DEGRADATION from the first malformed call on, once for each", () => {
  const [first] = anomaliesOf({ trace: trace({ malformedCalls: 1 }), siblingCosts: [], now: 0 });
  assert.deepEqual([first?.type, first?.severity, first?.occurrence], ["MODEL_DEGRADATION", "high", "1"]);
  assert.equal(anomaliesOf({ trace: trace({ malformedCalls: 2 }), siblingCosts: [], now: 0 })[0]?.occurrence, "2");
});

Deno.test("anomaliesOf() tells HIGH_ERROR_COUNT at five errors, and again at ten", () => {
  const occurrence = (toolErrors: number) =>
    anomaliesOf({ trace: trace({ toolErrors }), siblingCosts: [], now: 0 })[0]?.occurrence;
  assert.deepEqual([4, 5, 9, 10].map(occurrence), [undefined, "1", "1", "2"]);
});

Deno.test("anomaliesOf() tells SESSION_STALL after more than a minute without activity, of a busy session only", () => {
  assert.deepEqual(types(trace(), 1_000 + STALL_MS), []);
  assert.deepEqual(types(trace(), 1_001 + STALL_MS), ["SESSION_STALL"]);
  assert.deepEqual(types(trace({ status: "waiting" }), 1_001 + STALL_MS), []);
  assert.deepEqual(types(trace({ status: "idle" }), 1_001 + STALL_MS), []);
  const doing = (tool: string) => trace({ steps: [step(call(tool, "{}", { outcome: "pending", output: null }))] });
  assert.deepEqual(types(doing("coord.wait"), 1_001 + STALL_MS), []);
  assert.deepEqual(types(doing("bash.run"), 1_001 + STALL_MS), ["SESSION_STALL"]);
});

Deno.test("callLoops() tells of equal calls in a row, and keeps its occurrence as they go on", () => {
  const same = call("fs.read", '{"path":"a"}');
  assert.deepEqual(callLoops(trace({ steps: [step(same), step(same), step(same)] })), []);
  const four = callLoops(trace({ steps: [step(same), step(same, same), step(same)] }));
  const five = callLoops(trace({ steps: [step(same), step(same, same), step(same), step(same)] }));
  assert.deepEqual(four.map(({ details }) => details["count"]), [4]);
  assert.equal(four[0]?.occurrence, five[0]?.occurrence);
  const between = [step(same), step(same), step(call("fs.read", "b")), step(same), step(same)];
  assert.deepEqual(callLoops(trace({ steps: between })), []);
});

Deno.test("costOutlier() compares with the median of at least two siblings", () => {
  assert.equal(costOutlier(trace({ costMicros: 1_000_000 }), [10]), null);
  assert.equal(costOutlier(trace({ costMicros: 1_000_000 }), [300_000, 300_000]), null);
  assert.equal(costOutlier(trace({ costMicros: 1_000_000 }), [200_000, 250_000, 900_000])?.type, "COST_OUTLIER");
  assert.equal(costOutlier(trace({ costMicros: 9_000 }), [1, 1]), null);
});

Deno.test("noProgress() tells of steps that bring nothing new, and not while a call is under way", () => {
  const fails = (n: number): TracedStep[] =>
    Array.from({ length: n }, (_, i) => step(call("bash.run", String(i), { outcome: "error", output: null })));
  assert.equal(noProgress(trace({ steps: fails(4) })), null);
  assert.equal(noProgress(trace({ steps: fails(5) }))?.details["steps"], 5);
  assert.equal(noProgress(trace({ steps: [...fails(5), step(call("fs.write", "x"))] })), null);
  assert.equal(noProgress(trace({ status: "idle", steps: fails(5) })), null);
  const waits = step(call("coord.wait", "{}", { outcome: "pending", output: null }));
  assert.equal(noProgress(trace({ steps: [...fails(4), waits] })), null);
  assert.equal(noProgress(trace({ steps: fails(5) }))?.occurrence, noProgress(trace({ steps: fails(9) }))?.occurrence);
});

Deno.test("anomaliesOf() is the same for the same trace, and an occurrence never comes back once it is past (property)", () => {
  const aCall = fc.record({
    tool: fc.constantFrom("a", "b"),
    input: fc.constantFrom("1", "2"),
    output: fc.constantFrom("x", "y", null),
    outcome: fc.constantFrom("ok", "error", "denied"),
  });
  const steps = fc.array(fc.array(aCall, { maxLength: 3 }), { maxLength: 12 });
  fc.assert(fc.property(steps, fc.nat(20), fc.nat(), (given, toolErrors, costMicros) => {
    const made = trace({ toolErrors, costMicros, steps: given.map((calls) => step(...calls)) });
    const observation = { trace: made, siblingCosts: [1, 2, 3], now: 1_000 };
    assert.deepEqual(anomaliesOf(observation), anomaliesOf(observation));
    const keys = anomaliesOf(observation).map(({ type, occurrence }) => `${type} ${occurrence}`);
    for (const anomaly of anomaliesOf(observation)) assert.ok(anomaly.occurrence.length <= 500);
    // Loops of one call that are apart are one occurrence: all others are different from each other.
    const rest = keys.filter((key) => !key.startsWith("CALL_LOOP"));
    assert.equal(new Set(rest).size, rest.length);
  }));
});
