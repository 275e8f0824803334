import type { SpokeClock } from "./spoke_options.ts";

/** A timer further away fires at once: the runtimes keep 32 bits. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Where it exists it comes before the next I/O, and costs no millisecond as a timer of 0 does. */
const setImmediate: unknown = Reflect.get(globalThis, "setImmediate");

/** The runtime's own time. */
export const systemClock: SpokeClock = {
  now: () => Date.now(),
  after(ms, callback) {
    if (ms > MAX_TIMEOUT_MS) return () => {};
    const timer = setTimeout(callback, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
  afterTurn(callback) {
    if (typeof setImmediate === "function") setImmediate(callback);
    else setTimeout(callback, 0);
  },
};
