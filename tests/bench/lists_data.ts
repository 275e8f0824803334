import type { Database } from "../../src/storage/database.ts";

/** Ids that the filters ask for: one run's parent, one label's only value. */
export interface ListData {
  readonly parent: string;
  readonly ticket: string;
  /** Ms since the epoch: the newest run. */
  readonly newest: number;
}

const DAY_MS = 86_400_000;
const CHUNK = 1_000_000;
const LIVE = 2000;
/** One of `parts`, by chance, the same each time: no two columns go together. */
const PART = (of: string, parts: number) => `(hashint8(${of}) & 1048575) % ${parts}`;

/** Run `i` of a year of runs, oldest first. Ids are in time order, as the hub's are. */
const RUN_ID = (i: string, from: string) =>
  `(lpad(to_hex(${from}), 12, '0') || '7' || substr(md5((${i})::text), 1, 3) || '8' || substr(md5((${i})::text), 4, 15))::uuid`;

/**
 * Fills the run list with `count` runs of one organization, spread over a year: 200 workflows and one that is rare, 2 % failed,
 * 1 % aborted, 2,000 running, every fifth with two labels, every tenth a child. Secondary indexes are made at the end, and the
 * table is unlogged: what is measured is reading it.
 */
export async function fillRuns(db: Database, count: number, told: (text: string) => void): Promise<ListData> {
  const newest = Date.now();
  const stepMs = 365 * DAY_MS / count;
  const at = (i: string) => `(${newest - 365 * DAY_MS} + ((${i}) * ${stepMs})::bigint)`;
  const indexes = await db.query<{ name: string; definition: string }>(
    `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
     join pg_class c on c.oid = i.indexrelid where i.indrelid = 'runs'::regclass and not i.indisprimary`,
  );
  await db.script(
    "alter table runs set unlogged; alter table live_runs set unlogged; alter table failed_runs set unlogged",
  );
  for (const { name } of indexes) await db.script(`drop index ${name}`);
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    await db.script(insertSql({ from, to, last: count, at }));
    told(`${to.toLocaleString("en")} rows`);
  }
  for (const { definition } of indexes) await db.script(definition);
  await db.script(
    `insert into failed_runs (created_at, run_id, org_id, status)
     select created_at, id, org_id, status from runs where status in ('failed', 'aborted');
     insert into hubs (id, epoch, lease_until) values ('elsewhere', 1, 'infinity');
     insert into live_runs (run_id, epoch, hub_id) select id, 1, 'elsewhere' from runs where status = 'running'`,
  );
  await db.script("vacuum analyze runs");
  await db.script("vacuum analyze failed_runs");
  await db.script("vacuum analyze live_runs");
  const middle = `${10 * Math.floor(count / 20) - 1}::bigint`;
  const [row] = await db.query<{ parent: string; ticket: string }>(
    `select ${RUN_ID(middle, at(middle))}::text as parent,
       (select i from generate_series(${middle}, ${middle} + 1000) i where ${
      PART("i * 7 + 2", 5)
    } = 0 limit 1)::text as ticket`,
  );
  return { parent: row?.parent ?? "", ticket: row?.ticket ?? "", newest };
}

function insertSql(params: {
  readonly from: number;
  readonly to: number;
  readonly last: number;
  readonly at: (i: string) => string;
}): string {
  const { from, to, last, at } = params;
  const isLive = `i >= ${last - LIVE}`;
  return `insert into runs (id, parent_run_id, parent_request_id, root_run_id, created_at, completed_at, priority, status, org_id,
      workflow, version, plan_hash, labels, error_code)
    select ${RUN_ID("i", at("i"))}, parent, null, parent,
      to_timestamp(${at("i")} / 1000.0), case when not ${isLive} then to_timestamp(${at("i")} / 1000.0 + 1) end, 0,
      case when ${isLive} then 'running' when fate < 2 then 'failed' when fate = 2 then 'aborted' else 'completed' end,
      'default', case when i % 1000000 = 500000 then 'rare' else 'workflow-' || kind end, md5(kind::text),
      md5(kind::text) || md5(kind::text),
      case when ${PART("i * 7 + 2", 5)} = 0
        then jsonb_build_object('team', 'team-' || ${PART("i * 11 + 3", 50)}, 'ticket', i::text) else '{}' end,
      case when fate < 2 and not ${isLive} then 'EXECUTION_ERROR' end
    from generate_series(${from}::bigint, ${to - 1}) i
    cross join lateral (select ${PART("i", 200)} as kind, ${PART("i * 3 + 1", 100)} as fate,
      case when i % 10 = 0 and i > 0 then ${RUN_ID("i - 1", at("i - 1"))} end as parent) x`;
}
