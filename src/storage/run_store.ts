import type { RunQuery, RunRecord, RunStore } from "../runs/ports.ts";
import type { RunStatus } from "../../engine/events.ts";
import { encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { RUN_COLUMNS, runQuery } from "./run_query.ts";

const MAX_CHILDREN = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The run list and look-ups, as commits left them: never ahead of the log, never behind it. */
export function createRunStore(db: Database): RunStore {
  return {
    async get({ orgId, runId }) {
      if (!UUID.test(runId)) return null;
      const rows = await db.query<RunRow>(`select ${RUN_COLUMNS} from runs r where r.id = $1 and r.org_id = $2`, [
        runId,
        column(orgId),
      ]);
      return rows[0] === undefined ? null : toRecord(rows[0]);
    },
    async list(query: RunQuery) {
      const rows = await listRows(db, query);
      const items = rows.slice(0, query.limit).map(toRecord);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > query.limit && last !== undefined ? encodeCursor(last) : null };
    },
    async findCall({ orgId, requestId }) {
      if (!UUID.test(requestId)) return null;
      const rows = await db.query<{ run_id: string }>(
        `select r.id as run_id from runs r where r.id = $1::uuid and r.org_id = $2
         union all
         select e.run_id from run_events e join runs r on r.id = e.run_id where e.request_id = $1::uuid and r.org_id = $2
         limit 1`,
        [requestId, column(orgId)],
      );
      return rows[0] === undefined ? null : { runId: rows[0].run_id };
    },
    async children({ orgId, runId }) {
      if (!UUID.test(runId)) return [];
      const rows = await db.query<RunRow>(
        `select ${RUN_COLUMNS} from runs r where r.parent_run_id = $1 and r.org_id = $2
         order by r.created_at, r.id limit ${MAX_CHILDREN}`,
        [runId, column(orgId)],
      );
      return rows.map(toRecord);
    },
  };
}

async function listRows(db: Database, query: RunQuery): Promise<readonly RunRow[]> {
  const among = async (which: "all" | "newest") => {
    const { text, values } = runQuery(query, which);
    return await db.query<RunRow>(text, values);
  };
  if ((query.label ?? []).length > 0) {
    const rows = await among("newest");
    if (rows.length > query.limit) return rows;
  }
  return await among("all");
}

interface RunRow {
  readonly id: string;
  readonly org_id: string;
  readonly workflow: string;
  readonly version: string;
  readonly plan_hash: string;
  readonly status: RunStatus;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly parent_run_id: string | null;
  readonly root_run_id: string;
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly error_code: string | null;
}

function toRecord(row: RunRow): RunRecord {
  return {
    id: row.id,
    orgId: row.org_id,
    workflow: row.workflow,
    version: row.version,
    planHash: row.plan_hash,
    status: row.status,
    priority: row.priority,
    labels: row.labels,
    parentRunId: row.parent_run_id,
    rootRunId: row.root_run_id,
    createdAt: row.created_at,
    completedAt: row.completed_at,
    errorCode: row.error_code,
  };
}
