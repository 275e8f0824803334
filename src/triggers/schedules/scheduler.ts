import { CallError, hasScopeFor } from "@alkdev/operations";
import type { Clock } from "../../../engine/ports.ts";
import type { Caller, Runs } from "../../runs/mod.ts";
import type { OwnerKeys } from "../owner.ts";
import { CronTicks } from "./cron_ticks.ts";
import { decideTick, dueOf } from "./decide_tick.ts";
import type { Fire, ScheduleRecord } from "./schedule.ts";
import type { ScheduleStore } from "./schedule_store.ts";

/** What a scheduler works with. */
export interface SchedulerOptions {
  readonly store: ScheduleStore;
  readonly runs: Pick<Runs, "start" | "get">;
  readonly owners: OwnerKeys;
  readonly clock: Clock;
  /** Whether this hub may start runs now. */
  readonly mayWork: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** Longest time between two looks: another hub may have made a schedule. */
const LOOK_EVERY_MS = 1_000;
/** Looks that come because something is due are not closer than this. */
const LOOK_SOONEST_MS = 20;
/** A hub that dies between claim and start is replaced after this. */
const CLAIM_MS = 10_000;
const CLAIM_LIMIT = 20;
/** When a run could not be started now, or has to wait for its predecessor. */
const RETRY_MS = 1_000;
const PRUNE_EVERY = 200;
const KEPT_FIRES = 1_000;
/** Codes of a start that works later, by itself. */
const PASSING: ReadonlySet<string> = new Set(["OVERLOADED", "RATE_LIMITED", "NOT_READY"]);

/**
 * Fires what is due. Any number of hubs may do so at once: a claim keeps them from doing the same work, and the run's idempotency
 * key (`schedule:<id>:<tick>`) from doing it twice when a claim is lost. A tick is over when its update is stored, after the run
 * is durable; whoever dies between the two leaves the tick to be fired again, which finds the run.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  #cancel: (() => void) | null = null;
  #pass: Promise<void> | null = null;
  #stopped = false;
  #settled = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Idempotent. */
  start(): void {
    if (this.#cancel === null && this.#pass === null && !this.#stopped) this.#look();
  }

  /** Resolves when nothing is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#pass;
  }

  /** Fires what is due now; gives when to look again, ms since the epoch. */
  async fireDue(): Promise<number> {
    const { store, clock, mayWork } = this.#options;
    const latest = () => clock.now() + LOOK_EVERY_MS;
    if (!mayWork()) return latest();
    const claimed = await store.claimDue({ now: clock.now(), claimMs: CLAIM_MS, limit: CLAIM_LIMIT });
    const results = await Promise.allSettled(claimed.map((schedule) => this.#fire(schedule)));
    for (const result of results) if (result.status === "rejected") this.#options.onError(result.reason);
    if (this.#settled >= PRUNE_EVERY) {
      this.#settled = 0;
      await store.prune({ keep: KEPT_FIRES });
    }
    const due = await store.nextDue();
    return Math.min(latest(), Math.max(due ?? Infinity, clock.now() + LOOK_SOONEST_MS));
  }

  #look(): void {
    this.#cancel = null;
    this.#pass = this.fireDue()
      .catch((error) => {
        this.#options.onError(error);
        return this.#options.clock.now() + LOOK_EVERY_MS;
      })
      .then((at) => {
        this.#pass = null;
        if (!this.#stopped) this.#cancel = this.#options.clock.at(at, () => this.#look());
      });
  }

  async #fire(schedule: ScheduleRecord): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const { fire: tick, next } = decideTick(schedule, new CronTicks(schedule.definition), now);
    const ahead = next === null
      ? { nextTick: null, dueAt: null }
      : { nextTick: next, dueAt: dueOf(schedule.id, next, schedule.definition.jitterMs) };
    if (tick === null) return void await store.update({ schedule: { ...schedule, ...ahead } });
    const outcome = await this.#start(schedule, tick);
    this.#settled++;
    if (outcome === "later") {
      // The tick keeps its place; only the look at it is put off.
      const put = { nextTick: tick, dueAt: now + RETRY_MS };
      return void await store.update({ schedule: { ...schedule, ...put } });
    }
    const { stops, ...result } = outcome;
    const fire: Fire = {
      id: `${schedule.id}:${tick}`,
      scheduleId: schedule.id,
      tick,
      at: now,
      kind: "tick",
      ...result,
    };
    const lasts = result.outcome === "started"
      ? { lastRunId: result.runId, lastError: null, lastErrorAt: null }
      : result.outcome === "failed"
      ? { lastError: result.reason, lastErrorAt: now }
      : {};
    const paused = schedule.paused || stops;
    await store.update({ schedule: { ...schedule, ...ahead, ...lasts, paused, updatedAt: now }, fire });
  }

  async #start(
    schedule: ScheduleRecord,
    tick: number,
  ): Promise<(Pick<Fire, "outcome" | "runId" | "reason"> & { readonly stops: boolean }) | "later"> {
    const standing = await this.#options.owners.standing({ owner: schedule.owner, orgId: schedule.orgId });
    if (!standing.ok) return failed(`The schedule was paused: ${standing.reason}`, true);
    const { caller } = standing;
    if (!hasScopeFor(caller.identity.scopes, "workflow:run", schedule.definition.workflow)) {
      return failed(`The schedule was paused: its owner's key lacks scope "workflow:run"`, true);
    }
    const overlap = schedule.definition.overlap ?? "allow";
    if (overlap !== "allow" && await this.#isRunning(schedule, caller)) {
      const reason = `Run ${schedule.lastRunId} has not ended`;
      return overlap === "queue" ? "later" : { outcome: "skipped", runId: null, reason, stops: false };
    }
    try {
      const { id } = await startScheduled(this.#options.runs, {
        schedule,
        caller,
        key: `schedule:${schedule.id}:${tick}`,
      });
      return { outcome: "started", runId: id, reason: null, stops: false };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (PASSING.has(error.code)) return "later";
      // The tick's run is there; the schedule was changed since it was started.
      const runId = error.code === "IDEMPOTENCY_MISMATCH" ? runIdOf(error.details) : null;
      if (runId !== null) return { outcome: "started", runId, reason: null, stops: false };
      return failed(`${error.code}: ${error.message}`, false);
    }
  }

  async #isRunning({ lastRunId }: ScheduleRecord, caller: Caller): Promise<boolean> {
    if (lastRunId === null) return false;
    try {
      return (await this.#options.runs.get({ caller, runId: lastRunId })).completedAt === null;
    } catch (error) {
      if (error instanceof CallError && error.code === "RUN_NOT_FOUND") return false;
      throw error;
    }
  }
}

/** Starts a schedule's run; it carries the schedule's id as label `hub.schedule`. */
export function startScheduled(
  runs: Pick<Runs, "start">,
  { schedule: { id, definition }, caller, key }: {
    readonly schedule: ScheduleRecord;
    readonly caller: Caller;
    /** Null: each start is a run of its own. */
    readonly key: string | null;
  },
): ReturnType<Runs["start"]> {
  const { workflow, version, input = {}, labels, priority } = definition;
  return runs.start({
    workflow,
    ...(version === undefined ? {} : { version }),
    input,
    caller,
    ...(labels === undefined ? {} : { labels }),
    ownLabels: { "hub.schedule": id },
    ...(priority === undefined ? {} : { priority }),
    ...(key === null ? {} : { idempotencyKey: key }),
  });
}

function failed(reason: string, stops: boolean) {
  return { outcome: "failed", runId: null, reason, stops } as const;
}

function runIdOf(details: unknown): string | null {
  if (typeof details !== "object" || details === null || !("runId" in details)) return null;
  return typeof details.runId === "string" ? details.runId : null;
}
