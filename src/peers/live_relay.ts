import type { Clock } from "../../engine/ports.ts";
import type { HubBus } from "./ports.ts";

/** Live events of this hub, by the key of what they are about. */
export interface LiveSource {
  /** Keys that somebody here watches. */
  watched(): readonly string[];
  /** What has come of a thing so far that is nowhere else to be read. */
  open(key: string): readonly unknown[];
  /** An event of another hub. */
  deliver(key: string, event: unknown): void;
}

export interface LiveRelayOptions {
  readonly bus: HubBus;
  readonly clock: Pick<Clock, "now" | "at" | "afterTurn">;
  /** Topics are named after it. */
  readonly name: string;
  readonly source: LiveSource;
}

/** How often a hub says again what it watches; it is believed for three times as long. */
const REFRESH_MS = 5_000;

type Told = readonly (readonly [key: string, events: readonly unknown[]])[];

/**
 * Carries live events to the hubs on which they are watched. A hub says what it watches; whoever has such a thing under way tells
 * first what has come of it so far, then what comes, a turn's events in one message. An event costs nothing as long as nobody
 * elsewhere watches. What gets lost here must be made good from the store by whoever watches.
 */
export class LiveRelay {
  readonly #options: LiveRelayOptions;
  /** What is watched elsewhere -> by whom, until when. */
  readonly #wanted = new Map<string, Map<string, number>>();
  /** Hub -> key -> what it is to be told after this turn. */
  #outgoing = new Map<string, Map<string, unknown[]>>();
  readonly #leave: readonly (() => void)[];
  #cancelRefresh: () => void = () => {};

  constructor(options: LiveRelayOptions) {
    this.#options = options;
    const { bus, name, source } = options;
    this.#leave = [
      bus.subscribe(`${name}.watch`, (message, from) => this.#watched(message as readonly string[], from, true)),
      bus.subscribe(`${name}.still`, (message, from) => this.#watched(message as readonly string[], from, false)),
      bus.subscribe(`${name}.events`, (message) => {
        for (const [key, events] of message as Told) for (const event of events) source.deliver(key, event);
      }),
      bus.onState((state) => state === "connected" && this.#sayAll("watch")),
    ];
    this.#scheduleRefresh();
  }

  /** Something has happened on this hub. */
  published(key: string, event: unknown): void {
    const hubs = this.#wanted.get(key);
    if (hubs === undefined) return;
    for (const hubId of hubs.keys()) this.#send(hubId, key, [event]);
  }

  /** Somebody here has begun to watch. */
  watching(key: string): void {
    this.#options.bus.publish(`${this.#options.name}.watch`, [key]);
  }

  close(): void {
    this.#cancelRefresh();
    for (const leave of this.#leave) leave();
  }

  #watched(keys: readonly string[], from: string, begins: boolean): void {
    const until = this.#options.clock.now() + 3 * REFRESH_MS;
    for (const key of keys) {
      const hubs = this.#wanted.get(key) ?? new Map<string, number>();
      const tells = begins || !hubs.has(from);
      this.#wanted.set(key, hubs.set(from, until));
      const open = tells ? this.#options.source.open(key) : [];
      if (open.length > 0) this.#send(from, key, open);
    }
  }

  #send(hubId: string, key: string, events: readonly unknown[]): void {
    const { bus, clock, name } = this.#options;
    if (this.#outgoing.size === 0) {
      clock.afterTurn(() => {
        const outgoing = this.#outgoing;
        this.#outgoing = new Map();
        for (const [to, told] of outgoing) void bus.send(to, `${name}.events`, [...told] satisfies Told);
      });
    }
    const ofHub = this.#outgoing.get(hubId) ?? new Map<string, unknown[]>();
    this.#outgoing.set(hubId, ofHub);
    const ofKey = ofHub.get(key) ?? [];
    ofHub.set(key, ofKey);
    ofKey.push(...events);
  }

  #sayAll(topic: "watch" | "still"): void {
    const { bus, name, source } = this.#options;
    const keys = source.watched();
    if (keys.length > 0) bus.publish(`${name}.${topic}`, keys);
  }

  #scheduleRefresh(): void {
    const { clock } = this.#options;
    this.#cancelRefresh = clock.at(clock.now() + REFRESH_MS, () => {
      const now = clock.now();
      for (const [key, hubs] of this.#wanted) {
        for (const [hubId, until] of hubs) if (until < now) hubs.delete(hubId);
        if (hubs.size === 0) this.#wanted.delete(key);
      }
      this.#sayAll("still");
      this.#scheduleRefresh();
    });
  }
}
