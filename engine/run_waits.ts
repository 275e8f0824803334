/** What one run waits for: sleeps, signals and the next attempts of its nodes, and their timers. */
import type { ActiveRun } from "./active_run.ts";
import { toEventError } from "./event_error.ts";
import { wantInstant, wantMs } from "./node_values.ts";
import type { RunHost } from "./run_host.ts";
import { RunTimers } from "./run_timers.ts";
import { earliestFor } from "./state/early_signals.ts";
import { type Place, Status } from "./state/frame.ts";
import { keyOf } from "./state/keys.ts";
import { bind } from "./state/values.ts";

export class RunWaits {
  readonly #run: ActiveRun;
  readonly #host: RunHost;
  readonly #timers: RunTimers;

  constructor(run: ActiveRun, host: RunHost) {
    this.#run = run;
    this.#host = host;
    this.#timers = new RunTimers(host.clock);
  }

  /** Begins a Sleep or a Signal. */
  begin(place: Place): void {
    const run = this.#run;
    const node = run.node(place);
    const { clock, limits } = this.#host;
    const key = keyOf(run.state, place.frame, place.vertex);
    try {
      if (node.kind === "sleep") {
        const due = node.until === undefined
          ? clock.now() + wantMs(bind(run.state, place.frame, node.ms ?? 0), key)
          : wantInstant(bind(run.state, place.frame, node.until), key);
        run.emit({ type: "timer.set", key, due }, place);
        this.arm(place, due);
      } else if (node.kind === "signal") {
        const early = run.state.early === null ? null : earliestFor(run.state, node, key);
        if (early !== null) {
          const { payload, by, seq } = early;
          return run.emit({ type: "signal.received", key, name: node.signal, payload, by, early: seq }, place);
        }
        const due = node.timeoutMs === undefined ? null : clock.now() + node.timeoutMs;
        const question = node.question === undefined ? {} : { question: bind(run.state, place.frame, node.question) };
        run.emit({ type: "signal.awaited", key, name: node.signal, due, ...question }, place);
        if (due !== null) this.arm(place, due);
      }
    } catch (error) {
      run.emit({ type: "node.failed", key, error: toEventError(error, limits) }, place);
    }
  }

  /** Sets the timer of a waiting leaf: its next attempt (after the event `seq` is durable), its wake-up or its time-out. */
  arm(place: Place, due: number, seq = 0): void {
    const run = this.#run;
    const key = keyOf(run.state, place.frame, place.vertex);
    run.calls.tidy();
    this.#timers.arm(key, due, () => {
      if (place.frame.status[place.vertex] !== Status.WAITING) return;
      const node = run.node(place);
      if (node.kind === "sleep") run.emit({ type: "timer.fired", key }, place);
      else if (node.kind === "signal") run.emit({ type: "signal.timedout", key }, place);
      else run.dispatchAfter(place, seq);
    });
  }

  disarm(key: string): void {
    this.#timers.disarm(key);
  }

  stop(): void {
    this.#timers.stop();
  }
}
