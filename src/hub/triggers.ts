import type { Clock } from "../../engine/mod.ts";
import type { HubLimits } from "../config/mod.ts";
import type { KeyRing } from "../crypto/mod.ts";
import type { Egress } from "../egress/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { RunFeed, Runs } from "../runs/mod.ts";
import { hookRoute, type Route, scheduleRoutes, webhookRoutes } from "../server/mod.ts";
import {
  createDeliveryStore,
  createOutboundLog,
  createScheduleStore,
  createWebhookStore,
  findStandingKey,
} from "../storage/mod.ts";
import type { Templates } from "../templates/mod.ts";
import {
  createDeliveries,
  createInbound,
  createOwnerKeys,
  createSchedules,
  createWebhooks,
  Deliverer,
  Outbound,
  type OwnerKeys,
  resealWebhooks,
  Scheduler,
} from "../triggers/mod.ts";
import type { Foundation } from "./foundation.ts";
import type { Startup } from "./startup.ts";

interface Parts {
  readonly foundation: Foundation;
  readonly runs: Runs;
  readonly feed: RunFeed;
  readonly templates: Templates;
  readonly clock: Clock;
  readonly egress: Egress;
  readonly keyRing: KeyRing;
  readonly limits: HubLimits;
}

/** Builds what starts runs by itself and what tells others of them, starts it, and gives its routes. */
export async function openTriggers(startup: Startup, parts: Parts): Promise<readonly Route[]> {
  startup.step("triggers");
  const { foundation, clock } = parts;
  const owners = createOwnerKeys({ find: (keyId) => findStandingKey(foundation.db, keyId), now: clock.now });
  return [...openSchedules(startup, parts, owners), ...await openWebhooks(startup, parts, owners)];
}

function openSchedules(startup: Startup, parts: Parts, owners: OwnerKeys): readonly Route[] {
  const { foundation: { db }, runs, templates, clock } = parts;
  const log = hubLogger("triggers");
  const store = createScheduleStore(db);
  const scheduler = new Scheduler({
    store,
    runs,
    owners,
    clock,
    mayWork: mayWork(startup, parts),
    onError: (error) => log.warn("A schedule could not be fired: {error}", { error: String(error) }),
  });
  scheduler.start();
  startup.onStop(() => scheduler.stop());
  return scheduleRoutes(createSchedules({ store, runs, catalog: templates, now: clock.now }));
}

async function openWebhooks(startup: Startup, parts: Parts, owners: OwnerKeys): Promise<readonly Route[]> {
  const { foundation: { db }, runs, feed, templates, clock, egress, keyRing, limits } = parts;
  const { now } = clock;
  const log = hubLogger("webhooks");
  const onError = (error: unknown) => log.warn("Webhooks: {error}", { error: String(error) });
  const webhooks = createWebhookStore(db);
  const store = createDeliveryStore(db);
  const deliverer = new Deliverer({
    webhooks,
    deliveries: store,
    runs,
    owners,
    egress,
    keyRing,
    clock,
    random: Math.random,
    mayWork: mayWork(startup, parts),
    onError,
  });
  const onQueued = () => deliverer.wake();
  const outbound = new Outbound({ webhooks, deliveries: store, log: createOutboundLog(db), clock, onQueued, onError });
  feed.onBatch = (batch) => outbound.committed(batch);
  deliverer.wake();
  startup.onStop(() => deliverer.stop());
  await outbound.start();
  startup.onStop(() => outbound.stop());
  void resealWebhooks({ store: webhooks, keyRing }).then(({ resealed, unreadable }) => {
    if (resealed > 0) log.info("Sealed the secrets of {resealed} webhooks with the current key", { resealed });
    if (unreadable > 0) log.warn("No key of the ring opens a secret of {unreadable} webhooks", { unreadable });
  }, (error) => log.warn("Secrets of webhooks could not be sealed anew: {error}", { error: String(error) }));
  const onChange = () => void outbound.refresh().catch(onError);
  return [
    ...webhookRoutes(
      createWebhooks({ store: webhooks, catalog: templates, keyRing, now, onChange }),
      createDeliveries({ webhooks, store, now, onQueued }),
    ),
    hookRoute(createInbound({ store: webhooks, runs, owners, keyRing, now }), limits),
  ];
}

function mayWork(startup: Startup, { foundation: { guard } }: Parts): () => boolean {
  return () => guard.isHeld() && !startup.closing.aborted;
}
