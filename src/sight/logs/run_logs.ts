import { CallError } from "@alkdev/operations";
import type { Clock } from "../../../engine/mod.ts";
import type { Caller, RunStore } from "../../runs/mod.ts";
import type { LogLine, LogStore, RunLogs } from "./ports.ts";

/** Lines per read of the store. */
const PAGE = 500;
/** How often a watcher looks though nobody told it to: another hub may write lines of the run. */
const POLL_MS = 1_000;
/** How long after a run's end its last lines may still be on their way. */
const SETTLE_MS = 1_500;

/** Tells watchers of this process that a run has new lines. */
export class LogFeed {
  readonly #listeners: Map<string, Set<() => void>> = new Map();

  written(runIds: ReadonlySet<string>): void {
    if (this.#listeners.size === 0) return;
    for (const runId of runIds) for (const wake of this.#listeners.get(runId) ?? []) wake();
  }

  subscribe(runId: string, wake: () => void): () => void {
    const set = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, set.add(wake));
    return () => {
      set.delete(wake);
      if (set.size === 0) this.#listeners.delete(runId);
    };
  }
}

/** The lines of runs, for those who may see the runs. */
export function createRunLogs(
  ports: {
    readonly runs: Pick<RunStore, "get">;
    readonly store: LogStore;
    readonly feed: LogFeed;
    readonly clock: Clock;
  },
): RunLogs {
  const { runs, store, feed, clock } = ports;
  const record = async (caller: Caller, runId: string) => {
    const found = await runs.get({ orgId: caller.orgId, runId });
    if (found === null) throw new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
    return found;
  };
  return {
    async read({ caller, ...query }) {
      await record(caller, query.runId);
      return await store.read(query);
    },
    async *watch({ caller, signal, ...query }): AsyncGenerator<LogLine> {
      const { runId } = query;
      let { after } = query;
      let wake = (): void => {};
      let isNew = false;
      const tell = (): void => {
        isNew = true;
        wake();
      };
      const unsubscribe = feed.subscribe(runId, tell);
      signal.addEventListener("abort", tell);
      try {
        while (!signal.aborted) {
          const { completedAt } = await record(caller, runId);
          const isSettled = completedAt !== null && clock.now() - completedAt > SETTLE_MS;
          isNew = false;
          const page = await store.read({ ...query, after, limit: PAGE });
          for (const line of page) {
            if (signal.aborted) return;
            after = line.id;
            yield line;
          }
          if (page.length === PAGE) continue;
          if (isSettled) return;
          if (!isNew && !signal.aborted) await woken(clock, (resolve) => wake = resolve);
        }
      } finally {
        unsubscribe();
        signal.removeEventListener("abort", tell);
      }
    },
  };
}

function woken(clock: Clock, listen: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now() + POLL_MS, resolve);
    listen(() => {
      cancel();
      resolve();
    });
  });
}
