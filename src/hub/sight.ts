import type { Clock } from "../../engine/mod.ts";
import type { CallObserver } from "../dispatch/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import { type Route, type ServerLog, sightRoutes } from "../server/mod.ts";
import { createRunLogs, LogCollector, LogFeed, type LogStore } from "../sight/mod.ts";
import { createLogStore, createRunStore, type Database } from "../storage/mod.ts";
import type { Startup } from "./startup.ts";

/** What can be seen of runs beside their state. */
export interface Sight {
  /** Told what handlers and spokes say. */
  readonly observer: CallObserver;
  readonly logStore: LogStore;
  routes(parts: { readonly log: ServerLog; readonly closing: AbortSignal }): readonly Route[];
}

export function openSight(startup: Startup, { db, clock }: { readonly db: Database; readonly clock: Clock }): Sight {
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
  const logs = createRunLogs({ runs: createRunStore(db), store: logStore, feed, clock });
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
    routes: ({ log, closing }) => sightRoutes({ logs, log, closing }),
  };
}
