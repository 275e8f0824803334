import type { RunQuery } from "../runs/ports.ts";
import { decodeCursor } from "./cursor.ts";
import { column } from "./event_body.ts";

/** How many of the newest runs a free-text search looks through for ids and label values. */
const SEARCHED = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const RUN_COLUMNS =
  `r.id, r.org_id as "orgId", r.workflow, r.version, r.plan_hash as "planHash", r.status, r.priority, r.labels,
  r.parent_run_id as "parentRunId", coalesce(r.root_run_id, r.id) as "rootRunId",
  (extract(epoch from r.created_at) * 1000)::float8 as "createdAt",
  (extract(epoch from r.completed_at) * 1000)::float8 as "completedAt", r.error_code as "errorCode"`;

/**
 * The list as SQL. Each filter has an index that gives the newest first, so that a page costs what it shows: organization and
 * workflow in `runs`, failed and aborted in `failed_runs`, running and paused in `live_runs` (which holds nothing else),
 * labels in a GIN index. One row more than `limit` says whether there is a next page.
 *
 * A GIN index has no order: a label that many runs have would be sorted whole. `among: "newest"` looks through the newest
 * {@linkcode SEARCHED} runs only, which is enough for such a label; a short page of it has to be asked again among all.
 */
export function runQuery(
  query: RunQuery,
  among: "all" | "newest" = "all",
): { readonly text: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const limit = bind(query.limit + 1);
  const org = bind(column(query.orgId));
  const range = rangeOf(query, bind);
  const where = [`r.org_id = ${org}`, ...range("r.id")];
  if (query.workflow !== undefined) where.push(`r.workflow = ${bind(column(query.workflow))}`);
  if (query.parent !== undefined) {
    where.push(UUID.test(query.parent) ? `r.parent_run_id = ${bind(query.parent)}::uuid` : "false");
  }
  for (const label of query.label ?? []) where.push(labelFilter(label, bind));
  if (query.status !== undefined) {
    where.push(`r.status = any (${bind(query.status)}::text[])`);
    if (!query.status.includes("completed")) {
      // Alone, a status needs its newest rows only; beside other filters it needs all.
      const isAlone = query.workflow === undefined && query.parent === undefined && query.q === undefined &&
        (query.label ?? []).length === 0;
      where.push(openFilter(query.status, org, range("run_id"), isAlone ? limit : null));
    }
  }
  if (query.q !== undefined && query.q !== "") {
    where.push(textFilter(query.q, { org, limit, where: where.join(" and ") }, bind));
  }
  const order = "order by r.created_at desc, r.id desc limit";
  const source = among === "all"
    ? "runs"
    : `(select * from runs r where ${[`r.org_id = ${org}`, ...range("r.id")].join(" and ")} ${order} ${SEARCHED})`;
  const text = `select ${RUN_COLUMNS} from ${source} r where ${where.join(" and ")} ${order} ${limit}`;
  return { text, values };
}

type Bind = (value: unknown) => string;

function rangeOf(query: RunQuery, bind: Bind): (id: string) => readonly string[] {
  const time = (ms: number) => `to_timestamp(${bind(ms)}::float8 / 1000)`;
  const since = query.since === undefined ? null : time(query.since);
  const until = query.until === undefined ? null : time(query.until);
  const position = query.cursor === undefined ? null : decodeCursor(query.cursor);
  const after = position === null ? null : `${time(position.createdAt)}, ${bind(position.id)}::uuid`;
  return (id) => [
    ...(since === null ? [] : [`created_at >= ${since}`]),
    ...(until === null ? [] : [`created_at < ${until}`]),
    ...(after === null ? [] : [`(created_at, ${id}) < (${after})`]),
  ];
}

function labelFilter(label: string, bind: Bind): string {
  const at = label.indexOf("=");
  if (at === -1) return `r.labels <> '{}' and r.labels ? ${bind(column(label))}::text`;
  const pair = { [column(label.slice(0, at))]: column(label.slice(at + 1)) };
  return `r.labels <> '{}' and r.labels @> ${bind(JSON.stringify(pair))}::jsonb`;
}

function openFilter(statuses: readonly string[], org: string, range: readonly string[], limit: string | null): string {
  const sources: string[] = [];
  if (statuses.includes("running") || statuses.includes("paused")) sources.push("select run_id from live_runs");
  for (const status of ["failed", "aborted"]) {
    if (!statuses.includes(status)) continue;
    const where = [`org_id = ${org}`, `status = '${status}'`, ...range].join(" and ");
    const page = limit === null ? "" : ` order by created_at desc, run_id desc limit ${limit}`;
    sources.push(`(select run_id from failed_runs where ${where}${page})`);
  }
  return sources.length === 0 ? "false" : `r.id in (${sources.join(" union all ")})`;
}

/** Workflows by any part of their name, over all runs; ids and label values among the newest runs only. */
function textFilter(
  q: string,
  list: { readonly org: string; readonly limit: string; readonly where: string },
  bind: Bind,
): string {
  const { org, limit, where } = list;
  const pattern = bind(`%${column(q).replace(/[\\%_]/g, "\\$&")}%`);
  const names = `with recursive names (name) as (
      (select workflow from runs where org_id = ${org} order by workflow limit 1)
      union all
      select (select workflow from runs where org_id = ${org} and workflow > name order by workflow limit 1)
      from names where name is not null
    ) select name from names where name ilike ${pattern}`;
  const recent = `select s.id from (select r.id, r.labels from runs r where ${where}
      order by r.created_at desc, r.id desc limit ${SEARCHED}) s
    where s.id::text ilike ${pattern}
      or exists (select 1 from jsonb_each_text(s.labels) l where l.value ilike ${pattern})`;
  // Name by name: each is one short walk of its index; `= any (…)` would walk the whole organization when none matches.
  const named = `(select x.id from (${names}) n cross join lateral (
    select r.id from runs r where ${where} and r.workflow = n.name order by r.created_at desc, r.id desc limit ${limit}) x)`;
  const exact = UUID.test(q) ? ` union all select ${bind(q)}::uuid` : "";
  return `r.id = any (array(${named} union all ${recent}${exact}))`;
}
