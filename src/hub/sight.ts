import type { Clock, Engine, EventLog, RunEvent } from "../../engine/mod.ts";
import type { CallObserver } from "../dispatch/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import { type Route, type ServerLog, sightRoutes } from "../server/mod.ts";
import {
  createEstimator,
  createRunLogs,
  createRunSearch,
  type Estimator,
  HistoryRecorder,
  type HistoryStore,
  LogCollector,
  LogFeed,
  type LogStore,
  Meter,
} from "../sight/mod.ts";
import {
  createHistoryStore,
  createLogSearch,
  createLogStore,
  createRunStore,
  type Database,
  encodeCursor,
} from "../storage/mod.ts";
import type { Startup } from "./startup.ts";
import { openTracing } from "./tracing.ts";

/** What can be seen of runs beside their state. */
export interface Sight {
  /** Told what handlers and spokes say. */
  readonly observer: CallObserver;
  readonly logStore: LogStore;
  readonly historyStore: HistoryStore;
  readonly meter: Meter;
  readonly estimator: Estimator;
  stats(): { readonly logsWaiting: number; readonly logsDropped: number };
  /** Called with each commit. */
  committed(events: readonly RunEvent[]): void;
  /** The same log, whose commits are measured. */
  measured(log: EventLog): EventLog;
  /** Told when an event stream begins, and when it is over. */
  readonly onStream: (isOpen: boolean) => void;
  routes(parts: { readonly log: ServerLog; readonly closing: AbortSignal }): readonly Route[];
}

/** How often the event loop is looked at, in ms. */
const LAG_EVERY_MS = 500;
const FORGET_EVERY_MS = 3_600_000;
/** What has not been seen for half a year says nothing of the next time. */
const HISTORY_IDLE_MS = 180 * 86_400_000;

export async function openSight(
  startup: Startup,
  { db, clock, engine, hubId, version }: {
    readonly db: Database;
    readonly clock: Clock;
    readonly engine: () => Engine | null;
    readonly hubId: string;
    readonly version: string;
  },
): Promise<Sight> {
  const logStore = createLogStore(db);
  const feed = new LogFeed();
  const trouble = hubLogger("sight");
  const calls = hubLogger("calls");
  const collector = new LogCollector({
    store: logStore,
    clock,
    onWritten: (runIds) => feed.written(runIds),
    onTrouble: (error) =>
      error === null
        ? trouble.info("Log lines of runs are written again")
        : trouble.warn("Log lines of runs could not be written and wait: {error}", { error: String(error) }),
  });
  startup.onStop(() => collector.close());
  const created = (runId: string) => engine()?.live(runId)?.state.created ?? null;
  const workflowOf = (runId: string): string => created(runId)?.workflow ?? "";
  const meter = new Meter();
  const onStream = (isOpen: boolean): void => void (meter.streams += isOpen ? 1 : -1);
  watchLag(startup, meter);
  const historyStore = createHistoryStore(db);
  const recorder = new HistoryRecorder({
    store: historyStore,
    clock,
    created,
    onCall: (id, ms, code, isRetried) => meter.ended(id, ms, code, isRetried),
    onTrouble: (error) => trouble.warn("History could not be written: {error}", { error: String(error) }),
  });
  startup.onStop(() => recorder.close());
  forgetIdle(startup, historyStore, trouble);
  let read: EventLog["read"] = () => Promise.resolve([]); // until the log is there nothing is committed
  const tracer = await openTracing(startup, { hubId, version, created, read: (params) => read(params) });
  const runs = createRunStore(db);
  const logs = createRunLogs({ runs, store: logStore, feed, clock });
  const search = createRunSearch({ runs, logs: createLogSearch(db), clock, cursorOf: encodeCursor });
  return {
    observer: {
      progress: (call, value) => collector.progress(call, value),
      log: (call, level, message, data) => {
        // A call outside any run has the hub's log only.
        if (call.runId !== "") return collector.log(call, level, message, data);
        const { operationId, requestId } = call;
        calls[level === "warn" ? "warning" : level](message, { operationId, requestId, data });
      },
    },
    logStore,
    historyStore,
    meter,
    estimator: createEstimator({ store: historyStore, clock, random: Math.random }),
    stats() {
      const { waiting, dropped } = collector.stats();
      return { logsWaiting: waiting, logsDropped: dropped };
    },
    committed(events) {
      recorder.observe(events);
      meter.observe(events, workflowOf);
      tracer?.observe(events);
    },
    onStream,
    measured(log) {
      read = (params) => log.read(params);
      return measuredLog(log, meter);
    },
    routes: ({ log, closing }) => sightRoutes({ logs, search, log, closing, onStream }),
  };
}

/** Once an hour: whichever hub does it. */
function forgetIdle(startup: Startup, store: HistoryStore, log: ReturnType<typeof hubLogger>): void {
  const timer = setInterval(() => {
    store.forget({ idleMs: HISTORY_IDLE_MS }).catch((error: unknown) =>
      log.warn("History could not be tidied: {error}", { error: String(error) })
    );
  }, FORGET_EVERY_MS);
  startup.onStop(() => clearInterval(timer));
}

function watchLag(startup: Startup, meter: Meter): void {
  let due = performance.now() + LAG_EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    meter.loopLag.add(Math.max(0, now - due) / 1000);
    due = now + LAG_EVERY_MS;
  }, LAG_EVERY_MS);
  startup.onStop(() => clearInterval(timer));
}

function measuredLog(log: EventLog, meter: Meter): EventLog {
  return {
    ...(log.concurrency !== undefined && { concurrency: log.concurrency }),
    read: (params) => log.read(params),
    async commit(batch) {
      const since = performance.now();
      const result = await log.commit(batch);
      meter.committed(batch.length, performance.now() - since);
      return result;
    },
  };
}
