import assert from "node:assert/strict";
import type { Json } from "@alkdev/flowgraph";
import type { RunEvent } from "../../engine/events.ts";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { createRunSearch, type SearchPage } from "../sight/mod.ts";
import { encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { createEventLog } from "./event_log.ts";
import { acquireLease } from "./lease.ts";
import { createLogSearch } from "./log_search.ts";
import { createRunStore } from "./run_store.ts";

const START = 1_700_000_000_000;

interface Past {
  readonly input?: Json;
  readonly data?: Json;
  readonly code?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly orgId?: string;
}

function idOf(n: number): string {
  return `0190aaaa-0000-7000-8000-${String(n).padStart(12, "0")}`;
}

/** The log of a run with one call; later ones are newer. */
function eventsOf(n: number, { input = {}, data = null, code, labels = {}, orgId = "o1" }: Past): readonly RunEvent[] {
  const runId = idOf(n);
  const requestId = idOf(900_000 + n);
  const at = START + n;
  const caller = { identity: { id: "secretary", scopes: [] }, orgId };
  const call = { runId, at, key: "ask", attempt: 1, requestId };
  const counts = { total: 1, completed: 1, failed: 0, aborted: 0, skipped: 0 };
  const head = {
    workflow: "w",
    version: "v",
    planHash: "p",
    priority: 0,
    parent: null,
    idempotencyKey: null,
    deadline: null,
  };
  return [
    { runId, seq: 1, at, type: "run.created", ...head, input, caller, labels },
    { ...call, seq: 2, type: "call.requested", operationId: "demo.lookup", input: null },
    {
      ...call,
      seq: 3,
      type: "call.responded",
      output: { data, meta: { source: "local", operationId: "demo.lookup", timestamp: at } },
    },
    code === undefined
      ? { runId, seq: 4, at, type: "run.completed", output: 1, counts }
      : { runId, seq: 4, at, type: "run.failed", error: { code, message: "It broke", nodeKey: "ask" }, counts },
  ];
}

async function world(db: Database, runs: readonly Past[]) {
  const log = createEventLog(db, await acquireLease(db, { hubId: "h", ttlMs: 60_000 }));
  for (let i = 0; i < runs.length; i += 200) {
    await log.commit(runs.slice(i, i + 200).flatMap((run, j) => eventsOf(i + j, run)));
  }
  await log.close();
  let now = 0;
  let step = 0;
  const search = createRunSearch({
    runs: createRunStore(db),
    logs: createLogSearch(db),
    clock: { now: () => now += step },
    cursorOf: encodeCursor,
  });
  const caller = { identity: { id: "a", scopes: [] }, orgId: "o1" };
  return {
    search: (query: Omit<Parameters<typeof search.search>[0], "caller" | "limit"> & { readonly limit?: number }) =>
      search.search({ caller, limit: 50, ...query }),
    /** Each look at the clock takes so long. */
    slow: (ms: number) => step = ms,
  };
}

const numbers = ({ items }: SearchPage) => items.map(({ id }) => Number(id.slice(-12)));

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: search() finds text in inputs, outputs, errors, operations and labels, of one organization`, async () => {
    const { db, drop } = await testDatabase(kind);
    const { search } = await world(db, [
      { input: { order: "Invoice-2041" } },
      { data: { list: [{ text: 'say "invoice-2041"' }] } },
      { labels: { ticket: "INVOICE-2041" } },
      { input: "invoice-2041", orgId: "o2" },
      { code: "INVOICE-2041" },
      { input: { odd: "\u0000 invoice-2041 \\ 100%_" } },
      { input: { unrelated: true } },
    ]);
    const found = await search({ text: "invoice-2041" });
    assert.deepEqual(numbers(found), [5, 4, 2, 1, 0]);
    assert.deepEqual(found.searched, { runs: 6, skipped: 0, back: START, complete: true });
    assert.deepEqual(found.items.map(({ matches }) => matches[0]!.where), [
      "input",
      "error",
      "label",
      "output",
      "input",
    ]);
    assert.deepEqual(found.items[3]!.matches[0]!.key, "ask");
    assert.match(found.items[3]!.matches[0]!.excerpt, /say \\"invoice-2041\\"/);
    assert.deepEqual(numbers(await search({ text: 'say "inv' })), [1]);
    assert.deepEqual(numbers(await search({ text: "100%_" })), [5]);
    assert.deepEqual(numbers(await search({ text: "demo.look" })), [6, 5, 4, 2, 1, 0]);
    // What the hub adds to an event is not what people look for.
    for (const own of ["secretary", "planHash", "operationId", "timestamp"]) {
      assert.deepEqual(numbers(await search({ text: own })), [], own);
    }
    await drop();
  });

  Deno.test(`${kind}: search() finds failures by their exact code`, async () => {
    const { db, drop } = await testDatabase(kind);
    const { search } = await world(db, [{ code: "TIMEOUT" }, { code: "TIMEOUT_2" }, {}, {
      code: "TIMEOUT",
      input: "x",
    }]);
    assert.deepEqual(numbers(await search({ error: "TIMEOUT" })), [3, 0]);
    assert.deepEqual(numbers(await search({ error: "timeout" })), []);
    assert.deepEqual(numbers(await search({ error: "TIMEOUT", limit: 1 })), [3]);
    await drop();
  });

  Deno.test(`${kind}: search() looks at so much and no more, says so, and goes on without gap or repeat`, async () => {
    const { db, drop } = await testDatabase(kind);
    const runs = Array.from({ length: 700 }, (_, n): Past => n % 100 === 7 ? { input: { needle: n } } : {});
    const { search, slow } = await world(db, runs);
    slow(600); // time for few pages
    const all: number[] = [];
    let looked = 0;
    let answers = 0;
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const page: SearchPage = await search({ text: "needle", limit: 2, ...(cursor !== null && { cursor }) });
      all.push(...numbers(page));
      looked += page.searched.runs;
      answers++;
      assert.equal(page.searched.complete, page.nextCursor === null);
      cursor = page.nextCursor;
    }
    assert.deepEqual(all, [607, 507, 407, 307, 207, 107, 7]);
    assert.equal(looked, 700);
    assert.ok(answers > 4, `${answers} answers`);
    await drop();
  });
}
