import { operationId } from "@alkdev/operations";
import type { Clock, Engine, RunEvent } from "../../engine/mod.ts";
import type { RemoteOperations } from "../dispatch/mod.ts";
import {
  createRunOwners,
  type HubBus,
  type HubOffer,
  offerOf,
  type PeerLog,
  PeerOperations,
  Presence,
  RunWatch,
  ServedCalls,
} from "../peers/mod.ts";
import { commandRun, elsewhere, type RunFeed, type RunOwners } from "../runs/mod.ts";
import type { RunnerPool, SpokeView } from "../spokes/mod.ts";
import type { PeerSpokeRow, PeerStore } from "../storage/mod.ts";

/** How long a call waits for somebody who offers its operation. */
const GRACE_MS = 15_000;
/** How long a start waits for the others to say what they offer. */
const JOIN_MS = 1_500;
/** Spokes of other hubs that were heard of within this time may still be there. */
const RECENT_MS = 60_000;

export interface PeersOptions {
  readonly bus: HubBus;
  readonly clock: Clock;
  readonly epoch: number;
  readonly pool: RunnerPool;
  readonly store: PeerStore;
  readonly feed: RunFeed;
  /** Null until it is built: this hub drives nothing yet. */
  readonly engine: () => Engine | null;
  /** False: this hub may have lost its lease. */
  readonly isHeld: () => boolean;
  readonly log: PeerLog;
}

/** What this hub has to do with the others of its deployment. */
export interface Peers {
  /** Operations of all hubs' spokes. */
  readonly operations: RemoteOperations & Pick<PeerOperations, "place">;
  readonly owners: RunOwners;
  readonly presence: Presence;
  readonly bus: HubBus;
  /** Says hello and learns what the others offer. */
  join(): Promise<void>;
  /** After each commit. */
  committed(events: readonly RunEvent[]): void;
  /** The pool's spokes have changed. */
  poolChanged(): void;
  /** Told when a hub has left: its runs may be taken up. */
  onGone(listener: (hubId: string) => void): void;
  stats(): PeerStats;
  /** Says good-bye: this hub's lease has been given up. */
  leave(): Promise<void>;
}

export interface PeerStats {
  readonly hubs: number;
  readonly isConnected: boolean;
  /** Calls at other hubs' spokes. */
  readonly sent: number;
  /** Calls that wait for somebody to offer their operation. */
  readonly waiting: number;
  /** Calls of other hubs on spokes of this one. */
  readonly served: number;
}

export function createPeers(options: PeersOptions): Peers {
  const { bus, clock, epoch, pool, store, feed, engine, isHeld, log } = options;
  const isLeaving = (): boolean => engine()?.stopped ?? false;
  const presence = new Presence({ bus, clock, epoch, offer: () => offerOf(pool), graceMs: GRACE_MS, log });
  const served = new ServedCalls({ bus, pool, isLeaving: () => isLeaving() || !isHeld() });
  const operations = new PeerOperations({
    bus,
    pool,
    presence,
    served,
    clock,
    graceMs: GRACE_MS,
    isLeaving,
    mayCall: isHeld,
  });
  const watch = new RunWatch({ bus, feed, clock, liveSeq: (runId) => engine()?.live(runId)?.state.seq ?? null });
  const owners = createRunOwners({
    bus,
    ownerOf: (runId) => store.ownerOf(runId),
    perform(params) {
      const driving = engine();
      return driving === null ? Promise.reject(elsewhere(params.runId)) : commandRun(driving, params);
    },
  });
  bus.onState((state) => {
    if (state === "away") log.warn("The bus to other hubs is away: work of this hub alone goes on");
    else if (state === "connected") log.info("The bus to other hubs is there");
  });
  return {
    operations,
    owners,
    presence,
    bus,
    async join() {
      const { hubId } = bus;
      presence.seed(offersOf(await store.spokesOfOthers({ hubId, withinMs: RECENT_MS })));
      await presence.join(await store.liveHubs({ hubId }), JOIN_MS);
    },
    committed: (events) => watch.committed(events),
    poolChanged() {
      presence.announce();
      operations.look();
    },
    onGone: (listener) => presence.onGone(listener),
    stats: () => ({
      hubs: presence.hubs().length,
      isConnected: bus.state() === "connected",
      served: served.size,
      ...operations.stats(),
    }),
    async leave() {
      watch.close();
      operations.close();
      presence.leave();
      await bus.close();
    },
  };
}

function offersOf(rows: readonly PeerSpokeRow[]): ReadonlyMap<string, HubOffer> {
  const hubs = new Map<string, HubOffer>();
  for (const { hubId, orgId, labels, operations } of rows) {
    const offer = hubs.get(hubId) ?? { spokes: [], operations: [] };
    hubs.set(hubId, {
      spokes: [...offer.spokes, { orgId, spoke: unseen(labels, operations.map(operationId)) }],
      operations: [...offer.operations, ...operations.map((spec) => ({ orgId, spec, labels: [labels] }))],
    });
  }
  return hubs;
}

/** A spoke of which nothing is known but what it can do. */
function unseen(labels: Readonly<Record<string, string>>, operations: readonly string[]): SpokeView {
  return {
    id: "",
    name: "",
    spokeType: "",
    version: null,
    status: "disconnected",
    labels,
    hostInfo: null,
    operations,
    maxConcurrency: 0,
    inFlight: 0,
    load: null,
    connectedAt: 0,
    lastSeenAt: 0,
  };
}
