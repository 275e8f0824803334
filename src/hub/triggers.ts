import type { ApiKeyManager } from "@alkdev/keypal";
import type { Clock } from "../../engine/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { Runs } from "../runs/mod.ts";
import { type Route, scheduleRoutes } from "../server/mod.ts";
import { createScheduleStore } from "../storage/mod.ts";
import type { Templates } from "../templates/mod.ts";
import { createOwnerKeys, createSchedules, Scheduler } from "../triggers/mod.ts";
import type { Foundation } from "./foundation.ts";
import type { Startup } from "./startup.ts";

/** Builds what starts runs by itself, starts it, and gives its routes. */
export function openTriggers(
  startup: Startup,
  { foundation: { db, guard }, runs, templates, keys, clock }: {
    readonly foundation: Foundation;
    readonly runs: Runs;
    readonly templates: Templates;
    readonly keys: ApiKeyManager;
    readonly clock: Clock;
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
  return [...scheduleRoutes(createSchedules({ store, runs, catalog: templates, now: clock.now }))];
}
