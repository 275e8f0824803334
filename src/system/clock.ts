import process from "node:process";
import { setImmediate } from "node:timers";
import type { Clock } from "../../engine/ports.ts";
import { Alarms } from "./alarms.ts";

/** Longest delay a timer takes; for longer ones it is set again. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The machine's time. */
export function createSystemClock(): Clock {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alarms = new Alarms((due) => {
    clearTimeout(timer);
    timer = setTimeout(() => alarms.ring(Date.now()), Math.min(Math.max(0, due - Date.now()), MAX_DELAY_MS));
  });
  return {
    now: Date.now,
    at: (due, callback) => alarms.at(due, callback),
    // A tick runs when the promise jobs are done, but before those when asked for outside of one: hence from within one.
    afterTurn: (turn, hurry = false) => hurry ? queueMicrotask(() => process.nextTick(turn)) : void setImmediate(turn),
  };
}
