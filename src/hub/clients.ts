import type { Clock } from "../../engine/mod.ts";
import {
  type ClientPool,
  createClientPool,
  createClients,
  createProviderDirectory,
  type ProviderDirectory,
  resealSecrets,
} from "../clients/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import type { KeyRing } from "../crypto/mod.ts";
import type { CallObserver, RemoteOperations } from "../dispatch/mod.ts";
import type { Egress } from "../egress/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import { clientRoutes, type Route } from "../server/mod.ts";
import { createClientStore } from "../storage/mod.ts";
import type { Foundation } from "./foundation.ts";
import type { Startup } from "./startup.ts";

/** How often a hub looks for what others have changed: within a second it is so everywhere, with or without a bus. */
const LOOK_EVERY_MS = 500;
/** Another hub has changed something. */
const CHANGED = "clients.changed";

/** Other people's services. */
export interface HubClients {
  readonly pool: ClientPool;
  /** For whatever calls language models. */
  readonly providers: ProviderDirectory;
  /** The routes, once it is known who else has operations. */
  routes(params: { readonly takenBy: (orgId: string, namespace: string) => string | null }): readonly Route[];
}

/** Builds clients and begins to reach them: none of them can stop the start. */
export async function openClients(
  startup: Startup,
  params: {
    readonly config: HubConfig;
    readonly foundation: Foundation;
    readonly clock: Clock;
    readonly keyRing: KeyRing;
    readonly egress: Egress;
    readonly observer: CallObserver;
  },
): Promise<HubClients> {
  const { config, foundation: { db, bus }, clock, keyRing, egress, observer } = params;
  const log = hubLogger("clients");
  const store = createClientStore(db);
  const { commands } = config.clients;
  const tell = () => bus?.publish(CHANGED, {});
  const providers = createProviderDirectory({ store, keyRing, now: clock.now });
  const pool = createClientPool({
    store,
    keyRing,
    egress,
    clock,
    random: Math.random,
    commands,
    observer,
    log,
    onCatalog: tell,
  });
  await pool.sync();
  let trouble = false;
  const look = async () => {
    try {
      await pool.sync();
      trouble = false;
    } catch (error) {
      if (!trouble) log.warn("Clients cannot be read, and are as they were: {error}", { error: String(error) });
      trouble = true;
    }
  };
  bus?.subscribe(CHANGED, () => {
    providers.forget();
    void look();
  });
  // The embedded database is this hub's alone.
  const timer = db.kind === "embedded" ? undefined : setInterval(look, LOOK_EVERY_MS);
  void resealSecrets({ store, keyRing }).then((count) => {
    if (count > 0) log.info("Sealed {count} secrets of clients with the current key", { count });
  }, (error) => log.warn("Secrets of clients could not be sealed anew: {error}", { error: String(error) }));
  startup.onStop(async () => {
    clearInterval(timer);
    await pool.close();
  });
  return {
    pool,
    providers,
    routes: ({ takenBy }) =>
      clientRoutes(createClients({
        store,
        pool,
        keyRing,
        egress,
        commands,
        now: clock.now,
        takenBy,
        onChange() {
          providers.forget();
          tell();
        },
        wait: (ms) => new Promise((resolve) => void clock.at(clock.now() + ms, resolve)),
      })),
  };
}

/** Clients' operations before those of spokes. Without a client it costs a look into an empty map. */
export function clientsBefore(clients: ClientPool, others: RemoteOperations): RemoteOperations {
  return {
    spec: (orgId, reference, labels) => clients.spec(orgId, reference) ?? others.spec(orgId, reference, labels),
    versions: (orgId, id) => others.versions?.(orgId, id) ?? [],
    specs(orgId) {
      const own = clients.specs(orgId);
      if (own.length === 0) return others.specs(orgId);
      const ids = new Set(own.map(({ namespace, name }) => `${namespace}.${name}`));
      return [...own, ...others.specs(orgId).filter(({ namespace, name }) => !ids.has(`${namespace}.${name}`))];
    },
    call: (call, spec) => (isClients(clients, call) ? clients : others).call(call, spec),
    stream: (call, spec) => (isClients(clients, call) ? clients : others).stream(call, spec),
  };
}

function isClients(clients: ClientPool, call: { readonly orgId: string; readonly operationId: string }): boolean {
  return clients.spec(call.orgId, call.operationId) !== undefined;
}
