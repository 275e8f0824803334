import type { RunQuery } from "../runs/ports.ts";
import { decodeCursor } from "./cursor.ts";
import { column } from "./event_body.ts";

/** How many of the newest runs are looked through for what no index orders. */
const SEARCHED = 10_000;
/** The same among the failed and aborted ones, of which fewer are wanted. */
const SEARCHED_FAILED = 20_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const RUN_COLUMNS =
  `r.id, r.org_id as "orgId", r.workflow, r.version, r.plan_hash as "planHash", r.status, r.priority, r.labels,
  r.parent_run_id as "parentRunId", coalesce(r.root_run_id, r.id) as "rootRunId",
  (extract(epoch from r.created_at) * 1000)::float8 as "createdAt",
  (extract(epoch from r.completed_at) * 1000)::float8 as "completedAt", r.error_code as "errorCode"`;

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a list is read from. `workflows`: those of the given names, for a free text. `id`: one run. */
export type Among =
  | { readonly runs: "newest" | "all" }
  | { readonly workflows: readonly string[] }
  | { readonly id: string };

/** Whether an index gives the list newest first, so that a page costs what it shows. */
export function isOrdered(query: RunQuery): boolean {
  const hasText = query.q !== undefined && query.q !== "";
  if (hasText || (query.label ?? []).length > 0) return false;
  return query.status === undefined || query.status.includes("completed") ||
    (isFailedOnly(query.status) && query.workflow === undefined && query.parent === undefined);
}

/**
 * The list as SQL. Indexes give organization and workflow newest first in `runs`, failed and aborted in `failed_runs`; queued,
 * running and paused are in `live_runs` (which holds nothing else), without order, and so are labels, in a GIN index. What has no order
 * ({@linkcode isOrdered}) is first looked for among the newest runs, or the newest failed ones, which is enough for what is
 * common; a short page of it has to be asked again among all, which is cheap for what is rare. One row more than `limit` says
 * whether there is a next page.
 */
export function runQuery(query: RunQuery, among: Among = { runs: "all" }): Statement {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const limit = bind(query.limit + 1);
  const org = bind(column(query.orgId));
  const range = rangeOf(query, bind);
  const ordered = [`r.org_id = ${org}`, ...range("r.created_at", "r.id")];
  if (query.workflow !== undefined) ordered.push(`r.workflow = ${bind(column(query.workflow))}`);
  if (query.parent !== undefined) {
    ordered.push(UUID.test(query.parent) ? `r.parent_run_id = ${bind(query.parent)}::uuid` : "false");
  }
  const where = [...ordered];
  for (const label of query.label ?? []) where.push(labelFilter(label, bind));
  const { status } = query;
  if (status !== undefined) where.push(`r.status = any (${bind(status)}::text[])`);
  const select = (from: string, filters: readonly string[], by: string = "r.created_at desc, r.id desc") =>
    `select ${RUN_COLUMNS} from ${from} where ${filters.join(" and ")} order by ${by} limit ${limit}`;
  if ("id" in among) {
    where.push(`r.id = ${bind(among.id)}::uuid`);
    return { text: select("runs r", where), values };
  }
  if ("runs" in among && among.runs === "newest") {
    if (query.q !== undefined && query.q !== "") where.push(textFilter(query.q, bind));
    if (status !== undefined && isFailedOnly(status) && query.workflow === undefined) {
      // The offset keeps the planner from filtering all of `runs` before it joins.
      const newest = failedRuns(status, [`org_id = ${org}`, ...range("created_at", "run_id")], String(SEARCHED_FAILED));
      return {
        text: select(
          `${newest} f cross join lateral (select * from runs r where r.id = f.run_id offset 0) r`,
          where,
          "f.created_at desc, f.run_id desc",
        ),
        values,
      };
    }
    const newest = `select * from runs r where ${
      ordered.join(" and ")
    } order by r.created_at desc, r.id desc limit ${SEARCHED}`;
    return { text: select(`(${newest}) r`, where), values };
  }
  if (status !== undefined && !status.includes("completed")) {
    const page = isOrdered(query) ? limit : null;
    where.push(openFilter(status, [`org_id = ${org}`, ...range("created_at", "run_id")], page));
  }
  if (!("workflows" in among)) return { text: select("runs r", where), values };
  const names = bind(among.workflows.map(column));
  if ((query.label ?? []).length > 0 || status !== undefined && !status.includes("completed")) {
    return { text: select("runs r", [...where, `r.workflow = any (${names}::text[])`]), values };
  }
  // Name by name: each is one short walk of its index; `= any (…)` would walk the whole organization when few match.
  const each = `select r.* from runs r where ${[...where, "r.workflow = n.name"].join(" and ")}
    order by r.created_at desc, r.id desc limit ${limit}`;
  return { text: select(`unnest(${names}::text[]) n(name) cross join lateral (${each}) r`, ["true"]), values };
}

/** The names of an organization's workflows that hold `q`: a skip scan, which costs as many look-ups as there are names. */
export function workflowNamesQuery(orgId: string, q: string): Statement {
  const text = `with recursive names (name) as (
      (select workflow from runs where org_id = $1 order by workflow limit 1)
      union all
      select (select workflow from runs where org_id = $1 and workflow > name order by workflow limit 1)
      from names where name is not null
    ) select name from names where name ilike $2`;
  return { text, values: [column(orgId), pattern(q)] };
}

function isFailedOnly(status: readonly string[]): boolean {
  return status.every((one) => one === "failed" || one === "aborted");
}

type Bind = (value: unknown) => string;

function rangeOf(query: RunQuery, bind: Bind): (at: string, id: string) => readonly string[] {
  const time = (ms: number) => `to_timestamp(${bind(ms)}::float8 / 1000)`;
  const since = query.since === undefined ? null : time(query.since);
  const until = query.until === undefined ? null : time(query.until);
  const position = query.cursor === undefined ? null : decodeCursor(query.cursor);
  const after = position === null ? null : `${time(position.createdAt)}, ${bind(position.id)}::uuid`;
  return (at, id) => [
    ...(since === null ? [] : [`${at} >= ${since}`]),
    ...(until === null ? [] : [`${at} < ${until}`]),
    ...(after === null ? [] : [`(${at}, ${id}) < (${after})`]),
  ];
}

function labelFilter(label: string, bind: Bind): string {
  const at = label.indexOf("=");
  if (at === -1) return `r.labels <> '{}' and r.labels ? ${bind(column(label))}::text`;
  const pair = { [column(label.slice(0, at))]: column(label.slice(at + 1)) };
  return `r.labels <> '{}' and r.labels @> ${bind(JSON.stringify(pair))}::jsonb`;
}

function openFilter(statuses: readonly string[], where: readonly string[], limit: string | null): string {
  const isLive = statuses.includes("queued") || statuses.includes("running") || statuses.includes("paused");
  const failed = statuses.filter((status) => status === "failed" || status === "aborted");
  // As an array: the planner would rather merge the two keys, and walk through all of `runs`.
  const live = "select run_id from live_runs";
  if (failed.length === 0) return isLive ? `r.id = any (array(${live}))` : "false";
  const ended = `select run_id from ${failedRuns(failed, where, limit)} f`;
  return `r.id in (${isLive ? `${live} union all ` : ""}${ended})`;
}

/** Rows of `failed_runs`, newest first of each status where there is a limit. */
function failedRuns(statuses: readonly string[], where: readonly string[], limit: string | null): string {
  const page = limit === null ? "" : ` order by created_at desc, run_id desc limit ${limit}`;
  const each = ["failed", "aborted"].filter((status) => statuses.includes(status)).map((status) =>
    `(select created_at, run_id from failed_runs where ${[...where, `status = '${status}'`].join(" and ")}${page})`
  );
  return `(${each.join(" union all ")}${each.length > 1 ? page : ""})`;
}

/** Workflows by any part of their name, ids and label values. */
function textFilter(q: string, bind: Bind): string {
  const like = `ilike ${bind(pattern(q))}`;
  return `(r.workflow ${like} or r.id::text ${like}
    or r.labels <> '{}' and exists (select 1 from jsonb_each_text(r.labels) l where l.value ${like}))`;
}

function pattern(q: string): string {
  return `%${column(q).replace(/[\\%_]/g, "\\$&")}%`;
}
