import type { EventRef, PlacedEvent } from "./delivery.ts";
import type { OutboundLog, Scan } from "./delivery_store.ts";

/** A run as {@linkcode MemoryOutboundLog} knows it. */
export interface LoggedRun extends Pick<PlacedEvent, "orgId" | "workflow" | "labels"> {
  readonly createdAt: number;
}

/** The log's view in memory: runs and events are put in by hand. */
export class MemoryOutboundLog implements OutboundLog {
  readonly #runs: Map<string, LoggedRun> = new Map();
  readonly #ended: Set<string> = new Set();
  readonly #watched: Set<string> = new Set();
  #events: PlacedEvent[] = [];
  #begunAt: number | null = null;
  #doneAt: number | null = null;

  addRun(id: string, run: LoggedRun): void {
    this.#runs.set(id, run);
  }

  addEvent(event: EventRef): void {
    const run = this.#runs.get(event.runId);
    if (run === undefined) throw new Error(`There is no run "${event.runId}"`);
    const { createdAt: _createdAt, ...placed } = run;
    this.#events.push({ ...event, ...placed });
    if (["run.completed", "run.failed", "run.aborted"].includes(event.type)) this.#ended.add(event.runId);
  }

  place(refs: readonly EventRef[]): Promise<readonly PlacedEvent[]> {
    return Promise.resolve(refs.flatMap((ref) => {
      const run = this.#runs.get(ref.runId);
      return run === undefined ? [] : [{ ...ref, orgId: run.orgId, workflow: run.workflow, labels: run.labels }];
    }));
  }

  beginScan({ now, everyMs }: { readonly now: number; readonly everyMs: number }): Promise<Scan | null> {
    if (this.#begunAt !== null && this.#begunAt > now - everyMs) return Promise.resolve(null);
    this.#begunAt = now;
    const ended = [...this.#watched].filter((id) => this.#ended.has(id));
    return Promise.resolve({ startedAt: now, since: this.#doneAt, ended });
  }

  events(
    { orgIds, types, since, after, limit }: Parameters<OutboundLog["events"]>[0],
  ): ReturnType<OutboundLog["events"]> {
    const isAfter = ({ runId, seq }: EventRef) =>
      after === null || runId > after.runId || (runId === after.runId && seq > after.seq);
    const found = this.#events.filter((event) =>
      orgIds.includes(event.orgId) && types.includes(event.type) && event.at >= since && isAfter(event) &&
      (this.#watched.has(event.runId) || (this.#runs.get(event.runId)?.createdAt ?? 0) >= since)
    );
    const sorted = found.sort((a, b) => a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : a.seq - b.seq);
    return Promise.resolve(sorted.slice(0, limit));
  }

  endScan({ scan, orgIds }: Parameters<OutboundLog["endScan"]>[0]): Promise<void> {
    for (const id of scan.ended) this.#watched.delete(id);
    for (const [id, { orgId }] of this.#runs) if (orgIds.includes(orgId) && !this.#ended.has(id)) this.#watched.add(id);
    this.#doneAt = Math.max(this.#doneAt ?? 0, scan.startedAt);
    return Promise.resolve();
  }
}
