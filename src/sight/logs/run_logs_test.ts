import assert from "node:assert/strict";
import { VirtualClock } from "../../../engine/memory/mod.ts";
import type { RunRecord } from "../../runs/mod.ts";
import { createMemoryLogStore } from "./memory_log_store.ts";
import type { NewLogLine } from "./ports.ts";
import { createRunLogs, LogFeed } from "./run_logs.ts";

const RUN = "0190aaaa-0000-7000-8000-000000000001";
const caller = (orgId: string) => ({ identity: { id: "ann", scopes: [] }, orgId });
const line = (message: string): NewLogLine => ({
  runId: RUN,
  at: 1,
  key: "a",
  attempt: 1,
  requestId: "r",
  level: "info",
  message,
  data: null,
});

function setup() {
  const clock = new VirtualClock(1_000);
  const store = createMemoryLogStore();
  const feed = new LogFeed();
  let completedAt: number | null = null;
  const runs = {
    get: ({ orgId, runId }: { readonly orgId: string; readonly runId: string }) =>
      // Only these two fields are asked for.
      Promise.resolve(orgId === "o1" && runId === RUN ? { id: RUN, completedAt } as RunRecord : null),
  };
  const logs = createRunLogs({ runs, store, feed, clock });
  const say = async (...messages: string[]) => {
    await store.append({ lines: messages.map(line), progress: [] });
    feed.written(new Set([RUN]));
  };
  return { clock, logs, say, end: () => completedAt = clock.now() };
}

Deno.test("RunLogs.read() and watch() do not know a run of another organization", async () => {
  const { logs } = setup();
  const query = { runId: RUN, after: 0 };
  await assert.rejects(logs.read({ caller: caller("o2"), ...query, limit: 1 }), { code: "RUN_NOT_FOUND" });
  const signal = new AbortController().signal;
  const watch = logs.watch({ caller: caller("o2"), ...query, signal })[Symbol.asyncIterator]();
  await assert.rejects(watch.next(), { code: "RUN_NOT_FOUND" });
});

Deno.test("RunLogs.watch() gives what is there, what comes, and ends with the run", async () => {
  const { clock, logs, say, end } = setup();
  await say("one", "two");
  const { signal } = new AbortController();
  const watch = logs.watch({ caller: caller("o1"), runId: RUN, after: 1, signal })[Symbol.asyncIterator]();
  assert.equal((await watch.next()).value?.message, "two");
  const next = watch.next();
  await say("three");
  assert.equal((await next).value?.message, "three");
  end();
  const last = watch.next();
  await say("four"); // what was on its way when the run ended
  assert.equal((await last).value?.message, "four");
  let isOver = false;
  const over = watch.next().then(({ done }) => isOver = done === true);
  for (let turn = 0; turn < 100 && !isOver; turn++) {
    await new Promise<void>((resolve) => clock.afterTurn(resolve));
    clock.advance(1_000);
  }
  assert.equal(await over, true);
});

Deno.test("RunLogs.watch() ends when its reader leaves", async () => {
  const { logs } = setup();
  const reader = new AbortController();
  const watch = logs.watch({ caller: caller("o1"), runId: RUN, after: 0, signal: reader.signal });
  const next = watch[Symbol.asyncIterator]().next();
  reader.abort();
  assert.equal((await next).done, true);
});
