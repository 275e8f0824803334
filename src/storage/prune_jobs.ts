import type { PruneJob, PruneJobs } from "../retention/mod.ts";
import { and, asc, desc, eq, inArray, lt, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { retentionJobs } from "./schema/mod.ts";

export function createPruneJobs({ orm }: Database): PruneJobs {
  return {
    async add({ id, orgId, createdBy, filter, action }) {
      const values = { id, orgId: orgId === null ? null : column(orgId), createdBy: column(createdBy), filter, action };
      const [row] = await orm.insert(retentionJobs).values(values).returning();
      if (row === undefined) throw new Error("Cannot add a job: no row came back");
      return toJob(row);
    },
    async get({ orgId, id }) {
      const [row] = await orm.select().from(retentionJobs)
        .where(and(eq(retentionJobs.id, column(id)), eq(retentionJobs.orgId, column(orgId))));
      return row === undefined ? null : toJob(row);
    },
    async next() {
      const [row] = await orm.select().from(retentionJobs).where(inArray(retentionJobs.state, ["waiting", "running"]))
        .orderBy(asc(retentionJobs.createdAt), asc(retentionJobs.id)).limit(1);
      return row === undefined ? null : toJob(row);
    },
    async save({ id, state, position, trees, runs, examined, files, error }) {
      await orm.update(retentionJobs)
        .set({ state, position, trees, runs, examined, files, error, updatedAt: sql`clock_timestamp()` })
        .where(eq(retentionJobs.id, id));
    },
    async last({ createdBy }) {
      const [row] = await orm.select().from(retentionJobs).where(eq(retentionJobs.createdBy, column(createdBy)))
        .orderBy(desc(retentionJobs.createdAt)).limit(1);
      return row === undefined ? null : toJob(row);
    },
    async clean(before) {
      await orm.delete(retentionJobs)
        .where(and(inArray(retentionJobs.state, ["done", "failed"]), lt(retentionJobs.createdAt, before)));
    },
  };
}

function toJob(row: typeof retentionJobs.$inferSelect): PruneJob {
  // The JSON columns hold what `add` and `save` were given: nobody else writes them.
  return {
    ...row,
    filter: row.filter as PruneJob["filter"],
    position: row.position as PruneJob["position"],
    files: row.files as PruneJob["files"],
  };
}
