import assert from "node:assert/strict";
import { TopicListeners } from "./topic_listeners.ts";

Deno.test("TopicListeners says when a topic gets its first listener and loses its last", () => {
  const listeners = new TopicListeners();
  const [one, two] = [() => {}, () => {}];
  assert.deepEqual([listeners.add("a:", one), listeners.add("a:", two), listeners.add("a:", one)], [
    true,
    false,
    false,
  ]);
  assert.deepEqual([listeners.remove("a:", one), listeners.remove("a:", one), listeners.remove("a:", two)], [
    false,
    false,
    true,
  ]);
  assert.deepEqual([listeners.add("b:", null), listeners.remove("b:", null), listeners.remove("b:", one)], [
    false,
    false,
    false,
  ]);
  assert.equal(listeners.add("a:", one), true);
});

Deno.test("deliver() reports what a listener throws, after the others have heard", () => {
  const listeners = new TopicListeners();
  const heard: unknown[] = [];
  listeners.add("a:", () => {
    throw new Error("boom");
  });
  listeners.add("a:", (event) => heard.push(event.detail.payload));
  const reports: (() => void)[] = [];
  const real = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (callback) => void reports.push(callback);
  try {
    listeners.deliver({ type: "a", id: "", payload: 1 });
  } finally {
    globalThis.queueMicrotask = real;
  }
  assert.deepEqual(heard, [1]);
  assert.equal(reports.length, 1);
  assert.throws(() => reports[0]?.(), /boom/);
});
