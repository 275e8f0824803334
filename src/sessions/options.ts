import type { Clock, Ids } from "../../engine/mod.ts";
import type {
  CallPlaces,
  ModelCalls,
  SessionFeed,
  SessionLedger,
  SessionLog,
  SessionOwners,
  SessionRoles,
  SessionStore,
  ToolCatalog,
  TurnRuns,
} from "./ports.ts";

/** What the use cases of sessions work with. */
export interface SessionsOptions {
  readonly store: SessionStore;
  readonly feed: SessionFeed;
  readonly roles: SessionRoles;
  readonly owners: SessionOwners;
  readonly models: ModelCalls;
  readonly tools: ToolCatalog;
  readonly runs: TurnRuns;
  readonly ledger: SessionLedger;
  readonly places: CallPlaces;
  readonly clock: Clock;
  readonly ids: Pick<Ids, "runId">;
  readonly log: SessionLog;
}
