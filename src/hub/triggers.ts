import type { ApiKeyManager } from "@alkdev/keypal";
import type { Clock } from "../../engine/mod.ts";
import type { HubLimits } from "../config/mod.ts";
import type { KeyRing } from "../crypto/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { Runs } from "../runs/mod.ts";
import { hookRoute, type Route, scheduleRoutes, webhookRoutes } from "../server/mod.ts";
import { createScheduleStore, createWebhookStore } from "../storage/mod.ts";
import type { Templates } from "../templates/mod.ts";
import { createInbound, createOwnerKeys, createSchedules, createWebhooks, Scheduler } from "../triggers/mod.ts";
import type { Foundation } from "./foundation.ts";
import type { Startup } from "./startup.ts";

/** Builds what starts runs by itself, starts it, and gives its routes. */
export function openTriggers(
  startup: Startup,
  { foundation: { db, guard }, runs, templates, keys, clock, keyRing, limits }: {
    readonly foundation: Foundation;
    readonly runs: Runs;
    readonly templates: Templates;
    readonly keys: ApiKeyManager;
    readonly clock: Clock;
    readonly keyRing: KeyRing;
    readonly limits: HubLimits;
  },
): readonly Route[] {
  startup.step("triggers");
  const log = hubLogger("triggers");
  const store = createScheduleStore(db);
  const owners = createOwnerKeys({ find: (keyId) => keys.findById(keyId), now: clock.now });
  const scheduler = new Scheduler({
    store,
    runs,
    owners,
    clock,
    mayWork: () => guard.isHeld() && !startup.closing.aborted,
    onError: (error) => log.warn("A schedule could not be fired: {error}", { error: String(error) }),
  });
  scheduler.start();
  startup.onStop(() => scheduler.stop());
  const webhooks = createWebhookStore(db);
  const inbound = createInbound({ store: webhooks, runs, owners, keyRing, now: clock.now });
  return [
    ...scheduleRoutes(createSchedules({ store, runs, catalog: templates, now: clock.now })),
    ...webhookRoutes(createWebhooks({ store: webhooks, catalog: templates, keyRing, now: clock.now })),
    hookRoute(inbound, limits),
  ];
}
