import assert from "node:assert/strict";
import fc from "fast-check";
import { CallError } from "@alkdev/operations";
import { envelope, exceeds, FrameError, parseFrame, toEnvelope } from "./envelope.ts";
import { FrameWriter } from "./frame_writer.ts";
import { compareVersions } from "./offered_operation.ts";
import { RecentIds } from "./recent_ids.ts";
import { decodeRegistration } from "./registration.ts";

Deno.test("parseFrame() and toEnvelope() fail with FrameError alone, whatever comes in", () => {
  const text = fc.oneof(fc.string(), fc.json(), fc.uint8Array(), fc.constant(null));
  fc.assert(fc.property(text, fc.boolean(), (data, batch) => {
    try {
      for (const unit of parseFrame(data, 1_000, batch)) toEnvelope(unit);
    } catch (error) {
      assert(error instanceof FrameError, String(error));
    }
  }));
});

Deno.test("decodeRegistration() fails with VALIDATION_ERROR alone, whatever comes in", () => {
  const schema = fc.record({ type: fc.anything(), properties: fc.anything(), items: fc.anything() }, {
    requiredKeys: [],
  });
  const operation = fc.record({
    namespace: fc.oneof(fc.constant("demo"), fc.anything()),
    name: fc.oneof(fc.constant("echo"), fc.anything()),
    version: fc.anything(),
    type: fc.anything(),
    inputSchema: schema,
    errorSchemas: fc.anything(),
    accessControl: fc.anything(),
  }, { requiredKeys: [] });
  const registration = fc.record({
    name: fc.oneof(fc.constant("spoke"), fc.anything()),
    operations: fc.array(operation, { maxLength: 3 }),
    labels: fc.anything(),
    maxConcurrency: fc.anything(),
  }, { requiredKeys: ["operations"] });
  fc.assert(fc.property(fc.oneof(registration, fc.anything()), (input) => {
    try {
      decodeRegistration(input);
    } catch (error) {
      assert(error instanceof CallError && error.code === "VALIDATION_ERROR", String(error));
    }
  }));
});

Deno.test("decodeRegistration() fills in what is left out", () => {
  const { operations, ...rest } = decodeRegistration({ name: "s", operations: [{ namespace: "demo", name: "echo" }] });
  assert.deepEqual(rest, {
    name: "s",
    spokeType: "custom",
    version: null,
    maxConcurrency: 16,
    labels: {},
    hostInfo: null,
    batch: false,
    acks: false,
    resume: null,
  });
  assert.deepEqual([operations[0]?.version, operations[0]?.type, operations[0]?.accessControl], [
    "1.0.0",
    "mutation",
    { requiredScopes: [] },
  ]);
});

Deno.test("exceeds() counts bytes in UTF-8", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.nat(100), (text, maxBytes) => {
    assert.equal(exceeds(text, maxBytes), new TextEncoder().encode(text).length > maxBytes);
  }));
});

Deno.test("FrameWriter keeps order and the frame limit, however messages fall", () => {
  const payloads = fc.array(fc.string({ unit: "grapheme", maxLength: 120 }), { maxLength: 30 });
  fc.assert(fc.property(payloads, (texts) => {
    const frames: string[] = [];
    const turns: (() => void)[] = [];
    const writer = new FrameWriter({
      socket: { bufferedAmount: 0, send: (text) => frames.push(text), close: () => {}, addEventListener: () => {} },
      maxFrameBytes: 1_000,
      afterTurn: (callback) => turns.push(callback),
      onBackpressure: () => assert.fail("no backpressure here"),
    });
    writer.batch = true;
    const written: string[] = [];
    for (const text of texts) {
      try {
        writer.write(envelope("t", { text }));
        written.push(text);
      } catch (error) {
        assert(error instanceof CallError && error.code === "PAYLOAD_TOO_LARGE");
      }
    }
    for (const turn of turns) turn();
    assert(frames.every((frame) => !exceeds(frame, 1_000)));
    const received = frames.flatMap((frame) => JSON.parse(frame)).map(({ payload }) => payload.text);
    assert.deepEqual(received, written);
  }));
});

Deno.test("FrameWriter.acknowledge() says nothing of its own when something else was said in the turn", () => {
  const frames: string[] = [];
  const turns: (() => void)[] = [];
  const writer = new FrameWriter({
    socket: { bufferedAmount: 0, send: (text) => frames.push(text), close: () => {}, addEventListener: () => {} },
    maxFrameBytes: 1_000,
    afterTurn: (callback) => turns.push(callback),
    onBackpressure: () => {},
  });
  writer.batch = true;
  writer.acknowledge();
  writer.write(envelope("t", {}));
  for (const turn of turns.splice(0)) turn();
  assert.deepEqual(frames.splice(0), [JSON.stringify(envelope("t", {}))]);
  writer.acknowledge();
  for (const turn of turns) turn();
  assert.deepEqual(frames, ["[]"]);
});

Deno.test("compareVersions() orders by number, pre-releases first", () => {
  const ordered = ["0.9.9", "1.0.0-alpha", "1.0.0-beta", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "10.0.0"];
  for (const [index, left] of ordered.entries()) {
    for (const [other, right] of ordered.entries()) {
      assert.equal(Math.sign(compareVersions(left, right)), Math.sign(index - other), `${left} ${right}`);
    }
  }
});

Deno.test("RecentIds keeps the last ones", () => {
  const ids = new RecentIds(2);
  for (const id of ["a", "b", "c"]) ids.add(id);
  assert.deepEqual([ids.has("a"), ids.has("b"), ids.has("c")], [false, true, true]);
});
