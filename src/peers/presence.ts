import type { OperationSpec } from "@alkdev/operations";
import type { Clock } from "../../engine/ports.ts";
import { type CallLabels, reviveOperations, type SpokeView } from "../spokes/mod.ts";
import { decodeBeat, decodeOffer, type HubOffer } from "./hub_offer.ts";
import type { HubBus, PeerLog } from "./ports.ts";
import { OfferIndex, type Provider } from "./offer_index.ts";

export interface PresenceOptions {
  readonly bus: HubBus;
  readonly clock: Clock;
  /** Of this hub's lease: a restarted hub has another. */
  readonly epoch: number;
  /** What the spokes of this hub offer now. */
  readonly offer: () => HubOffer;
  /** How long a hub that is gone is waited for, or for another one with its operations. */
  readonly graceMs: number;
  readonly log: PeerLog;
  /** Default 1,000. */
  readonly beatMs?: number;
}

/**
 * A hub without a sign of life for this many beats is gone. Longer than a lease: calls that a suspended hub had been given are
 * given to another only when it can no longer start them (see the hub's lease guard).
 */
const MISSED_BEATS = 8;
const ASK_TIMEOUT_MS = 3_000;

interface Peer {
  readonly hubId: string;
  epoch: number;
  version: number;
  /** Null: it has not answered yet. */
  offer: HubOffer | null;
  seenAt: number;
  /** False: it is gone, and kept for the grace period. */
  isHere: boolean;
  isAsked: boolean;
  forget: () => void;
}

/**
 * Which other hubs are there, and what their spokes offer. Each hub says every second that it lives and which version of its
 * offer is current; who does not have that version asks for it. While the bus is away nobody is taken for gone.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #beatMs: number;
  readonly #peers = new Map<string, Peer>();
  readonly #changed = new Set<() => void>();
  readonly #gone = new Set<(hubId: string) => void>();
  readonly #undo: (() => void)[] = [];
  #index = new OfferIndex([]);
  #version = 1;
  #isAnnouncing = false;
  #cancelBeat: () => void = () => {};
  /** Since when the bus has been connected without a break; null: it is not. */
  #connectedAt: number | null = null;
  #joined: (() => void) | null = null;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#beatMs = options.beatMs ?? 1_000;
    const { bus, clock } = options;
    this.#connectedAt = bus.state() === "connected" ? clock.now() : null;
    this.#undo.push(
      bus.subscribe("beat", (message, from) => this.#heard(message, from)),
      bus.serve("offer", () => Promise.resolve({ ...options.offer(), epoch: options.epoch, version: this.#version })),
      bus.onState((state) => {
        this.#connectedAt = state === "connected" ? clock.now() : null;
        if (state === "connected") this.#beat({ hello: true });
        this.#tell();
      }),
    );
  }

  /** Told when what others offer may have changed, or the bus has come or gone. */
  onChange(listener: () => void): void {
    this.#changed.add(listener);
  }

  /** Told when a hub has left or died. */
  onGone(listener: (hubId: string) => void): void {
    this.#gone.add(listener);
  }

  /** Takes what the database knows for what was there, until the grace period has passed. */
  seed(offers: ReadonlyMap<string, HubOffer>): void {
    const now = this.#options.clock.now();
    for (const [hubId, offer] of offers) {
      if (hubId === this.#options.bus.hubId || this.#peers.has(hubId)) continue;
      const peer = this.#meet(hubId, { epoch: -1, version: -1 });
      peer.offer = offer;
      peer.seenAt = now;
      this.#leave(peer);
    }
  }

  /** Says hello and begins to beat; resolves when `expected` hubs have told what they offer, or after `waitMs`. */
  async join(expected: readonly string[], waitMs: number): Promise<void> {
    this.#beat({ hello: true });
    this.#scheduleBeat();
    const { clock } = this.#options;
    const isThere = (): boolean =>
      expected.every((hubId) => this.#peers.get(hubId)?.isHere === true && this.#peers.get(hubId)?.offer !== null);
    if (isThere()) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.at(clock.now() + waitMs, resolve);
      this.#joined = () => {
        if (!isThere()) return;
        cancel();
        resolve();
      };
    });
    this.#joined = null;
  }

  /** What this hub's spokes offer has changed: said once at the end of the turn. */
  announce(): void {
    this.#version++;
    if (this.#isAnnouncing) return;
    this.#isAnnouncing = true;
    this.#options.clock.afterTurn(() => {
      this.#isAnnouncing = false;
      this.#beat({});
    });
  }

  /** Of the version that is named, else of the highest, on offer elsewhere. */
  spec(orgId: string, reference: string, labels: CallLabels): OperationSpec | undefined {
    return this.#index.spec(orgId, reference, labels);
  }

  versions(orgId: string, id: string): readonly string[] {
    return this.#index.versions(orgId, id);
  }

  specs(orgId: string): readonly OperationSpec[] {
    return this.#index.specs(orgId);
  }

  /** Hubs that are here and have a spoke with these labels for this operation. */
  providers(orgId: string, reference: string, labels: CallLabels): readonly Provider[] {
    return this.#index.providers(orgId, reference, labels);
  }

  isHere(hubId: string): boolean {
    return this.#peers.get(hubId)?.isHere === true;
  }

  /** Hubs that are here, without this one. */
  hubs(): readonly string[] {
    return [...this.#peers.values()].filter(({ isHere }) => isHere).map(({ hubId }) => hubId);
  }

  /** Spokes of other hubs that are here. */
  spokes(orgId: string): readonly { readonly hubId: string; readonly spoke: SpokeView }[] {
    return [...this.#peers.values()].filter(({ isHere }) => isHere).flatMap(({ hubId, offer }) =>
      (offer?.spokes ?? []).filter((entry) => entry.orgId === orgId).map(({ spoke }) => ({ hubId, spoke }))
    );
  }

  /** Nobody got a message for this hub: it does not wait for its silence to be noticed. */
  missed(hubId: string): void {
    const peer = this.#peers.get(hubId);
    if (peer !== undefined && this.#connectedAt !== null) this.#leave(peer);
  }

  /** Says good-bye. */
  leave(): void {
    this.#options.bus.publish("beat", { epoch: this.#options.epoch, version: this.#version, bye: true });
    this.stop();
  }

  /** No beat any more, and nobody is told anything. */
  stop(): void {
    this.#cancelBeat();
    for (const undo of this.#undo.splice(0)) undo();
    for (const peer of this.#peers.values()) peer.forget();
    this.#changed.clear();
    this.#gone.clear();
  }

  #heard(message: unknown, from: string): void {
    const beat = decodeBeat(message);
    if (beat === null) return;
    const peer = this.#peers.get(from) ?? this.#meet(from, beat);
    // An older process of the same hub, which does not know yet that it has been replaced.
    if (beat.epoch < peer.epoch) return;
    peer.seenAt = this.#options.clock.now();
    if (beat.bye) return this.#leave(peer);
    if (beat.hello) this.#beat({});
    const wasHere = peer.isHere;
    peer.isHere = true;
    peer.forget();
    const isCurrent = peer.epoch === beat.epoch && peer.version === beat.version;
    peer.epoch = beat.epoch;
    if (!isCurrent || peer.offer === null) void this.#ask(peer);
    else if (!wasHere) this.#rebuild();
  }

  async #ask(peer: Peer): Promise<void> {
    if (peer.isAsked) return;
    peer.isAsked = true;
    try {
      const answer = await this.#options.bus.request({
        hubId: peer.hubId,
        method: "offer",
        params: null,
        timeoutMs: ASK_TIMEOUT_MS,
      });
      const offer = decodeOffer(answer, reviveOperations);
      if (offer === null) return;
      peer.version = offer.version;
      peer.offer = offer;
      this.#rebuild();
    } catch (error) {
      // The next beat asks again.
      this.#options.log.debug("Hub {hubId} did not tell what it offers: {error}", { hubId: peer.hubId, error });
    } finally {
      peer.isAsked = false;
    }
  }

  #meet(hubId: string, { epoch, version }: { readonly epoch: number; readonly version: number }): Peer {
    const peer: Peer = {
      hubId,
      epoch,
      version,
      offer: null,
      seenAt: this.#options.clock.now(),
      isHere: true,
      isAsked: false,
      forget: () => {},
    };
    this.#peers.set(hubId, peer);
    return peer;
  }

  #leave(peer: Peer): void {
    if (!peer.isHere) return;
    const { clock, graceMs, log } = this.#options;
    peer.isHere = false;
    peer.forget();
    peer.forget = clock.at(clock.now() + graceMs, () => {
      this.#peers.delete(peer.hubId);
      this.#rebuild();
    });
    log.info("Hub {hubId} is gone", { hubId: peer.hubId });
    this.#rebuild();
    for (const listener of [...this.#gone]) listener(peer.hubId);
  }

  #rebuild(): void {
    this.#index = new OfferIndex([...this.#peers.values()]);
    this.#tell();
    this.#joined?.();
  }

  #tell(): void {
    for (const listener of [...this.#changed]) listener();
  }

  #beat(extra: { readonly hello?: true }): void {
    this.#options.bus.publish("beat", { epoch: this.#options.epoch, version: this.#version, ...extra });
  }

  #scheduleBeat(): void {
    const { clock } = this.#options;
    this.#cancelBeat = clock.at(clock.now() + this.#beatMs, () => {
      this.#beat({});
      this.#sweep();
      this.#scheduleBeat();
    });
  }

  #sweep(): void {
    const silent = this.#options.clock.now() - MISSED_BEATS * this.#beatMs;
    if (this.#connectedAt === null || this.#connectedAt > silent) return;
    for (const peer of this.#peers.values()) if (peer.seenAt < silent) this.#leave(peer);
  }
}
