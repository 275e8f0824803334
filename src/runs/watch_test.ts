import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { EventLog, RunEvent } from "../../engine/mod.ts";
import { RunFeed } from "./run_feed.ts";
import { watchRun } from "./watch.ts";

const RUN = "r";

/** A log that grows by `commit`, which tells the feed, and counts what is read of it. */
class World {
  readonly feed = new RunFeed();
  readonly reads: { readonly after: number; readonly limit: number }[] = [];
  readonly events: RunEvent[] = [];
  /** Resolves before a read answers; the answer is of when it began. */
  gate: Promise<void> = Promise.resolve();

  readonly log: EventLog = {
    commit: () => Promise.reject(new Error("Not here")),
    read: async ({ after = 0, limit = Infinity }) => {
      this.reads.push({ after, limit });
      const found = this.events.slice(after, after + limit);
      await this.gate;
      return found;
    },
  };

  /** Appends `count` events; `publish`: by this process. */
  commit(count: number, { publish = true, end = false, size = 0 } = {}): void {
    const batch = Array.from({ length: count }, (_, i) => {
      const type = end && i === count - 1 ? "run.completed" : "call.responded";
      const seq = this.events.length + i + 1;
      return { runId: RUN, seq, at: 0, type, output: "x".repeat(size) } as unknown as RunEvent;
    });
    this.events.push(...batch);
    if (publish) this.feed.publish(batch);
  }

  watch(after = 0, signal: AbortSignal = new AbortController().signal): AsyncGenerator<RunEvent> {
    return watchRun({ log: this.log, feed: this.feed, runId: RUN, after, signal });
  }
}

async function seqsOf(events: AsyncIterable<RunEvent>): Promise<readonly number[]> {
  const seqs: number[] = [];
  for await (const { seq } of events) seqs.push(seq);
  return seqs;
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Resolves once all that can happen without further events has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

Deno.test("watchRun() gives 2,000 watchers of one run all its events for one read of the log", async () => {
  const world = new World();
  world.commit(300);
  const watchers = Array.from({ length: 2000 }, () => seqsOf(world.watch()));
  await settled();
  for (let i = 0; i < 5; i++) {
    world.commit(20);
    await settled();
  }
  world.commit(1, { end: true });
  for (const seqs of await Promise.all(watchers)) assert.deepEqual(seqs, range(1, 401));
  assert.deepEqual(world.reads, [{ after: 0, limit: 500 }]);
  assert.deepEqual(world.feed.watched(), []);
});

Deno.test("watchRun() reads each page of a long log once for watchers who come together, wherever they begin", async () => {
  const world = new World();
  world.commit(2300, { publish: false, end: true });
  const begins = range(0, 99).map((i) => i * 23);
  const all = await Promise.all(begins.map((after) => seqsOf(world.watch(after))));
  begins.forEach((after, i) => assert.deepEqual(all[i], range(after + 1, 2300)));
  assert.deepEqual(world.reads.map(({ after }) => after).toSorted((a, b) => a - b), [0, 500, 1000, 1500, 2000]);
});

Deno.test("watchRun() neither misses nor repeats what is committed while the log is read", async () => {
  const world = new World();
  world.commit(10);
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  const early = seqsOf(world.watch());
  await settled();
  world.commit(5);
  world.commit(5);
  const late = seqsOf(world.watch(12));
  gate.resolve();
  await settled();
  world.commit(3, { end: true });
  assert.deepEqual(await early, range(1, 23));
  assert.deepEqual(await late, range(13, 23));
});

Deno.test("watchRun() looks at the log when it is told that another hub has written, and by itself each second", async () => {
  const world = new World();
  world.commit(2, { publish: false });
  const seqs = seqsOf(world.watch());
  await settled();
  world.commit(2, { publish: false });
  world.feed.nudge(RUN, 4);
  await settled();
  const told = world.reads.length;
  world.commit(1, { publish: false, end: true });
  assert.deepEqual(await seqs, range(1, 5));
  assert.equal(told, 2);
  assert.equal(world.reads.length, 3);
});

Deno.test("watchRun() gives a watcher who is far behind everything, out of a bounded memory", async () => {
  const world = new World();
  world.commit(1);
  const slow = world.watch();
  assert.equal((await slow.next()).value?.seq, 1);
  const quick = seqsOf(world.watch());
  for (let i = 0; i < 100; i++) {
    world.commit(50, { size: 1000 });
    await settled();
  }
  assert.deepEqual(world.reads.length, 1, "who keeps up reads nothing");
  world.commit(1, { end: true });
  assert.deepEqual(await seqsOf(slow), range(2, 5002));
  assert.deepEqual(await quick, range(1, 5002));
  // 5 MB of events: the window has forgotten most of them, and the slow one found them in the log, page by page.
  assert.ok(world.reads.length >= 5 && world.reads.length <= 12, `${world.reads.length} reads`);
});

Deno.test("watchRun() waits for what is not there yet, and ends when its signal aborts", async () => {
  const world = new World();
  world.commit(500);
  const stop = new AbortController();
  const ahead = seqsOf(world.watch(600, stop.signal));
  const next = world.watch(500, stop.signal);
  const first = next.next();
  await settled();
  world.commit(1);
  assert.equal((await first).value?.seq, 501);
  const rest = next.next();
  await settled();
  stop.abort();
  assert.deepEqual([(await rest).done, await ahead], [true, []]);
  assert.deepEqual(world.feed.watched(), []);
});

Deno.test("watchRun() fails for every watcher when the log cannot be read", async () => {
  const world = new World();
  world.commit(1);
  world.gate = Promise.reject(new Error("No log"));
  world.gate.catch(() => {});
  const watchers = [1, 2].map(() => seqsOf(world.watch()));
  for (const watcher of watchers) await assert.rejects(watcher, /No log/);
  assert.deepEqual(world.feed.watched(), []);
});
