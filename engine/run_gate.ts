/**
 * Where a run with a gate waits before its first node: until its time has come, and then in line.
 *
 * - Q1 `run.started` is emitted once, and only when the gate has let the run in and it is not paused.
 * - Q2 What it holds it gives back when its end is durable; whoever takes the run up asks again (I7).
 */
import type { ActiveRun } from "./active_run.ts";
import type { RunCreated } from "./events.ts";
import type { GatedRun, LeaveGate } from "./ports.ts";
import { rankOf } from "./rank.ts";
import { abortRun } from "./run_commands.ts";
import type { RunHost } from "./run_host.ts";

export class RunEntry implements GatedRun {
  readonly run: ActiveRun;
  readonly created: RunCreated;
  readonly rank: number;
  readonly #host: RunHost;
  #leave: LeaveGate | null = null;
  #timer: (() => void) | null = null;

  constructor(run: ActiveRun, host: RunHost, created: RunCreated & { readonly at: number }) {
    this.run = run;
    this.created = created;
    this.rank = rankOf(created.at, created.priority);
    this.#host = host;
  }

  get id(): string {
    return this.run.id;
  }

  get started(): boolean {
    return this.run.state.started;
  }

  /** Begins to wait, or asks again for what a started run holds. */
  enter(): void {
    if (this.#leave !== null || this.#timer !== null || this.run.state.terminal !== null) return;
    const { clock } = this.#host;
    const startAfter = this.created.gate?.startAfter ?? null;
    if (!this.started && startAfter !== null && startAfter > clock.now()) {
      this.#timer = clock.at(startAfter, () => {
        this.#timer = null;
        this.enter();
      });
    } else if (this.started || this.run.state.status !== "paused") this.#leave = this.#host.enter(this);
  }

  /** The gate's answer. */
  answered(replacedBy: string | null): void {
    const { run } = this;
    if (run.state.terminal !== null || this.#leave === null) return;
    if (run.state.started) return;
    if (replacedBy !== null) return abortRun(run, `Replaced by run ${replacedBy}`, "hub", "REPLACED");
    if (run.state.status === "paused") return this.leave(); // `enter` is called again when it is resumed
    run.emit({ type: "run.started" });
  }

  leave(): void {
    const leave = this.#leave;
    this.stop();
    leave?.();
  }

  /** Waits no more, and gives nothing back: another owner will ask. */
  stop(): void {
    this.#leave = null;
    this.#timer?.();
    this.#timer = null;
  }
}
