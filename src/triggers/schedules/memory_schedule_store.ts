import type { Fire, ScheduleRecord } from "./schedule.ts";
import type { ScheduleStore } from "./schedule_store.ts";

/** Schedules in memory: gone with the process. */
export function createMemoryScheduleStore(): ScheduleStore {
  const schedules = new Map<string, ScheduleRecord>();
  const claims = new Map<string, number>();
  let fires: Fire[] = [];
  const byTime = (a: Fire, b: Fire) => b.at - a.at || (a.id < b.id ? 1 : -1);
  const nameTaken = ({ id, orgId, definition }: ScheduleRecord) =>
    [...schedules.values()].some((other) =>
      other.id !== id && other.orgId === orgId && other.definition.name === definition.name
    );
  const record = (fire: Fire) => {
    if (!fires.some(({ id }) => id === fire.id)) fires.push(fire);
  };
  return {
    create(schedule) {
      if (nameTaken(schedule)) return Promise.resolve(false);
      schedules.set(schedule.id, structuredClone(schedule));
      return Promise.resolve(true);
    },
    get({ orgId, id }) {
      const found = schedules.get(id);
      return Promise.resolve(found?.orgId === orgId ? structuredClone(found) : null);
    },
    list({ orgId }) {
      const own = [...schedules.values()].filter((schedule) => schedule.orgId === orgId);
      return Promise.resolve(structuredClone(own.sort((a, b) => a.definition.name < b.definition.name ? -1 : 1)));
    },
    update({ schedule, fire }) {
      if (schedules.get(schedule.id)?.revision !== schedule.revision) return Promise.resolve("changed");
      if (nameTaken(schedule)) return Promise.resolve("name-taken");
      schedules.set(schedule.id, structuredClone({ ...schedule, revision: schedule.revision + 1 }));
      claims.delete(schedule.id);
      if (fire !== undefined) record(fire);
      return Promise.resolve("updated");
    },
    remove({ orgId, id }) {
      if (schedules.get(id)?.orgId !== orgId) return Promise.resolve(false);
      fires = fires.filter(({ scheduleId }) => scheduleId !== id);
      return Promise.resolve(schedules.delete(id));
    },
    claimDue({ now, claimMs, limit }) {
      const due = [...schedules.values()]
        .filter(({ id, paused, dueAt }) => !paused && dueAt !== null && dueAt <= now && (claims.get(id) ?? 0) <= now)
        .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0)).slice(0, limit);
      for (const { id } of due) claims.set(id, now + claimMs);
      return Promise.resolve(structuredClone(due));
    },
    nextDue() {
      const dues = [...schedules.values()].flatMap(({ paused, dueAt }) => paused || dueAt === null ? [] : [dueAt]);
      return Promise.resolve(dues.length === 0 ? null : Math.min(...dues));
    },
    record(fire) {
      record(fire);
      return Promise.resolve();
    },
    fires({ scheduleId, limit }) {
      return Promise.resolve(fires.filter((fire) => fire.scheduleId === scheduleId).sort(byTime).slice(0, limit));
    },
    prune({ keep }) {
      const kept = [...schedules.keys()].flatMap((id) =>
        fires.filter(({ scheduleId }) => scheduleId === id).sort(byTime).slice(0, keep)
      );
      fires = kept;
      return Promise.resolve();
    },
  };
}
