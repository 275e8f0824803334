import type { RunEvent } from "../../engine/mod.ts";

/** One watcher of one run. */
export interface RunListener {
  /** Events that this process has committed. */
  events(events: readonly RunEvent[]): void;
  /** The log has events up to `seq`, which another hub has committed. */
  look(seq: number): void;
}

/** Tells the watchers of this process what has become durable, per run. Keeps nothing for runs without watchers. */
export class RunFeed {
  readonly #listeners: Map<string, Set<RunListener>> = new Map();
  /** Told when a run gets its first watcher here, and when it has lost its last. */
  onWatched: ((runId: string, isWatched: boolean) => void) | null = null;

  /** Told of every batch of this process, watched or not; it must not keep the engine waiting. */
  onBatch: ((batch: readonly RunEvent[]) => void) | null = null;

  /** Called with each committed batch. */
  publish(batch: readonly RunEvent[]): void {
    this.onBatch?.(batch);
    if (this.#listeners.size === 0) return;
    const byRun = new Map<string, RunEvent[]>();
    for (const event of batch) {
      if (!this.#listeners.has(event.runId)) continue;
      const list = byRun.get(event.runId);
      if (list === undefined) byRun.set(event.runId, [event]);
      else list.push(event);
    }
    for (const [runId, events] of byRun) this.#each(runId, (listener) => listener.events(events));
  }

  /** Another hub has committed events of a run, up to `seq`. */
  nudge(runId: string, seq: number): void {
    this.#each(runId, (listener) => listener.look(seq));
  }

  /** Runs that somebody watches here. */
  watched(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  subscribe(runId: string, listener: RunListener): () => void {
    const set = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, set.add(listener));
    if (set.size === 1) this.onWatched?.(runId, true);
    return () => {
      if (!set.delete(listener) || set.size > 0) return;
      this.#listeners.delete(runId);
      this.onWatched?.(runId, false);
    };
  }

  #each(runId: string, tell: (listener: RunListener) => void): void {
    const set = this.#listeners.get(runId);
    if (set !== undefined) { for (const listener of [...set]) tell(listener); }
  }
}
