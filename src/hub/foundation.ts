import type { Ownership } from "../../engine/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { HubBus } from "../peers/mod.ts";
import { acquireLease, createPeerStore, type Database, migrate, openDatabase, type PeerStore } from "../storage/mod.ts";
import { hubIdOf } from "./hub_id.ts";
import { LeaseGuard } from "./lease_guard.ts";
import { openBus } from "./open_bus.ts";
import type { Peers } from "./peers.ts";
import type { Startup } from "./startup.ts";

const LEASE_TTL_MS = 6_000;

/** What everything else stands on: the database, the other hubs, and the right to write. */
export interface Foundation {
  readonly hubId: string;
  readonly db: Database;
  readonly bus: HubBus | null;
  readonly peerStore: PeerStore;
  readonly lease: Ownership;
  readonly guard: LeaseGuard;
}

/** Opens the configured database, migrated or not. */
export function openConfigured(config: HubConfig): Promise<Database> {
  return openDatabase(config.databaseUrl === null ? { dataDir: config.dataDir } : { url: config.databaseUrl });
}

/** Opens the database, the bus and the lease. */
export async function layFoundation(
  startup: Startup,
  params: {
    readonly config: HubConfig;
    readonly url: string;
    /** Null until there are any, or for good. */
    readonly peers: () => Peers | null;
    readonly onFenced: (error: unknown) => void;
  },
): Promise<Foundation> {
  const { config, url, peers, onFenced } = params;
  startup.step("database");
  const db = await openConfigured(config);
  startup.onStop(() => db.close());
  startup.step("migrations");
  await migrate(db);

  startup.step("bus");
  const hubId = await hubIdOf(config.dataDir);
  const peerStore = createPeerStore(db);
  const bus = await openBus({ config, hubId, deployment: () => peerStore.deployment(), log: hubLogger("redis") });
  // Closed after the lease is given up: the others then take this hub's runs up at once.
  startup.onStop(() => peers()?.leave() ?? bus?.close());

  startup.step("lease");
  const acquiredAt = Date.now();
  const lease = await acquireLease(db, { hubId, ttlMs: LEASE_TTL_MS, url });
  startup.onStop(() => lease.release());
  const guard = new LeaseGuard({ lease, ttlMs: LEASE_TTL_MS, acquiredAt, now: Date.now, onFenced });
  startup.onStop(() => guard.stop());
  return { hubId, db, bus, peerStore, lease, guard };
}
