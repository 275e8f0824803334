import type { RunEvent } from "../../engine/mod.ts";

type Listener = (events: readonly RunEvent[]) => void;

/** Tells the watchers of this process what has become durable, per run. Keeps nothing for runs without watchers. */
export class RunFeed {
  readonly #listeners: Map<string, Set<Listener>> = new Map();

  /** Called with each committed batch. */
  publish(batch: readonly RunEvent[]): void {
    if (this.#listeners.size === 0) return;
    const byRun = new Map<string, RunEvent[]>();
    for (const event of batch) {
      if (!this.#listeners.has(event.runId)) continue;
      const list = byRun.get(event.runId);
      if (list === undefined) byRun.set(event.runId, [event]);
      else list.push(event);
    }
    for (const [runId, events] of byRun) for (const listener of [...this.#listeners.get(runId) ?? []]) listener(events);
  }

  subscribe(runId: string, listener: Listener): () => void {
    const set = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, set.add(listener));
    return () => {
      set.delete(listener);
      if (set.size === 0) this.#listeners.delete(runId);
    };
  }
}
