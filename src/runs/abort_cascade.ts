import { CallError } from "@alkdev/operations";
import type { Engine, RunEvent } from "../../engine/mod.ts";
import { commandRun } from "./command_run.ts";
import type { RunOwners } from "./ports.ts";

/** Finds runs that their parents' end is to end. */
export interface OrphanRuns {
  /** Live runs right below a run. */
  below(runId: string): Promise<readonly string[]>;
  /** Live runs right below aborted ones, at most `limit`. */
  list(limit: number): Promise<readonly string[]>;
}

export interface AbortCascadeOptions {
  readonly engine: () => Engine;
  /** Absent: this hub is alone. */
  readonly owners?: RunOwners;
  readonly orphans: OrphanRuns;
  readonly onError: (error: unknown) => void;
}

const BATCH = 500;

/**
 * Aborts what stands below an aborted run, and so on down, whether or not the call that started it has returned. What a crash
 * came between is found by {@linkcode AbortCascade.sweep}.
 */
export class AbortCascade {
  readonly #options: AbortCascadeOptions;

  constructor(options: AbortCascadeOptions) {
    this.#options = options;
  }

  /** Told what has become durable. */
  committed(events: readonly RunEvent[]): void {
    for (const { type, runId } of events) {
      if (type !== "run.aborted") continue;
      this.#options.orphans.below(runId).then((ids) => this.#abort(ids), this.#options.onError);
    }
  }

  /** Aborts what is left below aborted runs; gives how many. */
  async sweep(): Promise<number> {
    const ids = await this.#options.orphans.list(BATCH);
    return await this.#abort(ids);
  }

  async #abort(ids: readonly string[]): Promise<number> {
    const done = await Promise.allSettled(ids.map((id) => abortBelow(this.#options, id)));
    for (const outcome of done) {
      if (outcome.status === "rejected" && !isOver(outcome.reason)) this.#options.onError(outcome.reason);
    }
    return done.filter(({ status }) => status === "fulfilled").length;
  }
}

/** It has ended, or is about to be taken up: the next sweep looks again. */
function isOver(error: unknown): boolean {
  return error instanceof CallError && (error.code === "RUN_ENDED" || error.code === "RUN_NOT_HERE");
}

/** Aborts a run because its parent was, wherever it is driven. @throws CallError RUN_NOT_HERE */
export async function abortBelow(
  { engine, owners }: Pick<AbortCascadeOptions, "engine" | "owners">,
  runId: string,
): Promise<void> {
  const command = { type: "abort", reason: "Its parent was aborted" } as const;
  const params = { runId, by: "hub", command };
  if (engine().live(runId) !== null || owners === undefined) await commandRun(engine(), params);
  else await owners.command(params);
}
