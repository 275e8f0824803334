import { type EventLog, isTerminalType, type RunEvent } from "../../engine/mod.ts";
import type { RunFeed } from "./run_feed.ts";
import { RunTail } from "./run_tail.ts";

/** The runs that are watched in this process, by the feed that tells of them. */
const tails = new WeakMap<RunFeed, Map<string, RunTail>>();

/**
 * Every event of a run with `seq > after`, in order, once, ending after the terminal one. Reads the log up to its end, then
 * follows what this process commits, or is told that others have. All watchers of a run share one reading of its log.
 */
export async function* watchRun(
  params: {
    readonly log: EventLog;
    readonly feed: RunFeed;
    readonly runId: string;
    readonly after: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<RunEvent> {
  const { signal } = params;
  let last = params.after;
  const { tail, leave } = join(params);
  try {
    while (!signal.aborted) {
      const events = await tail.after(last);
      if (events.length === 0) await tail.changed(last, signal);
      for (const event of events) {
        if (signal.aborted) return;
        last = event.seq;
        yield event;
        if (isTerminalType(event.type)) return;
      }
    }
  } finally {
    leave();
  }
}

function join(
  { log, feed, runId }: { readonly log: EventLog; readonly feed: RunFeed; readonly runId: string },
): { readonly tail: RunTail; readonly leave: () => void } {
  const watched = tails.get(feed) ?? new Map<string, RunTail>();
  tails.set(feed, watched);
  const tail = watched.get(runId) ?? new RunTail(log, feed, runId);
  watched.set(runId, tail);
  tail.watchers++;
  return {
    tail,
    leave: () => {
      if (--tail.watchers > 0) return;
      watched.delete(runId);
      tail.close();
    },
  };
}
