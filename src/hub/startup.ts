import type { Readiness } from "../server/mod.ts";

/** The part of a logger that a start uses. */
export interface StartupLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
}

/** A start as a list of named steps, each of which may leave something to be closed: later steps' things are closed first. */
export class Startup {
  /** True when all steps are done; `step` names the one under way, or why it is not ready any more. */
  readonly readiness: { ready: boolean; step: string } & Readiness = { ready: false, step: "config" };
  readonly #log: StartupLog;
  readonly #closers: (() => unknown)[] = [];
  readonly #closing: AbortController = new AbortController();
  #stopping: Promise<void> | null = null;

  constructor(log: StartupLog) {
    this.#log = log;
  }

  /** Aborts when the stop begins. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  step(name: string): void {
    this.readiness.step = name;
    this.#log.debug("Start-up step {step}", { step: name });
  }

  /** To be called at the stop. */
  onStop(close: () => unknown): void {
    this.#closers.push(close);
  }

  done(): void {
    this.readiness.ready = true;
    this.readiness.step = "ready";
  }

  /** Not ready any more, for good; false when it is stopping anyway. */
  fail(step: string): boolean {
    if (this.#stopping !== null) return false;
    this.readiness.ready = false;
    this.readiness.step = step;
    return true;
  }

  /** Closes everything, last opened first; what does not close is told of and passed over. Idempotent. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.readiness.ready = false;
    this.readiness.step = "stopping";
    this.#closing.abort();
    for (const close of this.#closers.reverse()) {
      try {
        await close();
      } catch (error) {
        this.#log.warn("A part did not close: {error}", { error: String(error) });
      }
    }
  }
}
