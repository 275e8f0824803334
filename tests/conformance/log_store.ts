/** What every log store keeps to. */
import assert from "node:assert/strict";
import type { LogStore, NewLogLine, NewProgress } from "../../src/sight/mod.ts";

export interface LogStoreWorld {
  readonly store: LogStore;
  close(): Promise<void>;
}

const RUN = "0190aaaa-0000-7000-8000-000000000001";
const OTHER = "0190aaaa-0000-7000-8000-000000000002";

function line(message: string, change: Partial<NewLogLine> = {}): NewLogLine {
  const requestId = "0190aaaa-0000-5000-8000-00000000000a";
  return { runId: RUN, at: 1_000, key: "a", attempt: 1, requestId, level: "info", message, data: null, ...change };
}

export function logStoreConformance(name: string, open: () => Promise<LogStoreWorld>): void {
  Deno.test(`${name}: LogStore keeps lines in order, as they were said`, async () => {
    const { store, close } = await open();
    const odd = { text: "\u0000 \ud83d\ude00", list: [1, { deep: null }] };
    await store.append({ lines: [line("one\ntwo", { data: odd }), line("three", { at: 1_234 })], progress: [] });
    await store.append({ lines: [line("four", { runId: OTHER }), line("five", { attempt: 2 })], progress: [] });
    const all = await store.read({ runId: RUN, after: 0, limit: 10 });
    assert.deepEqual(all.map(({ message }) => message), ["one\ntwo", "three", "five"]);
    assert.deepEqual(all[0]!.data, odd);
    assert.deepEqual({ ...all[1], id: 0 }, { ...line("three", { at: 1_234 }), id: 0 });
    assert.equal(all[2]!.attempt, 2);
    const ids = all.map(({ id }) => id);
    assert.deepEqual(ids, ids.toSorted((a, b) => a - b));
    const rest = await store.read({ runId: RUN, after: ids[0]!, limit: 1 });
    assert.deepEqual(rest.map(({ id }) => id), [ids[1]]);
    assert.deepEqual(await store.read({ runId: "no-uuid", after: 0, limit: 10 }), []);
    await close();
  });

  Deno.test(`${name}: LogStore reads by node and by level`, async () => {
    const { store, close } = await open();
    const lines = [
      line("plain", { key: "m", level: "debug" }),
      line("item", { key: "m[3]", level: "error" }),
      line("deep", { key: "m[3][0]", level: "warn" }),
      line("namesake", { key: "m_x" }),
    ];
    await store.append({ lines, progress: [] });
    const read = async (query: { readonly node?: string; readonly level?: "debug" | "info" | "warn" | "error" }) =>
      (await store.read({ runId: RUN, after: 0, limit: 10, ...query })).map(({ message }) => message);
    assert.deepEqual(await read({ node: "m" }), ["plain", "item", "deep"]);
    assert.deepEqual(await read({ node: "m[3]" }), ["item", "deep"]);
    assert.deepEqual(await read({ node: "m_x" }), ["namesake"]);
    assert.deepEqual(await read({ level: "warn" }), ["item", "deep"]);
    assert.deepEqual(await read({ level: "error", node: "m" }), ["item"]);
    await close();
  });

  Deno.test(`${name}: LogStore keeps the latest progress of each node, whatever comes late`, async () => {
    const { store, close } = await open();
    const said = (change: Partial<NewProgress>): NewProgress => ({
      runId: RUN,
      key: "a",
      attempt: 1,
      at: 1_000,
      value: 1,
      total: null,
      message: null,
      ...change,
    });
    await store.append({ lines: [], progress: [said({}), said({ key: "b[0]", total: 4, message: "at\nwork" })] });
    await store.append({ lines: [], progress: [said({ attempt: 2, at: 3_000, value: 0.5 })] });
    await store.append({ lines: [], progress: [said({ at: 2_000, value: 9 })] });
    assert.deepEqual(await store.progress({ runId: RUN, limit: 10 }), [
      said({ attempt: 2, at: 3_000, value: 0.5 }),
      said({ key: "b[0]", total: 4, message: "at\nwork" }),
    ]);
    assert.equal((await store.progress({ runId: RUN, limit: 1 })).length, 1);
    assert.deepEqual(await store.progress({ runId: OTHER, limit: 10 }), []);
    await close();
  });
}
