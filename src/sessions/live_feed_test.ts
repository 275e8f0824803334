import assert from "node:assert/strict";
import { LiveFeed } from "./live_feed.ts";
import type { SessionEvent } from "./ports.ts";

const SESSION = { orgId: "o", sessionId: "s" };
const START: SessionEvent = { type: "step-start", turnId: "t", messageId: "m", step: 1, requestId: "r" };
const delta = (text: string): SessionEvent => ({ type: "text-delta", turnId: "t", messageId: "m", text });

Deno.test("LiveFeed.watch() tells what has come of the step that is under way, and then what comes", () => {
  const feed = new LiveFeed();
  feed.publish(SESSION, START);
  feed.publish(SESSION, delta("a"));
  feed.publish(SESSION, { type: "reasoning-delta", turnId: "t", messageId: "m", text: "b" });
  feed.publish(SESSION, delta("c"));
  feed.publish(SESSION, delta("d"));
  const heard: SessionEvent[] = [];
  const other: SessionEvent[] = [];
  const leave = feed.watch(SESSION, (event) => heard.push(event));
  feed.watch({ orgId: "another", sessionId: "s" }, (event) => other.push(event));
  assert.deepEqual(heard.map((event) => "text" in event ? event.text : event.type), ["step-start", "a", "b", "cd"]);
  feed.publish(SESSION, delta("e"));
  assert.equal(heard.length, 5);
  leave();
  feed.publish(SESSION, delta("f"));
  assert.equal(heard.length, 5);
  assert.deepEqual(other, []);
  feed.publish(SESSION, { type: "step-end", turnId: "t", message: MESSAGE });
  const late: SessionEvent[] = [];
  feed.watch(SESSION, (event) => late.push(event));
  assert.deepEqual(late, []);
});

Deno.test("LiveFeed carries events of other hubs to those who watch here, and keeps nothing of them for nobody", () => {
  const feed = new LiveFeed();
  const said: string[] = [];
  feed.relay = { published: () => said.push("published"), watching: (key) => said.push(key) };
  const heard: SessionEvent[] = [];
  const leave = feed.watch(SESSION, (event) => heard.push(event));
  const [key = ""] = feed.watched();
  assert.deepEqual(said, [key]);
  feed.deliver(key, START);
  feed.deliver(key, delta("a"));
  assert.deepEqual(heard, [START, delta("a")]);
  const second: SessionEvent[] = [];
  feed.watch(SESSION, (event) => second.push(event))();
  assert.deepEqual(second, [START, delta("a")]);
  leave();
  assert.deepEqual(feed.open(key), []);
  feed.deliver(key, delta("b"));
  assert.equal(heard.length, 2);
  assert.deepEqual(said, [key], "what another hub published is not published again");
});

const MESSAGE = {
  id: "m",
  sessionId: "s",
  seq: 2,
  role: "assistant",
  parts: [],
  turnId: "t",
  runId: null,
  step: 1,
  createdAt: 0,
} as const;
