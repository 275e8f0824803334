import { isOrdered, runQuery } from "../../src/storage/run_query.ts";
import type { RunQuery } from "../../src/runs/mod.ts";
import type { Database } from "../../src/storage/database.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { type BenchHub, chainTemplate, echoInput, openBenchHub } from "./bench_hub.ts";
import { fillRuns, type ListData } from "./lists_data.ts";
import { load, quantile } from "./measure.ts";
import type { Report } from "./report.ts";

const REQUESTS = 40;
const NODES = 10_000;
const DAY_MS = 86_400_000;

type Filters = Partial<Omit<RunQuery, "orgId" | "limit">>;

/** Long: run lists over `rows` runs, and the graph of a run of 10,000 nodes, over HTTP. */
export async function benchLists(
  report: Report,
  options: { readonly rows: number; readonly plans: boolean },
): Promise<void> {
  const { rows, plans } = options;
  report.section(`Over HTTP with ${rows.toLocaleString("en")} runs in the table`);
  if (!await postgresAvailable()) return report.note("PostgreSQL did not answer: not measured");
  const { db, url, drop } = await testDatabase("postgres");
  try {
    const data = await fillRuns(db, rows, (text) => console.error(text));
    const [size] = await db.query<{ table: number; indexes: number }>(
      "select pg_table_size('runs')::float8 / 2 ^ 30 as table, pg_indexes_size('runs')::float8 / 2 ^ 30 as indexes",
    );
    report.note(`runs: ${size?.table.toFixed(1)} GiB, its indexes ${size?.indexes.toFixed(1)} GiB`);
    const hub = await openBenchHub({ databaseUrl: url });
    try {
      for (const [name, filters] of Object.entries(filtersOf(data))) {
        await measureList(report, { db: plans ? db : null, hub, name, filters });
      }
      await measureGraphs(report, hub);
    } finally {
      await hub.close();
    }
  } finally {
    await drop();
  }
}

function filtersOf({ parent, ticket, newest }: ListData): Readonly<Record<string, Filters>> {
  const day = { since: newest - 180 * DAY_MS, until: newest - 179 * DAY_MS };
  return {
    "no filter": {},
    "a workflow": { workflow: "workflow-7" },
    "a rare workflow": { workflow: "rare" },
    "a workflow that is not there": { workflow: "nothing" },
    "status completed": { status: ["completed"] },
    "status failed": { status: ["failed"] },
    "status running": { status: ["running"] },
    "a workflow, failed": { workflow: "workflow-7", status: ["failed"] },
    "a rare workflow, failed": { workflow: "rare", status: ["failed"] },
    "a workflow, running": { workflow: "workflow-7", status: ["running"] },
    "one day, half a year ago": day,
    "one day, failed": { ...day, status: ["failed"] },
    "one day, a workflow, aborted": { ...day, workflow: "workflow-7", status: ["aborted"] },
    "a common label": { label: ["team=team-7"] },
    "a label with one run": { label: [`ticket=${ticket}`] },
    "a label key": { label: ["ticket"] },
    "a common label, failed": { label: ["team=team-7"], status: ["failed"] },
    "a common label, a workflow": { label: ["team=team-7"], workflow: "workflow-7" },
    "a label that is not there": { label: ["team=nobody"] },
    "children of a run": { parent },
    "text: part of a workflow's name": { q: "flow-19" },
    "text: nowhere": { q: "no such thing" },
    "text: an id": { q: parent },
    "text and status failed": { q: "flow-19", status: ["failed"] },
  };
}

interface ListCase {
  /** Given: the query plans are shown. */
  readonly db: Database | null;
  readonly hub: BenchHub;
  readonly name: string;
  readonly filters: Filters;
}

/** First page and, where there is one, the page after the tenth, in turns. */
async function measureList(report: Report, { db, hub, name, filters }: ListCase): Promise<void> {
  const path = (cursor: string | null) => {
    const query = new URLSearchParams({ limit: "50" });
    for (const [key, value] of Object.entries({ ...filters, ...(cursor === null ? {} : { cursor }) })) {
      for (const each of Array.isArray(value) ? value : [value]) query.append(key, String(each));
    }
    return `/api/runs?${query}`;
  };
  let cursor: string | null = null;
  let found = 0;
  for (let page = 0; page < 10; page++) {
    const { items, nextCursor } = JSON.parse(await hub.get(path(cursor))) as Listed;
    found += items.length;
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  const cursors = cursor === null ? [null] : [null, cursor];
  let next = 0;
  const times = await load(REQUESTS, 1, () => hub.get(path(cursors[next++ % cursors.length] ?? null)));
  const p95 = quantile(times, 0.95);
  const note = `p50 ${quantile(times, 0.5).toFixed(1)} ms; ${found}${cursor === null ? "" : "+"} runs`;
  report.add({ name: `list: ${name}, p95`, value: p95, unit: "ms", goal: { atMost: 100 }, note });
  if (db === null) return;
  const query = { orgId: "default", limit: 50, ...filters };
  for (const runs of isOrdered(query) ? ["all"] as const : ["newest", "all"] as const) {
    if (runs === "all" && filters.q !== undefined) continue;
    const { text, values } = runQuery(query, { runs });
    const plan = await db.query<{ "QUERY PLAN": string }>(`explain (costs off) ${text}`, values);
    report.detail(plan.map((row) => row["QUERY PLAN"]));
  }
}

interface Listed {
  readonly items: readonly unknown[];
  readonly nextCursor: string | null;
}

async function measureGraphs(report: Report, hub: BenchHub): Promise<void> {
  const wide = { type: "parallel", props: {}, children: chainChildren(NODES) };
  const shapes = { "in a row": chainTemplate("core.echo", NODES, echoInput), "beside each other": wide };
  for (const [shape, template] of Object.entries(shapes)) {
    const name = `bench-${shape.replaceAll(" ", "-")}`;
    await hub.register(name, template);
    const { id } = await hub.runner(name)();
    await load(3, 1, () => hub.get(`/api/runs/${id}/graph`));
    const times = await load(15, 1, () => hub.get(`/api/runs/${id}/graph`));
    const value = quantile(times, 0.5);
    const note = `max ${Math.max(...times).toFixed(0)} ms`;
    report.add({ name: `graph of ${NODES} nodes ${shape}, p50`, value, unit: "ms", goal: { atMost: 300 }, note });
  }
}

function chainChildren(count: number): readonly unknown[] {
  const { children } = chainTemplate("core.echo", count, () => ({ value: 1 })) as {
    readonly children: readonly unknown[];
  };
  return children;
}
