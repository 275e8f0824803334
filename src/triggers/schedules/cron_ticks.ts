import { Cron } from "croner";
import { CallError } from "@alkdev/operations";
import type { ScheduleDefinition } from "./schedule.ts";

/** The last ms of the year 9999. */
const LAST_INSTANT = 253_402_300_799_999;

/**
 * The ticks of a cron expression in a time zone. At a change of the clock: a fixed time that the clock leaps over is the first
 * moment after the gap, one that comes twice is its first; what repeats (`*`, `*\/30`) goes on evenly through both.
 */
export class CronTicks {
  readonly #cron: Cron;
  readonly #from: number;
  readonly #until: number;

  /** @throws {CallError} `VALIDATION_ERROR` naming the field that is wrong */
  constructor({ cron, timeZone = "UTC", startAt = 0, endAt = Infinity }: ScheduleDefinition) {
    const fields = cron.trim().split(/\s+/).length;
    if (fields < 5 || fields > 6) throw invalid("cron", cron, "wanted five fields, or six with seconds first");
    try {
      new Intl.DateTimeFormat("en", { timeZone });
    } catch {
      throw invalid("timeZone", timeZone, "wanted an IANA name such as Europe/Berlin");
    }
    try {
      this.#cron = new Cron(cron, { timezone: timeZone, paused: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
      throw invalid("cron", cron, reason);
    }
    if (startAt >= endAt) throw invalid("endAt", String(endAt), "wanted a time after startAt");
    this.#from = startAt;
    this.#until = endAt;
  }

  /** The first tick after `at`; null: there is none. */
  next(at: number): number | null {
    const after = Math.max(at, this.#from - 1);
    // Past the year 10000 the search would not end.
    if (after > LAST_INSTANT) return null;
    const tick = this.#cron.nextRun(new Date(after))?.getTime() ?? null;
    return tick === null || tick >= this.#until ? null : tick;
  }

  /** At most `count` ticks after `at`. */
  upcoming(at: number, count: number): readonly number[] {
    const ticks: number[] = [];
    for (let tick = this.next(at); tick !== null && ticks.length < count; tick = this.next(tick)) ticks.push(tick);
    return ticks;
  }

  /** The last `count` ticks at or before `at` and not before `since`, oldest first. */
  past(at: number, since: number, count: number): readonly number[] {
    const end = Math.min(at + 1, this.#until);
    const ticks = this.#cron.previousRuns(count, new Date(end)).map((date) => date.getTime());
    return ticks.filter((tick) => tick >= since && tick >= this.#from && tick < end).reverse();
  }
}

function invalid(field: string, value: string, wanted: string): CallError {
  const message = `is "${value}": ${wanted}`;
  return new CallError("VALIDATION_ERROR", `Field "${field}" ${message}`, {
    errors: [{ path: `/${field}`, message }],
  });
}
