import type { RunEvent } from "../../engine/mod.ts";
import { isTerminalType } from "../../engine/mod.ts";
import type { Clock } from "../../engine/ports.ts";
import type { RunFeed } from "../runs/mod.ts";
import type { HubBus } from "./ports.ts";

export interface RunWatchOptions {
  readonly bus: HubBus;
  readonly feed: RunFeed;
  readonly clock: Clock;
  /** Seq of the last event of a run that this hub drives; null: it does not. */
  readonly liveSeq: (runId: string) => number | null;
}

/** How often a hub says again what it watches; it is believed for three times as long. */
const REFRESH_MS = 5_000;

/**
 * Wakes watchers of runs that other hubs drive. A hub says which runs it watches; whoever commits events of such a run tells it,
 * after the commit, by ids only: `[runId, seq]`. A commit costs nothing as long as nobody elsewhere watches. What gets lost here
 * costs a watcher its second: it looks at the log that often anyway.
 */
export class RunWatch {
  readonly #options: RunWatchOptions;
  /** Runs watched elsewhere -> by whom, until when. */
  readonly #wanted = new Map<string, Map<string, number>>();
  /** Watched here since the last turn. */
  #fresh = new Set<string>();
  #cancelRefresh: () => void = () => {};

  constructor(options: RunWatchOptions) {
    this.#options = options;
    const { bus, feed, clock, liveSeq } = options;
    bus.subscribe("watch", (message, from) => this.#watched(message as readonly string[], from));
    bus.subscribe("moved", (message) => {
      for (const [runId, seq] of message as readonly (readonly [string, number])[]) feed.nudge(runId, seq);
    });
    bus.onState((state) => state === "connected" && this.#sayAll());
    feed.onWatched = (runId, isWatched) => {
      if (!isWatched || liveSeq(runId) !== null) return void this.#fresh.delete(runId);
      this.#fresh.add(runId);
      if (this.#fresh.size === 1) clock.afterTurn(() => this.#sayFresh());
    };
    this.#scheduleRefresh();
  }

  /** Called after each commit. */
  committed(events: readonly RunEvent[]): void {
    if (this.#wanted.size === 0) return;
    const moved = new Map<string, Map<string, number>>();
    for (const { runId, seq, type } of events) {
      const hubs = this.#wanted.get(runId);
      if (hubs === undefined) continue;
      for (const hubId of hubs.keys()) {
        const runs = moved.get(hubId) ?? new Map<string, number>();
        moved.set(hubId, runs.set(runId, seq));
      }
      if (isTerminalType(type)) this.#wanted.delete(runId);
    }
    for (const [hubId, runs] of moved) void this.#options.bus.send(hubId, "moved", [...runs]);
  }

  close(): void {
    this.#cancelRefresh();
    this.#options.feed.onWatched = null;
  }

  #watched(runIds: readonly string[], from: string): void {
    const until = this.#options.clock.now() + 3 * REFRESH_MS;
    const moved: [string, number][] = [];
    for (const runId of runIds) {
      const hubs = this.#wanted.get(runId) ?? new Map<string, number>();
      // What was committed before this hub knew: the watcher looks once.
      const seq = hubs.has(from) ? null : this.#options.liveSeq(runId);
      if (seq !== null) moved.push([runId, seq]);
      this.#wanted.set(runId, hubs.set(from, until));
    }
    if (moved.length > 0) void this.#options.bus.send(from, "moved", moved);
  }

  #sayFresh(): void {
    const fresh = [...this.#fresh];
    this.#fresh = new Set();
    if (fresh.length > 0) this.#options.bus.publish("watch", fresh);
  }

  #sayAll(): void {
    const { feed, liveSeq, bus } = this.#options;
    const runIds = feed.watched().filter((runId) => liveSeq(runId) === null);
    if (runIds.length > 0) bus.publish("watch", runIds);
  }

  #scheduleRefresh(): void {
    const { clock } = this.#options;
    this.#cancelRefresh = clock.at(clock.now() + REFRESH_MS, () => {
      this.#forgetOld();
      this.#sayAll();
      this.#scheduleRefresh();
    });
  }

  #forgetOld(): void {
    const now = this.#options.clock.now();
    for (const [runId, hubs] of this.#wanted) {
      for (const [hubId, until] of hubs) if (until < now) hubs.delete(hubId);
      if (hubs.size === 0) this.#wanted.delete(runId);
    }
  }
}
