import type { RunQuery, RunRecord, RunStore } from "../runs/ports.ts";
import { and, asc, desc, eq, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { isOrdered, runQuery, type Statement, workflowNamesQuery } from "./run_query.ts";
import { liveRuns, runEvents, runs } from "./schema/mod.ts";

const MAX_CHILDREN = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The run list and look-ups, as commits left them: never ahead of the log, never behind it. */
export function createRunStore(db: Database): RunStore {
  const { orm } = db;
  return {
    async get({ orgId, runId }) {
      if (!UUID.test(runId)) return null;
      const [record] = await orm.select(RECORD).from(runs).where(
        and(eq(runs.id, runId), eq(runs.orgId, column(orgId))),
      );
      return record ?? null;
    },
    async list(query: RunQuery) {
      const rows = await listRows(db, query);
      const items = rows.slice(0, query.limit);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > query.limit && last !== undefined ? encodeCursor(last) : null };
    },
    async findCall({ orgId, requestId }) {
      if (!UUID.test(requestId)) return null;
      const isOfOrg = eq(runs.orgId, column(orgId));
      const [found] = await orm.select({ runId: runs.id }).from(runs).where(and(eq(runs.id, requestId), isOfOrg))
        .unionAll(
          orm.select({ runId: runEvents.runId }).from(runEvents).innerJoin(runs, eq(runs.id, runEvents.runId))
            .where(and(eq(runEvents.requestId, requestId), isOfOrg)),
        ).limit(1);
      return found ?? null;
    },
    async liveVersions({ orgId, workflow }) {
      const isOfOrg = orgId === null ? undefined : eq(runs.orgId, column(orgId));
      const number = sql<number>`count(*)::integer`;
      return await orm.select({ version: runs.version, runs: number }).from(liveRuns)
        .innerJoin(runs, eq(runs.id, liveRuns.runId)).where(and(eq(runs.workflow, column(workflow)), isOfOrg))
        .groupBy(runs.version).orderBy(desc(number), asc(runs.version));
    },
    async children({ orgId, runId }) {
      if (!UUID.test(runId)) return [];
      return await orm.select(RECORD).from(runs).where(and(eq(runs.parentRunId, runId), eq(runs.orgId, column(orgId))))
        .orderBy(asc(runs.createdAt), asc(runs.id)).limit(MAX_CHILDREN);
    },
  };
}

/** A record as it is selected. */
const RECORD = {
  id: runs.id,
  orgId: runs.orgId,
  workflow: runs.workflow,
  version: runs.version,
  planHash: runs.planHash,
  status: runs.status,
  priority: runs.priority,
  labels: runs.labels,
  parentRunId: runs.parentRunId,
  rootRunId: sql<string>`coalesce(${runs.rootRunId}, ${runs.id})`,
  createdAt: runs.createdAt,
  completedAt: runs.completedAt,
  errorCode: runs.errorCode,
} satisfies Record<keyof RunRecord, PgColumn | SQL>;

/**
 * By hand: the list is skip scans and unions, which a builder would hide. Its columns are those of `RECORD`. A short page of the
 * newest is completed among all: by workflow names for a free text, and by the one id that it may be.
 */
async function listRows(db: Database, query: RunQuery): Promise<readonly RunRecord[]> {
  const ask = ({ text, values }: Statement) => db.query<RunRecord>(text, values);
  if (isOrdered(query)) return await ask(runQuery(query));
  const newest = await ask(runQuery(query, { runs: "newest" }));
  if (newest.length > query.limit) return newest;
  if (query.q === undefined || query.q === "") return await ask(runQuery(query));
  const rows = new Map(newest.map((row) => [row.id, row]));
  const { text, values } = workflowNamesQuery(query.orgId, query.q);
  const workflows = (await db.query<{ name: string }>(text, values)).map(({ name }) => name);
  const more = [
    ...(workflows.length === 0 ? [] : await ask(runQuery(query, { workflows }))),
    ...(UUID.test(query.q) ? await ask(runQuery(query, { id: query.q })) : []),
  ];
  for (const row of more) rows.set(row.id, row);
  return [...rows.values()]
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
    .slice(0, query.limit + 1);
}
