import { CallError } from "@alkdev/operations";
import type { Clock } from "../../engine/mod.ts";
import { isEnded, type Mapping } from "./mapping.ts";

const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 1_000;

/** Wakes those that wait here when a mapping has ended here; what ended on another hub they find by looking. */
export class EndedSignal {
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  ended(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }

  get next(): Promise<void> {
    return this.#wake.promise;
  }
}

/** How many of `count` have to have ended. */
export function neededOf(until: "all" | "any" | number, count: number): number {
  if (until === "all") return count;
  return Math.min(until === "any" ? 1 : until, count);
}

/**
 * Looks again and again until enough have ended, or the time is over. It keeps nothing: called again after a crash it goes on.
 *
 * @throws {CallError} ABORTED, or the signal's reason
 */
export async function waitForEnded(
  params: {
    readonly read: () => Promise<readonly Mapping[]>;
    readonly until: "all" | "any" | number;
    readonly timeoutMs: number;
    readonly clock: Pick<Clock, "now" | "at">;
    readonly ended: EndedSignal;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly done: boolean; readonly mappings: readonly Mapping[] }> {
  const { read, until, timeoutMs, clock, ended, signal } = params;
  const due = clock.now() + timeoutMs;
  let pollMs = FIRST_POLL_MS;
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      const { next } = ended;
      const mappings = await read();
      if (mappings.filter(isEnded).length >= neededOf(until, mappings.length)) return { done: true, mappings };
      const now = clock.now();
      if (now >= due) return { done: false, mappings };
      if (signal.aborted) throw abortedBy(signal);
      const woken = Promise.withResolvers<void>();
      const cancel = clock.at(Math.min(due, now + pollMs), woken.resolve);
      await Promise.race([woken.promise, next, aborted.promise]);
      cancel();
      pollMs = Math.min(pollMs * 2, MAX_POLL_MS);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function abortedBy({ reason }: AbortSignal): CallError {
  return reason instanceof CallError ? reason : new CallError("ABORTED", "Nobody waits any more");
}
