import { setImmediate } from "node:timers";
import type { Clock } from "../../engine/ports.ts";

/** Longest delay a timer takes; longer ones are set again. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The machine's time. Timers do not keep the process alive. */
export function createSystemClock(): Clock {
  return { now: Date.now, at: setAlarm, afterTurn: (callback) => void setImmediate(callback) };
}

function setAlarm(due: number, callback: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = (): void => {
    const delay = Math.max(0, due - Date.now());
    timer = setTimeout(delay > MAX_DELAY_MS ? arm : callback, Math.min(delay, MAX_DELAY_MS));
  };
  arm();
  return () => clearTimeout(timer);
}
