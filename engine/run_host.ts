import type { ActiveRun } from "./active_run.ts";
import type { RunEvent } from "./events.ts";
import type { ValueLimits } from "./json_value.ts";
import type { NodeCall } from "./node_call.ts";
import type { Clock, Ids, LeaveGate, Random } from "./ports.ts";
import type { RunEntry } from "./run_gate.ts";

/** What a run needs of its engine. */
export interface RunHost {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly limits: ValueLimits;
  push(run: ActiveRun, event: RunEvent): void;
  /** True: the call waits at the gate, and `begin` is called when it may start. */
  waits(call: NodeCall): boolean;
  /** Asks for a run to be let in. */
  enter(entry: RunEntry): LeaveGate;
  /** Hands a call to the dispatcher, now or when there is room. */
  send(call: NodeCall): void;
  /** A run keeps more in memory. */
  grow(bytes: number): void;
  /** The call has ended, whatever its handler still does. */
  release(call: NodeCall): void;
}
