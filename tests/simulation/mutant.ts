import type { Clock, Dispatcher, EventLog } from "../../engine/mod.ts";
import type { Plan } from "@alkdev/flowgraph";
import type { HubProcess } from "./hub_process.ts";
import type { World } from "./world.ts";

/** A way to break an engine from outside. What is not given stays sound. */
export interface Mutant {
  readonly name: string;
  /** Around the log itself: below the adversary, which sees what it does. */
  log(inner: EventLog, world: World, hub: HubProcess): EventLog;
  /** Between the engine and the adversary. */
  outerLog(inner: EventLog, world: World): EventLog;
  clock(inner: Clock, world: World): Clock;
  dispatcher(inner: Dispatcher, world: World): Dispatcher;
  /** The plan that engines get; the checker keeps the right one. */
  plan<P extends Plan | null>(plan: P): P;
  /** Patches the engine's own classes; gives the way back. */
  install(): () => void;
}

/** Nothing broken. */
export const SOUND: Mutant = {
  name: "none",
  log: (inner) => inner,
  outerLog: (inner) => inner,
  clock: (inner) => inner,
  dispatcher: (inner) => inner,
  plan: (plan) => plan,
  install: () => () => {},
};
