import assert from "node:assert/strict";
import fc from "fast-check";
import { AnswerMemory } from "./answer_memory.ts";
import { backoffMs } from "./backoff.ts";
import { fitsIn, parseMessage } from "./envelope.ts";
import { toSocketUrl, toSocketUrls } from "./socket_url.ts";

Deno.test("backoffMs() stays between half and all of a bound that doubles up to the most", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (attempt, random) => {
      const bound = Math.min(10_000, 100 * 2 ** Math.min(attempt, 20));
      const wait = backoffMs(attempt, 10_000, () => random);
      assert(wait >= bound / 2 && wait <= bound);
    }),
  );
});

Deno.test("toSocketUrl() takes the hub's address or its socket's", () => {
  assert.equal(toSocketUrl("http://127.0.0.1:8787"), "ws://127.0.0.1:8787/ws");
  assert.equal(toSocketUrl("https://hub.example.com/"), "wss://hub.example.com/ws");
  assert.equal(toSocketUrl("wss://hub.example.com/a/ws?x=1"), "wss://hub.example.com/a/ws?x=1");
  for (const wrong of ["hub.example.com", "ftp://hub", ""]) assert.throws(() => toSocketUrl(wrong), TypeError);
  assert.deepEqual(toSocketUrls(["http://a", "ws://b/x"]), ["ws://a/ws", "ws://b/x"]);
  assert.throws(() => toSocketUrls([]), TypeError);
});

Deno.test("AnswerMemory forgets the oldest answers, by number and by size", () => {
  const memory = new AnswerMemory(16);
  for (let n = 0; n < 1_001; n++) memory.set(`r${n}`, "a");
  assert.equal(memory.get("r0"), undefined);
  assert.equal(memory.get("r1"), "a");
  const half = "x".repeat(9 * 1024 * 1024);
  memory.set("big1", half);
  memory.set("big2", half);
  assert.equal(memory.get("big1"), undefined);
  assert.equal(memory.get("big2"), half);
  memory.set("huge", "x".repeat(17 * 1024 * 1024));
  assert.equal(memory.get("huge"), undefined);
  memory.delete("big2");
  assert.equal(memory.get("big2"), undefined);
});

Deno.test("AnswerMemory keeps as many answers as calls may be under way", () => {
  const memory = new AnswerMemory(1_500);
  for (let n = 0; n < 1_501; n++) memory.set(`r${n}`, "a");
  assert.deepEqual(["r0", "r1", "r1500"].map((id) => memory.get(id)), [undefined, "a", "a"]);
});

Deno.test("parseMessage() gives the envelopes and passes over what is none", () => {
  const one = { type: "call.aborted", id: "", payload: {} };
  assert.deepEqual(parseMessage(JSON.stringify(one)), [one]);
  assert.deepEqual(parseMessage(JSON.stringify([one, 5, null, { type: "x" }, one])), [one, one]);
  for (const nothing of ["", "{", "[]", "null", new ArrayBuffer(2)]) assert.deepEqual(parseMessage(nothing), []);
});

Deno.test("fitsIn() counts bytes, not characters", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 16, max: 200 }), (text, maxBytes) => {
    assert.equal(fitsIn(text, maxBytes), new TextEncoder().encode(text).length <= maxBytes - 16);
  }));
});
