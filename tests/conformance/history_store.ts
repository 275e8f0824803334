/** What every history store keeps to. */
import assert from "node:assert/strict";
import { type HistoryStore, SubjectStats } from "../../src/sight/mod.ts";

export interface HistoryStoreWorld {
  readonly store: HistoryStore;
  close(): Promise<void>;
}

function stats(ok: number, failed: number, ms: number): SubjectStats {
  const made = new SubjectStats({ ok, failed });
  for (let i = 0; i < ok; i++) made.duration.add(ms);
  for (let i = 0; i < failed; i++) made.note("BOOM");
  return made;
}

export function historyStoreConformance(name: string, open: () => Promise<HistoryStoreWorld>): void {
  Deno.test(`${name}: HistoryStore adds up what is merged, and keeps organizations apart`, async () => {
    const { store, close } = await open();
    const subject = { orgId: "o1", kind: "operation", name: "t.work" } as const;
    const node = { orgId: "o1", kind: "branch", name: "flow\nchoose" } as const;
    const other = { ...subject, orgId: "o2" };
    await store.merge([{ ...subject, stats: stats(3, 1, 10) }, { ...node, stats: stats(0, 2, 1) }]);
    await store.merge([{ ...other, stats: stats(1, 0, 1) }, { ...subject, stats: stats(2, 0, 1000) }]);
    await store.merge([]);
    const found = await store.read([subject, node, { ...subject, name: "t.unknown" }]);
    assert.equal(found.length, 2);
    const work = found.find(({ kind }) => kind === "operation")!.stats;
    assert.deepEqual([work.ok, work.failed, work.by.get("BOOM"), work.duration.total], [5, 1, 1, 5]);
    assert.equal(found.find(({ kind }) => kind === "branch")!.name, node.name);
    assert.deepEqual((await store.read([other])).map(({ stats }) => stats.ok), [1]);
    assert.deepEqual(await store.read([]), []);
    await close();
  });

  Deno.test(`${name}: HistoryStore forgets what nothing was added to for long`, async () => {
    const { store, close } = await open();
    const subject = { orgId: "o1", kind: "count", name: "w\nm" } as const;
    await store.merge([{ ...subject, stats: stats(1, 0, 1) }]);
    await store.forget({ idleMs: 3_600_000 });
    assert.equal((await store.read([subject])).length, 1);
    await store.forget({ idleMs: -3_600_000 });
    assert.deepEqual(await store.read([subject]), []);
    await close();
  });

  Deno.test(`${name}: HistoryStore loses nothing of what is merged at once`, async () => {
    const { store, close } = await open();
    const subjects = ["a", "b", "c"].map((name) => ({ orgId: "o1", kind: "workflow", name }) as const);
    await Promise.all(Array.from({ length: 20 }, (_, i) => {
      const order = i % 2 === 0 ? subjects : subjects.toReversed();
      return store.merge(order.map((subject) => ({ ...subject, stats: stats(1, 1, i) })));
    }));
    const found = await store.read(subjects);
    assert.deepEqual(found.map(({ stats }) => [stats.ok, stats.failed]), Array(3).fill([20, 20]));
    await close();
  });
}
