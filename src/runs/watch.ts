import { type EventLog, isTerminalType, type RunEvent } from "../../engine/mod.ts";
import type { RunFeed } from "./run_feed.ts";

/** Rows per read of the log. */
const PAGE = 500;
/** Live events kept for a watcher that is behind; beyond it, it goes back to the log. */
const MAX_BUFFERED = 2000;
/** How often a watcher looks at the log though nobody told it to: the run may be driven by another hub. */
const POLL_MS = 1000;

/**
 * Every event of a run with `seq > after`, in order, once, ending after the terminal one. Reads the log up to its end, then
 * follows what this process commits, or is told that others have.
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
  const { log, feed, runId, signal } = params;
  let last = params.after;
  let buffer: RunEvent[] = [];
  let overflowed = false;
  let wake = (): void => {};
  const unsubscribe = feed.subscribe(runId, {
    events(events) {
      if (buffer.length + events.length > MAX_BUFFERED) {
        buffer = [];
        overflowed = true;
      } else buffer.push(...events);
      wake();
    },
    look(seq) {
      if (seq <= last) return;
      overflowed = true;
      wake();
    },
  });
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      overflowed = false;
      for (;;) {
        const page = await log.read({ runId, after: last, limit: PAGE });
        for (const event of page) {
          if (signal.aborted) return;
          last = event.seq;
          yield event;
          if (isTerminalType(event.type)) return;
        }
        if (page.length < PAGE) break;
      }
      while (!overflowed && !signal.aborted) {
        const live = buffer;
        buffer = [];
        for (const event of live) {
          if (event.seq <= last) continue;
          if (event.seq !== last + 1) overflowed = true; // read it from the log
          if (overflowed || signal.aborted) break;
          last = event.seq;
          yield event;
          if (isTerminalType(event.type)) return;
        }
        if (overflowed || signal.aborted || buffer.length > 0) continue;
        if (!await woken((resolve) => wake = resolve)) overflowed = true;
      }
      if (signal.aborted) return;
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", onAbort);
  }
}

/** True when woken, false when the poll is due. */
function woken(listen: (resolve: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), POLL_MS);
    listen(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
