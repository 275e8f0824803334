import type { Clock, Engine, EventLog, PlanStore } from "../../engine/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import { applyPolicies, createArchiveFolder, createRetention, PruneWorker, type Retention } from "../retention/mod.ts";
import { retentionRoutes, type Route } from "../server/mod.ts";
import { createPruneJobs, createRunPruner, createRunStore } from "../storage/mod.ts";
import { contentHash } from "../templates/mod.ts";
import type { Foundation } from "./foundation.ts";
import type { Startup } from "./startup.ts";

/** How often somebody looks whether there is something to do. */
const LOOK_EVERY_MS = 15_000;
/** Events that wait for the database beyond which a hub has better things to do. */
const BUSY_BACKLOG = 500;

/** Builds what keeps, brings back and does away with runs, and starts it. */
export function openRetention(
  startup: Startup,
  params: {
    readonly config: HubConfig;
    readonly foundation: Foundation;
    readonly clock: Clock;
    readonly engine: Engine;
    readonly log: EventLog;
    readonly plans: PlanStore;
  },
): { readonly retention: Retention; readonly routes: readonly Route[] } {
  const { config, foundation: { db, hubId, lease }, clock, engine, log, plans } = params;
  const trouble = hubLogger("retention");
  const jobs = createPruneJobs(db);
  const pruner = createRunPruner(db, { hubId });
  const exports = { log, plans, store: createRunStore(db) };
  const worker = new PruneWorker({
    jobs,
    pruner,
    archive: createArchiveFolder(`${config.dataDir}/archive`),
    exports,
    clock,
    name: `${hubId.slice(0, 8)}-${lease.epoch}`,
    isBusy: () => engine.stats().backlog > BUSY_BACKLOG,
    log: trouble,
  });
  const look = async (): Promise<void> => {
    try {
      await applyPolicies(jobs, config.retention, clock.now());
      await worker.work();
    } catch (error) {
      trouble.warn("Retention could not be looked at, and will be again: {error}", { error: String(error) });
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  startup.onStop(() => {
    clearInterval(timer);
    return worker.stop();
  });
  void look();
  const retention = createRetention({
    exports,
    imports: { log, plans, forget: (ids) => pruner.forget(ids), hashOf: contentHash },
    jobs,
    pruner,
    wake: () => void worker.work(),
  });
  return { retention, routes: retentionRoutes(retention) };
}
