import type { RunEvent } from "../events.ts";
import type { Program } from "../program.ts";
import { RunState } from "./run_state.ts";

/** Folds a whole log. */
export function foldRun(program: Program, events: readonly RunEvent[]): RunState {
  const state = new RunState(program);
  for (const event of events) state.apply(event);
  return state;
}
