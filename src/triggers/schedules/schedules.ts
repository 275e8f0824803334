import { CallError, hasScopeFor } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import type { Caller, Runs, RunStatus, WorkflowCatalog } from "../../runs/mod.ts";
import { CronTicks } from "./cron_ticks.ts";
import { dueOf } from "./decide_tick.ts";
import type { Fire, ScheduleDefinition, ScheduleRecord } from "./schedule.ts";
import type { ScheduleStore } from "./schedule_store.ts";
import { startScheduled } from "./scheduler.ts";

/** A schedule as it is shown. Times are ms since the epoch. */
export interface ScheduleView extends Required<Omit<ScheduleDefinition, "version" | "startAt" | "endAt">> {
  readonly id: string;
  /** Null: the latest at each tick. */
  readonly version: string | null;
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly paused: boolean;
  /** Account whose runs they are. */
  readonly ownerId: string;
  /** Null: there is none, or it is paused. */
  readonly nextAt: number | null;
  readonly lastRunId: string | null;
  readonly lastError: string | null;
  readonly lastErrorAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** When a schedule fires and what came of it. */
export interface ScheduleTimes {
  /** The next ticks, without jitter. */
  readonly next: readonly number[];
  /** Newest first. */
  readonly past: readonly Fire[];
}

/**
 * Use cases of schedules. What another organization has does not exist. Codes: `SCHEDULE_NOT_FOUND`, `SCHEDULE_EXISTS`,
 * `VALIDATION_ERROR`, `WORKFLOW_NOT_FOUND`, `ACCESS_DENIED`.
 */
export interface Schedules {
  create(
    params: { readonly principal: Principal; readonly definition: ScheduleDefinition; readonly paused?: boolean },
  ): Promise<ScheduleView>;
  /** By name. */
  list(params: { readonly caller: Caller }): Promise<readonly ScheduleView[]>;
  get(params: { readonly caller: Caller; readonly id: string }): Promise<ScheduleView>;
  /** Whoever changes a schedule becomes its owner: its runs have the rights of that key. */
  replace(
    params: { readonly principal: Principal; readonly id: string; readonly definition: ScheduleDefinition },
  ): Promise<ScheduleView>;
  remove(params: { readonly caller: Caller; readonly id: string }): Promise<void>;
  /** Ticks that pass while it is paused are not made up for. */
  setPaused(params: { readonly caller: Caller; readonly id: string; readonly paused: boolean }): Promise<ScheduleView>;
  /** A run now, with the rights of who asks; the ticks go on as they are. */
  run(
    params: { readonly caller: Caller; readonly id: string },
  ): Promise<{ readonly id: string; readonly status: RunStatus; readonly duplicate: boolean }>;
  times(
    params: { readonly caller: Caller; readonly id: string; readonly count: number },
  ): Promise<ScheduleTimes>;
}

/** What {@linkcode createSchedules} works with. */
export interface SchedulesOptions {
  readonly store: ScheduleStore;
  readonly runs: Pick<Runs, "start">;
  readonly catalog: Pick<WorkflowCatalog, "get">;
  readonly now: () => number;
}

/** Tries of a change that another one comes before. */
const TRIES = 5;
/** What an organization may have. */
const MAX_SCHEDULES = 1_000;

export function createSchedules(options: SchedulesOptions): Schedules {
  return new ScheduleUseCases(options);
}

class ScheduleUseCases implements Schedules {
  readonly #options: SchedulesOptions;

  constructor(options: SchedulesOptions) {
    this.#options = options;
  }

  async create(
    { principal, definition, paused = false }: Parameters<Schedules["create"]>[0],
  ): ReturnType<Schedules["create"]> {
    const { store, now } = this.#options;
    await this.#check(principal, definition);
    if ((await store.list({ orgId: principal.orgId })).length >= MAX_SCHEDULES) {
      throw new CallError(
        "OVERLOADED",
        `Cannot create schedule "${definition.name}": there are ${MAX_SCHEDULES} already`,
      );
    }
    const at = now();
    const schedule: ScheduleRecord = {
      id: crypto.randomUUID(),
      orgId: principal.orgId,
      definition,
      owner: ownerOf(principal),
      paused,
      revision: 1,
      ...ticksAfter(null, definition, at),
      lastRunId: null,
      lastError: null,
      lastErrorAt: null,
      createdAt: at,
      updatedAt: at,
    };
    const placed = place(schedule);
    if (!await store.create(placed)) throw exists(definition.name);
    return toView(placed);
  }

  async list({ caller }: Parameters<Schedules["list"]>[0]): ReturnType<Schedules["list"]> {
    return (await this.#options.store.list({ orgId: caller.orgId })).map(toView);
  }

  async get({ caller, id }: Parameters<Schedules["get"]>[0]): ReturnType<Schedules["get"]> {
    return toView(await this.#find(caller, id));
  }

  async replace({ principal, id, definition }: Parameters<Schedules["replace"]>[0]): ReturnType<Schedules["replace"]> {
    await this.#find(principal, id);
    await this.#check(principal, definition);
    return await this.#change(principal, id, (old, at) => ({
      ...old,
      definition,
      owner: ownerOf(principal),
      ...ticksAfter(id, definition, at),
      lastError: null,
      lastErrorAt: null,
    }));
  }

  async remove({ caller, id }: Parameters<Schedules["remove"]>[0]): ReturnType<Schedules["remove"]> {
    if (!await this.#options.store.remove({ orgId: caller.orgId, id })) throw notFound(id);
  }

  setPaused({ caller, id, paused }: Parameters<Schedules["setPaused"]>[0]): ReturnType<Schedules["setPaused"]> {
    return this.#change(caller, id, (old, at) => {
      if (paused === old.paused) return old;
      return paused ? { ...old, paused } : { ...old, paused, ...ticksAfter(id, old.definition, at) };
    });
  }

  async run({ caller, id }: Parameters<Schedules["run"]>[0]): ReturnType<Schedules["run"]> {
    const { store, runs, now } = this.#options;
    const schedule = await this.#find(caller, id);
    const at = now();
    const started = await startScheduled(runs, { schedule, caller, key: null });
    const fire: Fire = {
      id: `${id}:${started.id}`,
      scheduleId: id,
      tick: at,
      at,
      kind: "manual",
      outcome: "started",
      runId: started.id,
      reason: null,
    };
    await store.record(fire);
    return started;
  }

  async times({ caller, id, count }: Parameters<Schedules["times"]>[0]): ReturnType<Schedules["times"]> {
    const schedule = await this.#find(caller, id);
    const from = schedule.nextTick === null
      ? this.#options.now()
      : Math.min(schedule.nextTick - 1, this.#options.now());
    const next = schedule.paused ? [] : new CronTicks(schedule.definition).upcoming(from, count);
    return { next, past: await this.#options.store.fires({ scheduleId: id, limit: count }) };
  }

  async #find({ orgId }: Caller, id: string): Promise<ScheduleRecord> {
    const found = await this.#options.store.get({ orgId, id });
    if (found === null) throw notFound(id);
    return found;
  }

  /** Over what another hub may have changed in the meantime. */
  async #change(
    caller: Caller,
    id: string,
    change: (old: ScheduleRecord, at: number) => ScheduleRecord,
  ): Promise<ScheduleView> {
    for (let tries = 0; tries < TRIES; tries++) {
      const old = await this.#find(caller, id);
      const at = this.#options.now();
      const changed = change(old, at);
      if (changed === old) return toView(old);
      const schedule = { ...changed, updatedAt: at };
      const outcome = await this.#options.store.update({ schedule });
      if (outcome === "updated") return toView(schedule);
      if (outcome === "name-taken") throw exists(schedule.definition.name);
    }
    throw new CallError("OVERLOADED", `Cannot change schedule "${id}": it keeps changing`);
  }

  async #check({ identity, orgId }: Caller, definition: ScheduleDefinition): Promise<void> {
    if (!hasScopeFor(identity.scopes, "workflow:run", definition.workflow)) {
      const message =
        `Cannot schedule workflow "${definition.workflow}" with this API key: wanted scope "workflow:run"`;
      throw new CallError("ACCESS_DENIED", message, { requiredScopes: ["workflow:run"] });
    }
    new CronTicks(definition);
    for (const key of Object.keys(definition.labels ?? {})) {
      if (!key.startsWith("hub.")) continue;
      const message = `has "${key}": labels that start with "hub." are the hub's own`;
      throw new CallError("VALIDATION_ERROR", `Field "labels" ${message}`, {
        errors: [{ path: `/labels/${key}`, message }],
      });
    }
    const { workflow: name, version } = definition;
    const workflow = await this.#options.catalog.get({ orgId, name, ...(version === undefined ? {} : { version }) });
    if (workflow === null) {
      const which = version === undefined ? "" : ` in version "${version}"`;
      throw new CallError("WORKFLOW_NOT_FOUND", `There is no workflow "${name}"${which}`, { workflow: name });
    }
    workflow.decodeInput(definition.input ?? {});
  }
}

function ownerOf({ keyId, identity }: Principal): ScheduleRecord["owner"] {
  return { keyId, identity };
}

function ticksAfter(
  id: string | null,
  definition: ScheduleDefinition,
  at: number,
): Pick<ScheduleRecord, "nextTick" | "dueAt"> {
  const nextTick = new CronTicks(definition).next(at);
  return { nextTick, dueAt: nextTick === null || id === null ? nextTick : dueOf(id, nextTick, definition.jitterMs) };
}

/** The first tick's jitter depends on the id. */
function place(schedule: ScheduleRecord): ScheduleRecord {
  const { id, nextTick, definition } = schedule;
  return nextTick === null ? schedule : { ...schedule, dueAt: dueOf(id, nextTick, definition.jitterMs) };
}

function toView(
  { definition, owner, revision: _revision, dueAt, nextTick: _tick, orgId: _org, ...rest }: ScheduleRecord,
): ScheduleView {
  return {
    ...rest,
    name: definition.name,
    workflow: definition.workflow,
    version: definition.version ?? null,
    input: definition.input ?? {},
    cron: definition.cron,
    timeZone: definition.timeZone ?? "UTC",
    catchUp: definition.catchUp ?? "one",
    jitterMs: definition.jitterMs ?? 0,
    overlap: definition.overlap ?? "allow",
    labels: definition.labels ?? {},
    priority: definition.priority ?? 0,
    startAt: definition.startAt ?? null,
    endAt: definition.endAt ?? null,
    ownerId: owner.identity.id,
    nextAt: rest.paused ? null : dueAt,
  };
}

function notFound(id: string): CallError {
  return new CallError("SCHEDULE_NOT_FOUND", `Cannot find schedule "${id}"`);
}

function exists(name: string): CallError {
  return new CallError("SCHEDULE_EXISTS", `Cannot keep schedule "${name}": there is one of that name`);
}
