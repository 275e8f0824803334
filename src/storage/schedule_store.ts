import { and, asc, desc, eq, inArray, sql } from "drizzle-orm";
import type { Fire, ScheduleRecord, ScheduleStore } from "../triggers/mod.ts";
import { checkedRow } from "./checked_row.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { scheduleFires, scheduleRow, schedules } from "./schema/mod.ts";
import { isUniqueViolation } from "./unique_violation.ts";

/** Schedules in the database, for any number of hubs. */
export function createScheduleStore(db: Database): ScheduleStore {
  const { orm } = db;
  return {
    async create(schedule) {
      await ensureOrganization(db, schedule.orgId);
      const made = await orm.insert(schedules).values({
        id: schedule.id,
        ...toColumns(schedule),
        createdAt: schedule.createdAt,
      })
        .onConflictDoNothing().returning({ id: schedules.id });
      return made.length > 0;
    },
    async get({ orgId, id }) {
      const [row] = await orm.select().from(schedules).where(
        and(eq(schedules.id, column(id)), eq(schedules.orgId, column(orgId))),
      );
      return row === undefined ? null : toSchedule(row);
    },
    async list({ orgId }) {
      const rows = await orm.select().from(schedules).where(eq(schedules.orgId, column(orgId))).orderBy(
        asc(schedules.name),
      );
      return rows.map(toSchedule);
    },
    async update({ schedule, fire }) {
      const { id, revision } = schedule;
      try {
        return await orm.transaction(async (tx) => {
          const changed = await tx.update(schedules)
            .set({ ...toColumns(schedule), revision: revision + 1, claimedUntil: null })
            .where(and(eq(schedules.id, id), eq(schedules.revision, revision))).returning({ id: schedules.id });
          if (changed.length === 0) return "changed";
          if (fire !== undefined) await tx.insert(scheduleFires).values(toFireRow(fire)).onConflictDoNothing();
          return "updated";
        });
      } catch (error) {
        if (isUniqueViolation(error)) return "name-taken";
        throw error;
      }
    },
    async remove({ orgId, id }) {
      const gone = await orm.delete(schedules).where(
        and(eq(schedules.id, column(id)), eq(schedules.orgId, column(orgId))),
      )
        .returning({ id: schedules.id });
      return gone.length > 0;
    },
    async claimDue({ now, claimMs, limit }) {
      const due = orm.select({ id: schedules.id }).from(schedules).where(sql`not ${schedules.paused}
        and ${schedules.dueAt} <= ${instantOf(now)}
        and (${schedules.claimedUntil} is null or ${schedules.claimedUntil} <= ${instantOf(now)})`)
        .orderBy(asc(schedules.dueAt)).limit(limit).for("update", { skipLocked: true });
      const rows = await orm.update(schedules).set({ claimedUntil: now + claimMs }).where(inArray(schedules.id, due))
        .returning();
      return rows.map(toSchedule).sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
    },
    async nextDue() {
      const [row] = await orm.select({ dueAt: schedules.dueAt }).from(schedules)
        .where(sql`${schedules.dueAt} is not null and not ${schedules.paused}`).orderBy(asc(schedules.dueAt)).limit(1);
      return row?.dueAt ?? null;
    },
    async record(fire) {
      await orm.insert(scheduleFires).values(toFireRow(fire)).onConflictDoNothing();
    },
    async fires({ scheduleId, limit }) {
      const rows = await orm.select().from(scheduleFires).where(eq(scheduleFires.scheduleId, column(scheduleId)))
        .orderBy(desc(scheduleFires.createdAt), desc(scheduleFires.id)).limit(limit);
      return rows.map(({ id, tick, createdAt: at, kind, outcome, runId, reason, scheduleId }) =>
        ({ id, scheduleId, tick, at, kind, outcome, runId, reason }) satisfies Fire
      );
    },
    async prune({ keep }) {
      await db.query(
        `delete from schedule_fires f using schedules s
         where f.schedule_id = s.id and f.created_at < (
           select k.created_at from schedule_fires k where k.schedule_id = s.id
           order by k.created_at desc, k.id desc offset $1 limit 1)
           or f.id = (select k.id from schedule_fires k where k.schedule_id = s.id
           order by k.created_at desc, k.id desc offset $1 limit 1)`,
        [keep],
      );
    },
  };
}

function toColumns(schedule: ScheduleRecord) {
  const { id: _id, createdAt: _createdAt, lastError, ...rest } = schedule;
  return { ...rest, name: schedule.definition.name, lastError: lastError === null ? null : column(lastError) };
}

function toSchedule(row: typeof schedules.$inferSelect): ScheduleRecord {
  const { metadata: _metadata, name: _name, claimedUntil: _claimed, ...schedule } = checkedRow(
    "schedules",
    scheduleRow,
    row,
  );
  return schedule;
}

function toFireRow({ at, reason, ...fire }: Fire): typeof scheduleFires.$inferInsert {
  return { ...fire, createdAt: at, reason: reason === null ? null : column(reason) };
}

function instantOf(ms: number) {
  return sql`${new Date(ms).toISOString()}::timestamptz`;
}
