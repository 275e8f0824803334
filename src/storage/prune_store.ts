import type { PruneFilter, PrunePage, PrunePosition, RunPruner } from "../retention/mod.ts";
import type { RunRecord } from "../runs/ports.ts";
import type { Database, Queryable } from "./database.ts";
import { column, decodeRow, type EventRow } from "./event_body.ts";

/** Tables that have rows of a run, by the column that names it. */
const BELONGINGS = ["run_events", "run_logs", "run_progress", "budget_charges"] as const;
/** Removed runs that are swept together. */
const SWEPT_RUNS = 500;
/** An idempotency key stands for its run at least so long. */
const KEY_PROMISE = "interval '24 hours'";
/** A plan that was put so long ago may be in no hub's memory any more: see `createPlanStore`. */
const PLAN_REST = "interval '1 day'";

const RECORD =
  `r.id, r.org_id as "orgId", r.workflow, r.version, r.plan_hash as "planHash", r.status, r.priority, r.labels,
  r.parent_run_id as "parentRunId", coalesce(r.root_run_id, r.id) as "rootRunId",
  (extract(epoch from r.created_at) * 1000)::float8 as "createdAt",
  (extract(epoch from r.completed_at) * 1000)::float8 as "completedAt", r.error_code as "errorCode"`;

/** Roots of runs of which a webhook has still to tell: what it sends is read from their logs. */
const OWED = `with owed as materialized (
    select distinct coalesce(x.root_run_id, x.id) as id from webhook_deliveries d join runs x on x.id = d.run_id
    where d.status = 'pending' and d.give_up_at > clock_timestamp()
  )`;

/** A run and all below it, by the index of parents. */
const TREE = `with recursive tree (id) as (
    select id from runs where id = any ($1::uuid[])
    union select c.id from tree t join runs c on c.parent_run_id = t.id
  )`;

/** Deletes runs in this database, as `hubId`. */
export function createRunPruner(db: Database, { hubId }: { readonly hubId: string }): RunPruner {
  return {
    page: (params) => page(db, params),
    remove: (rootIds) => db.transaction((tx) => remove(tx, rootIds)),
    sweep: (limit) => sweep(db, limit),
    forget: async (runIds) => {
      const [found] = await db.query("select 1 from retention_garbage where run_id = any ($1::uuid[]) limit 1", [
        runIds,
      ]);
      if (found === undefined) return;
      await db.transaction(async (tx) => {
        for (const table of BELONGINGS) {
          await tx.query(`delete from ${table} where run_id = any ($1::uuid[])`, [runIds]);
        }
        await tx.query("delete from retention_garbage where run_id = any ($1::uuid[])", [runIds]);
      });
    },
    sweepPlans: () => sweepPlans(db),
    async hold(ttlMs) {
      const rows = await db.query(
        `update retention_lease set hub_id = $1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
         where lease_until is null or lease_until < clock_timestamp() or hub_id = $1 returning id`,
        [hubId, ttlMs],
      );
      return rows.length > 0;
    },
  };
}

interface Examined extends RunRecord {
  readonly fits: boolean;
}

async function page(
  db: Database,
  { orgId, filter, position, examine }: Parameters<RunPruner["page"]>[0],
): Promise<PrunePage> {
  const org = position?.orgId ?? (orgId === null ? await nextOrg(db, null) : column(orgId));
  if (org === null) return { roots: [], examined: 0, position: null };
  const values: unknown[] = [org, filter.endedBefore, position?.createdAt ?? null, position?.id ?? null, examine];
  const rows = await db.query<Examined>(pageSql(filter, values), values);
  const last = rows.at(-1);
  const roots = rows.filter(({ fits }) => fits).map(({ fits: _fits, ...record }) => record);
  if (last !== undefined && rows.length === examine) {
    return { roots, examined: rows.length, position: { orgId: org, createdAt: last.createdAt, id: last.id } };
  }
  const next = orgId === null ? await nextOrg(db, org) : null;
  return { roots, examined: rows.length, position: next === null ? null : startOf(next) };
}

function startOf(orgId: string): PrunePosition {
  return { orgId, createdAt: 0, id: "00000000-0000-0000-0000-000000000000" };
}

/**
 * Runs in the order of their creation, which an index gives: who ended before some time began before it, so the look goes no
 * further. A young run with an idempotency key is left, see KEY_PROMISE.
 */
function pageSql(filter: PruneFilter, values: unknown[]): string {
  const bind = (value: unknown) => `$${values.push(value)}`;
  const fits = ["r.parent_run_id is null", "r.completed_at < to_timestamp($2::float8 / 1000)"];
  if (filter.status !== undefined) fits.push(`r.status = any (${bind(filter.status)}::text[])`);
  if (filter.label !== undefined) {
    const [key = "", value] = filter.label.split(/=(.*)/s, 2);
    fits.push(
      value === undefined
        ? `r.labels ? ${bind(column(key))}::text`
        : `r.labels @> ${bind(JSON.stringify({ [column(key)]: column(value) }))}::jsonb`,
    );
  }
  const where = filter.workflow === undefined ? "" : `and r.workflow = ${bind(column(filter.workflow))}`;
  fits.push(`(r.created_at < clock_timestamp() - ${KEY_PROMISE} or not exists (
    select 1 from run_events e where e.run_id = r.id and e.seq = 1 and e.body like '%"idempotencyKey":%'))`);
  fits.push(`not exists (
    with recursive tree (id) as (
      select r.id union select c.id from tree t join runs c on c.parent_run_id = t.id
    ) select 1 from tree join live_runs l on l.run_id = tree.id)`);
  fits.push("r.id not in (select id from owed)");
  return `${OWED} select ${RECORD}, (${fits.join(" and ")}) as fits from runs r
    where r.org_id = $1 and r.created_at < to_timestamp($2::float8 / 1000) ${where}
      and ($3::float8 is null or (r.created_at, r.id) > (to_timestamp($3::float8 / 1000), $4::uuid))
    order by r.created_at, r.id limit $5`;
}

async function nextOrg(db: Database, after: string | null): Promise<string | null> {
  const [row] = await db.query<{ org_id: string }>(
    "select org_id from runs where $1::text is null or org_id > $1 order by org_id limit 1",
    [after],
  );
  return row?.org_id ?? null;
}

async function remove(tx: Queryable, rootIds: readonly string[]): Promise<number> {
  const rows = await tx.query<{ id: string }>(
    `${TREE}, roots as (
       select id from runs where id = any ($1::uuid[]) and completed_at is not null
     ), alive as (
       select t.id from tree t join live_runs l on l.run_id = t.id
     ) select tree.id from tree where exists (select 1 from roots) and not exists (select 1 from alive)`,
    [rootIds],
  );
  // One that lives keeps all of the batch: the next look leaves its tree out.
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return 0;
  await removeKeys(tx, ids);
  await tx.query(
    `delete from failed_runs f using runs r
     where r.id = any ($1::uuid[]) and f.org_id = r.org_id and f.status = r.status and f.created_at = r.created_at
       and f.run_id = r.id`,
    [ids],
  );
  await tx.query(
    `delete from budgets b using runs r where r.id = any ($1::uuid[]) and b.org_id = r.org_id and b.kind = 'run'
       and b.id = r.id::text`,
    [ids],
  );
  await tx.query("insert into retention_garbage (run_id) select unnest($1::uuid[]) on conflict do nothing", [ids]);
  await tx.query("delete from runs where id = any ($1::uuid[])", [ids]);
  return ids.length;
}

/** Their keys are in their first events; the index of keys is by key alone. */
async function removeKeys(tx: Queryable, ids: readonly string[]): Promise<void> {
  const rows = await tx.query<EventRow>(
    `select e.run_id, e.seq, (extract(epoch from e.at) * 1000)::float8 as at, e.type, e.node_key, e.request_id, e.body,
       json_build_object('workflow', r.workflow, 'version', coalesce(r.first_version, r.version), 'planHash',
         coalesce(r.first_plan_hash, r.plan_hash), 'priority', r.priority,
         'orgId', r.org_id, 'parent', null) as created
     from run_events e join runs r on r.id = e.run_id
     where e.run_id = any ($1::uuid[]) and e.seq = 1 and (e.body like '%"idempotencyKey":%' or e.body like '{"hex":%')`,
    [ids],
  );
  const keys = rows.flatMap(decodeRow).flatMap((event) =>
    event.type === "run.created" && event.idempotencyKey !== null
      ? [{
        runId: event.runId,
        org: column(event.caller.orgId),
        workflow: column(event.workflow),
        key: event.idempotencyKey,
      }]
      : []
  );
  if (keys.length === 0) return;
  await tx.query(
    `delete from idempotency_keys k
     using unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as gone(run_id, org_id, workflow, key)
     where k.org_id = gone.org_id and k.workflow = gone.workflow and k.key = gone.key and k.run_id = gone.run_id`,
    [
      keys.map(({ runId }) => runId),
      keys.map(({ org }) => org),
      keys.map(({ workflow }) => workflow),
      keys.map(({ key }) => JSON.stringify(key)),
    ],
  );
}

/** A run's garbage ends when it has no row left anywhere. */
async function sweep(db: Database, limit: number): Promise<boolean> {
  const rows = await db.query<{ run_id: string }>("select run_id from retention_garbage order by run_id limit $1", [
    SWEPT_RUNS,
  ]);
  if (rows.length === 0) return false;
  const ids = rows.map(({ run_id }) => run_id);
  for (const table of BELONGINGS) {
    const deleted = await db.query<{ n: number }>(
      `with gone as (
         delete from ${table} where ctid = any (array(
           select ctid from ${table} where run_id = any ($1::uuid[]) limit $2)) returning 1
       ) select count(*)::float8 as n from gone`,
      [ids, limit],
    );
    if ((deleted[0]?.n ?? 0) >= limit) return true;
  }
  await db.query("delete from retention_garbage where run_id = any ($1::uuid[])", [ids]);
  return true;
}

/** A workflow whose runs have moved between versions keeps all its plans: events of theirs name some that no row does. */
async function sweepPlans(db: Database): Promise<number> {
  const due = await db.query(
    `update retention_lease set plans_swept_at = clock_timestamp()
     where plans_swept_at is null or plans_swept_at < clock_timestamp() - interval '1 day' returning id`,
  );
  if (due.length === 0) return 0;
  const rows = await db.query<{ n: number }>(
    `with moved as materialized (
       select distinct '{"planVersion":1,"workflow":' || to_json(workflow)::text || '%' as plans
       from runs where first_plan_hash is not null
     ), gone as (
       delete from plans p where p.created_at < clock_timestamp() - ${PLAN_REST}
         and not exists (select 1 from runs r where r.plan_hash = p.hash)
         and not exists (select 1 from moved where p.plan like moved.plans) returning 1
     ) select count(*)::float8 as n from gone`,
  );
  return rows[0]?.n ?? 0;
}
