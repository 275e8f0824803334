import type { Plan } from "@alkdev/flowgraph";
import type { DeadLetter, DeadLetterCount, DeadLetterFilter, DeadLetterGroup, DeadLetterStore } from "../runs/mod.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { column, decodeRow, type EventRow } from "./event_body.ts";

/** Rows that are read from the log in one go. */
const BATCH = 2_000;
const MAX_GROUPS = 1_000;
const MAX_MESSAGE = 1_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Failed runs that nobody has dealt with: docs/decisions/0013-dead-letters.md. */
export function createDeadLetterStore(db: Database): DeadLetterStore {
  return {
    async list({ orgId, limit, cursor, ...filter }) {
      await readNew(db, orgId);
      const { where, values, bind } = conditions(orgId, filter);
      if (cursor !== undefined) {
        const { createdAt, id } = decodeCursor(cursor);
        where.push(`(d.failed_at, d.run_id) < (to_timestamp(${bind(createdAt)}::float8 / 1000), ${bind(id)}::uuid)`);
      }
      const rows = await db.query<DeadLetter>(
        `select d.run_id as "runId", d.workflow, r.labels, d.node_key as "nodeKey", d.operation_id as "operationId", d.code,
           d.message, d.attempts, (extract(epoch from d.failed_at) * 1000)::float8 as at
         from dead_letters d join runs r on r.id = d.run_id
         where ${where.join(" and ")} order by d.failed_at desc, d.run_id desc limit ${bind(limit + 1)}`,
        values,
      );
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const more = rows.length > limit && last !== undefined;
      return { items, nextCursor: more ? encodeCursor({ createdAt: last.at, id: last.runId }) : null };
    },
    async groups({ orgId, by, ...filter }) {
      await readNew(db, orgId);
      const { where, values } = conditions(orgId, filter);
      const from = (filter.label ?? []).length === 0 ? "" : "join runs r on r.id = d.run_id";
      return await db.query<DeadLetterCount>(
        `select ${
          GROUPS[by]
        } as value, count(*)::int as count, (extract(epoch from max(d.failed_at)) * 1000)::float8 as at
         from dead_letters d ${from} where ${where.join(" and ")}
         group by 1 order by 2 desc, 1 limit ${MAX_GROUPS}`,
        values,
      );
    },
    async handle({ orgId, runIds, handled, by, newRunId = null }) {
      const rows = await db.query<{ run_id: string }>(
        `update dead_letters set handled = $3, handled_at = now(), handled_by = $4, new_run_id = $5
         where org_id = $1 and run_id = any ($2::uuid[]) and handled is null returning run_id`,
        [column(orgId), runIds.filter((id) => UUID.test(id)), handled, column(by), newRunId],
      );
      return rows.map((row) => row.run_id);
    },
    async open({ orgId, runIds }) {
      const rows = await db.query<{ run_id: string }>(
        "select run_id from dead_letters where org_id = $1 and run_id = any ($2::uuid[]) and handled is null",
        [column(orgId), runIds.filter((id) => UUID.test(id))],
      );
      return rows.map((row) => row.run_id);
    },
  };
}

const GROUPS: Readonly<Record<DeadLetterGroup, string>> = {
  code: "d.code",
  operation: "d.operation_id",
  workflow: "d.workflow",
};

function conditions(orgId: string, filter: DeadLetterFilter) {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = [`d.org_id = ${bind(column(orgId))}`, "d.failed_at is not null", "d.handled is null"];
  const { workflow, operation, code, since, until, label = [] } = filter;
  if (workflow !== undefined) where.push(`d.workflow = ${bind(column(workflow))}`);
  if (operation !== undefined) where.push(`d.operation_id = ${bind(column(operation))}`);
  if (code !== undefined) where.push(`d.code = ${bind(column(code))}`);
  if (since !== undefined) where.push(`d.failed_at >= to_timestamp(${bind(since)}::float8 / 1000)`);
  if (until !== undefined) where.push(`d.failed_at < to_timestamp(${bind(until)}::float8 / 1000)`);
  for (const one of label) {
    const at = one.indexOf("=");
    where.push(
      at < 0
        ? `r.labels ? ${bind(column(one))}::text`
        : `r.labels @> ${bind(JSON.stringify({ [column(one.slice(0, at))]: column(one.slice(at + 1)) }))}::jsonb`,
    );
  }
  return { where, values, bind };
}

interface Unread extends Omit<EventRow, "run_id" | "created"> {
  readonly run_id: string;
  readonly workflow: string | null;
  readonly plan_hash: string;
  readonly is_child: boolean;
}

/** Reads what went wrong from the log, for those that nobody has looked at. Children are dealt with by their parents. */
async function readNew(db: Database, orgId: string): Promise<void> {
  for (;;) {
    const rows = await db.query<Unread>(
      `select d.run_id, r.workflow, r.plan_hash, r.parent_run_id is not null as is_child, e.seq, e.type, e.node_key,
         e.request_id, e.body, (extract(epoch from e.at) * 1000)::float8 as at
       from (select run_id from dead_letters where org_id = $1 and failed_at is null and handled is null limit ${BATCH}) d
       left join runs r on r.id = d.run_id
       left join lateral (select * from run_events e where e.run_id = d.run_id order by e.seq desc limit 1) e on true`,
      [column(orgId)],
    );
    if (rows.length === 0) return;
    const failures = rows.flatMap((row) => {
      const event = row.workflow === null || row.is_child ? undefined : decodeRow({ ...row, created: null }).at(-1);
      return event?.type === "run.failed" ? [{ row, event }] : [];
    });
    const operations = await operationsOf(db, failures.map(({ row, event }) => [row.plan_hash, event.error.nodeKey]));
    const attempts = await attemptsOf(db, failures.map(({ row, event }) => [row.run_id, event.error.nodeKey]));
    const read = failures.map(({ row, event: { at, error } }, i) => ({
      run_id: row.run_id,
      failed_at: new Date(at).toISOString(),
      workflow: row.workflow,
      node_key: error.nodeKey === null ? null : column(error.nodeKey),
      operation_id: operations[i] ?? null,
      code: column(error.code),
      message: column(error.message.slice(0, MAX_MESSAGE)),
      attempts: attempts.get(row.run_id) ?? 0,
    }));
    await db.query(
      `update dead_letters d set failed_at = x.failed_at, workflow = x.workflow, node_key = x.node_key,
         operation_id = x.operation_id, code = x.code, message = x.message, attempts = x.attempts
       from json_to_recordset($1::json) as x (run_id uuid, failed_at timestamptz, workflow text, node_key text,
         operation_id text, code text, message text, attempts int)
       where d.run_id = x.run_id`,
      [JSON.stringify(read)],
    );
    const done = new Set(read.map(({ run_id }) => run_id));
    const gone = rows.map(({ run_id }) => run_id).filter((id) => !done.has(id));
    if (gone.length > 0) await db.query("delete from dead_letters where run_id = any ($1::uuid[])", [gone]);
  }
}

/** What the failed nodes called, by plan hash and node key. */
async function operationsOf(
  db: Database,
  failures: readonly (readonly [hash: string, key: string | null])[],
): Promise<readonly (string | null)[]> {
  const byPlan = new Map<string, Map<string, string>>();
  const hashes = [...new Set(failures.map(([hash]) => hash))];
  const rows = await db.query<{ hash: string; plan: string }>(
    "select hash, plan from plans where hash = any ($1::text[])",
    [hashes],
  );
  for (const { hash, plan } of rows) {
    const byKey = new Map<string, string>();
    // Only `createPlanStore` writes there.
    for (const node of (JSON.parse(plan) as Plan).nodes) {
      if (node.kind === "operation") byKey.set(node.key, node.operationId);
      else if (node.kind === "workflow") byKey.set(node.key, `workflow.${node.workflow}`);
    }
    byPlan.set(hash, byKey);
  }
  return failures.map(([hash, key]) => byPlan.get(hash)?.get(key?.replace(/\[.*$/s, "") ?? "") ?? null);
}

/** Attempts of the failed nodes, by run. */
async function attemptsOf(
  db: Database,
  failures: readonly (readonly [runId: string, key: string | null])[],
): Promise<ReadonlyMap<string, number>> {
  const nodes = failures.filter(([, key]) => key !== null);
  const rows = await db.query<{ run_id: string; body: string }>(
    `select x.run_id, e.body from unnest($1::uuid[], $2::text[]) as x (run_id, node_key)
     cross join lateral (select body from run_events e where e.run_id = x.run_id and e.node_key = x.node_key
       and e.type = 'call.error' order by e.seq desc limit 1) e`,
    [nodes.map(([runId]) => runId), nodes.map(([, key]) => key)],
  );
  return new Map(rows.map(({ run_id, body }) => [run_id, attemptIn(body)]));
}

/** The attempt is left out of a body when it is the first. */
function attemptIn(body: string): number {
  const [event] = decodeRow({
    ...{ run_id: "", seq: 1, at: 0, type: "call.error", node_key: "", request_id: "" },
    ...{ body, created: null },
  }).slice(-1);
  return event !== undefined && "attempt" in event ? event.attempt : 1;
}
