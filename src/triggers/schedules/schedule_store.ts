import type { Fire, ScheduleRecord } from "./schedule.ts";

/** Where schedules are kept. Names are unique in an organization. */
export interface ScheduleStore {
  /** False: the organization has one of that name; nothing was stored. */
  create(schedule: ScheduleRecord): Promise<boolean>;
  get(params: { readonly orgId: string; readonly id: string }): Promise<ScheduleRecord | null>;
  /** By name. */
  list(params: { readonly orgId: string }): Promise<readonly ScheduleRecord[]>;
  /**
   * Stores the record, whose revision is the one that it was read with, under the next revision, and ends a claim on it.
   * `fire` is recorded with it. `changed`: the stored one has another revision, or is gone; nothing was stored.
   */
  update(
    params: { readonly schedule: ScheduleRecord; readonly fire?: Fire },
  ): Promise<"updated" | "changed" | "name-taken">;
  /** Its fires go with it. False: there is none. */
  remove(params: { readonly orgId: string; readonly id: string }): Promise<boolean>;
  /**
   * Schedules that are due at `now`, most overdue first, not paused and not claimed by another. They are this caller's for
   * `claimMs`, or until it updates them. Two hubs never wait for each other.
   */
  claimDue(
    params: { readonly now: number; readonly claimMs: number; readonly limit: number },
  ): Promise<readonly ScheduleRecord[]>;
  /** When the next one is due that is not paused; null: none. */
  nextDue(): Promise<number | null>;
  record(fire: Fire): Promise<void>;
  /** Newest first. */
  fires(params: { readonly scheduleId: string; readonly limit: number }): Promise<readonly Fire[]>;
  /** Forgets all but the `keep` newest fires of each schedule. */
  prune(params: { readonly keep: number }): Promise<void>;
}
