import assert from "node:assert/strict";
import { type DispatchedCall } from "../../../engine/mod.ts";
import { VirtualClock } from "../../../engine/memory/mod.ts";
import { LogCollector, type LogLimits } from "./log_collector.ts";
import { createMemoryLogStore } from "./memory_log_store.ts";
import type { LogStore } from "./ports.ts";

const RUN = "0190aaaa-0000-7000-8000-000000000001";

function callOf(runId: string = RUN, nodeKey = "a"): DispatchedCall {
  return {
    requestId: "r",
    operationId: "t.work",
    input: {},
    identity: { id: "ann", scopes: [] },
    orgId: "o",
    runId,
    nodeKey,
    attempt: 1,
    parentRequestId: runId,
    deadline: null,
    spoke: null,
    signal: new AbortController().signal,
  };
}

function setup(limits: Partial<LogLimits> = {}, store: LogStore = createMemoryLogStore()) {
  const clock = new VirtualClock(1_000);
  const written: string[][] = [];
  const collector = new LogCollector({ store, clock, limits, onWritten: (ids) => void written.push([...ids]) });
  const read = async (runId: string = RUN) => await store.read({ runId, after: 0, limit: 10_000 });
  return { clock, collector, store, read, written };
}

Deno.test("LogCollector writes what was said in one batch, after its time", async () => {
  const { clock, collector, read, written } = setup();
  collector.log(callOf(), "info", "one", { n: 1 });
  collector.log(callOf(), "error", "two", null);
  assert.deepEqual(await read(), []);
  clock.advance(200);
  await collector.flush();
  assert.deepEqual((await read()).map(({ message, data }) => [message, data]), [["one", { n: 1 }], ["two", null]]);
  assert.deepEqual(written, [[RUN]]);
  collector.log(callOf(""), "info", "outside of any run", null);
  assert.equal(collector.stats().waiting, 0);
});

Deno.test("LogCollector drops a run's flood, counts it in the run's log, and lets other runs speak", async () => {
  const { collector, read } = setup({ maxRunLines: 10 });
  for (let i = 0; i < 1_000; i++) collector.log(callOf(), "info", `line ${i}`, null);
  const other = "0190aaaa-0000-7000-8000-000000000002";
  collector.log(callOf(other), "info", "still heard", null);
  await collector.flush();
  const lines = await read();
  assert.equal(lines.length, 11);
  assert.deepEqual([lines[10]!.level, lines[10]!.data], ["warn", { dropped: 990 }]);
  assert.match(lines[10]!.message, /^990 log lines were dropped/);
  assert.deepEqual((await read(other)).map(({ message }) => message), ["still heard"]);
  assert.equal(collector.stats().dropped, 990);
  collector.log(callOf(), "info", "after", null);
  await collector.flush();
  assert.equal((await read()).at(-1)!.message, "after");
});

Deno.test("LogCollector keeps its buffer bounded in bytes and cuts what is too large", async () => {
  const { collector, read } = setup({ maxBytes: 50_000, maxDataBytes: 1_000 });
  collector.log(callOf(), "info", "x".repeat(20_000), { big: "y".repeat(5_000) });
  for (let i = 0; i < 100; i++) collector.log(callOf(), "info", "z".repeat(8_000), null);
  assert.ok(collector.stats().dropped > 90, `${collector.stats().dropped} were dropped`);
  await collector.flush();
  const [first] = await read();
  assert.ok(first!.message.length <= 8_193, `${first!.message.length} characters`);
  assert.deepEqual(Object.keys(first!.data as object), ["truncated", "bytes", "start"]);
});

Deno.test("LogCollector hides secrets in messages, data and progress", async () => {
  const { collector, store, read } = setup();
  const secret = "alk_abcdefghijklmnop1234";
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  collector.log(callOf(), "info", `key ${secret}`, { apiKey: "abc", nested: { text: `Bearer ${secret}` } });
  collector.log(callOf(), "info", "circular", circular);
  collector.progress(callOf(), { message: `using ${secret}` });
  await collector.flush();
  const kept = JSON.stringify([await read(), await store.progress({ runId: RUN, limit: 1 })]);
  assert.ok(!kept.includes(secret) && !kept.includes('"abc"'), kept);
  assert.match(kept, /redacted/);
});

Deno.test("LogCollector sends a batch again that failed, and keeps its order", async () => {
  const inner = createMemoryLogStore();
  let failures = 2;
  const store: LogStore = {
    ...inner,
    append: (batch) => failures-- > 0 ? Promise.reject(new Error("away")) : inner.append(batch),
  };
  const { collector, read } = setup({}, store);
  collector.log(callOf(), "info", "one", null);
  collector.progress(callOf(), 0.5);
  await collector.flush();
  collector.log(callOf(), "info", "two", null);
  collector.progress(callOf(), { value: 3, total: 4 });
  await collector.close();
  assert.deepEqual((await read()).map(({ message }) => message), ["one", "two"]);
  const [progress] = await inner.progress({ runId: RUN, limit: 1 });
  assert.deepEqual([progress!.value, progress!.total], [3, 4]);
});

/** Lets everything happen that needs no time. */
async function settle(clock: VirtualClock): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => clock.afterTurn(resolve));
}

Deno.test("LogCollector writes by itself what is said while it writes, and what one batch does not hold", async () => {
  const { clock, collector, read, store } = setup({ batchLines: 3 });
  const append = store.append.bind(store);
  let isFirst = true;
  store.append = async (batch) => {
    if (isFirst) collector.log(callOf(), "info", "in between", null);
    isFirst = false;
    await append(batch);
  };
  for (let i = 0; i < 5; i++) collector.log(callOf(), "info", `${i}`, null);
  for (let i = 0; i < 4; i++) {
    clock.advance(200);
    await settle(clock);
  }
  assert.deepEqual((await read()).map(({ message }) => message), ["0", "1", "2", "3", "4", "in between"]);
  assert.equal(clock.nextDue(), null);
});

Deno.test("LogCollector keeps so many lines of a run and no more, then counts them once a minute, while others speak", async () => {
  const { clock, collector, read } = setup({ maxRunTotal: 5 });
  for (let i = 0; i < 20; i++) {
    collector.log(callOf(), "info", `${i}`, null);
    clock.advance(200);
    await settle(clock);
  }
  assert.deepEqual((await read()).map(({ message }) => message), ["0", "1", "2", "3", "4"]);
  const other = "0190aaaa-0000-7000-8000-000000000002";
  collector.log(callOf(other), "info", "not held up", null);
  clock.advance(200);
  await settle(clock);
  assert.equal((await read(other)).length, 1);
  clock.advance(60_000);
  await settle(clock);
  const lines = await read();
  assert.deepEqual([lines.length, lines[5]!.data], [6, { dropped: 15 }]);
  collector.log(callOf(), "info", "at the end", null);
  await collector.close();
  assert.deepEqual((await read()).at(-1)!.data, { dropped: 1 });
});
