import type { CronTicks } from "./cron_ticks.ts";
import type { ScheduleRecord } from "./schedule.ts";

/** How late a tick may be and still count as on time: a hub was busy, or took another's place. */
export const ON_TIME_MS = 10_000;
/** Missed ticks that are made up for at most, the newest. */
export const MAX_CATCH_UP = 100;

/** What is to be done about a schedule that is due. */
export interface TickDecision {
  /** The tick to fire now; null: none. */
  readonly fire: number | null;
  /** The tick after that; null: none. */
  readonly next: number | null;
}

/**
 * Which tick of a due schedule fires. Nothing is remembered but the tick that comes next, so any hub decides alike. A schedule
 * that queues makes up for all ticks: those that wait for their turn are late by design.
 */
export function decideTick(
  { definition, nextTick }: Pick<ScheduleRecord, "definition" | "nextTick">,
  ticks: CronTicks,
  now: number,
): TickDecision {
  if (nextTick === null) return { fire: null, next: ticks.next(now) };
  const jitterMs = definition.jitterMs ?? 0;
  const policy = definition.overlap === "queue" ? "all" : definition.catchUp ?? "one";
  const isOnTime = now - nextTick <= ON_TIME_MS + jitterMs;
  if (isOnTime) return { fire: nextTick, next: ticks.next(nextTick) };
  if (policy === "all") {
    const [oldest] = ticks.past(now, nextTick, MAX_CATCH_UP);
    const fire = Math.max(nextTick, oldest ?? nextTick);
    return { fire, next: ticks.next(fire) };
  }
  const latest = ticks.past(now, nextTick, 1).at(-1) ?? nextTick;
  if (policy === "one" || now - latest <= ON_TIME_MS + jitterMs) return { fire: latest, next: ticks.next(latest) };
  return { fire: null, next: ticks.next(now) };
}

/** When a tick is fired: late by a share of the jitter that follows from the schedule and the tick, on every hub alike. */
export function dueOf(id: string, tick: number, jitterMs = 0): number {
  if (jitterMs === 0) return tick;
  let hash = 0x811c9dc5;
  for (const code of new TextEncoder().encode(`${id}:${tick}`)) hash = Math.imul(hash ^ code, 0x01000193) >>> 0;
  // FNV's low bits barely differ between ticks: mixed once more.
  hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d) >>> 0;
  return tick + ((hash ^ hash >>> 12) >>> 0) % (jitterMs + 1);
}
