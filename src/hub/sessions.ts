import type { Clock, Dispatcher, Engine, RunEvent } from "../../engine/mod.ts";
import { callOf } from "../dispatch/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { Inference } from "../inference/mod.ts";
import type { Roles } from "../roles/mod.ts";
import type { Runs, WorkflowCatalog } from "../runs/mod.ts";
import { type Route, sessionRoutes } from "../server/mod.ts";
import {
  type CallPlaces,
  LiveFeed,
  runnerOperations,
  RunnerTurns,
  SESSION_LABEL,
  sessionOperations,
  type SessionOwners,
  Sessions,
  type SessionsOptions,
  type SessionStore,
  TURN_LABEL,
} from "../sessions/mod.ts";
import { createSessionStore, type Database, findStandingKey } from "../storage/mod.ts";
import { createIds } from "../system/ids.ts";
import { createOwnerKeys } from "../triggers/mod.ts";
import type { Budgets } from "./budgets.ts";
import type { HubOperations } from "./operations.ts";
import { callsOfModels, modelCalls } from "./session_models.ts";
import { toolCatalog } from "./session_tools.ts";
import { turnRuns } from "./session_runs.ts";
import type { Startup } from "./startup.ts";

/** How often turns are looked for that a crash has left. */
const SWEEP_EVERY_MS = 5_000;

export interface SessionParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly operations: HubOperations;
  readonly budgets: Budgets;
  readonly roles: Pick<Roles, "resolve">;
  readonly inference: Inference;
  readonly late: SessionLate;
}

/** What is built after sessions: asked for with the first call. */
export interface SessionLate {
  readonly runs: () => Runs;
  readonly engine: () => Engine | null;
  /** Carries calls out, also those of workflows as child runs. */
  readonly calls: () => Dispatcher;
  readonly workflows: () => WorkflowCatalog;
}

/** Agent sessions, for other rooms too. */
export interface HubSessions {
  readonly sessions: Sessions;
  readonly store: SessionStore;
  readonly feed: LiveFeed;
  readonly places: CallPlaces;
  readonly routes: readonly Route[];
  /** Told what has become durable. */
  readonly committed: (events: readonly RunEvent[]) => void;
  /** Looks after turns from now on. */
  readonly begin: (startup: Startup) => Promise<void>;
}

/** Agent sessions with their operations and routes. */
export function openSessions(parts: SessionParts): HubSessions {
  const { db, clock, operations, budgets, roles, inference, late } = parts;
  const log = hubLogger("sessions");
  const store = createSessionStore(db);
  const feed = new LiveFeed();
  const places = callPlaces(late);
  const ids = createIds();
  const options: SessionsOptions = {
    store,
    feed,
    roles,
    owners: sessionOwners(parts),
    models: modelCalls({ inference, runs: late.runs }),
    tools: toolCatalog({ operations, late }),
    runs: turnRuns(late.runs, log),
    ledger: {
      async limit({ orgId, sessionId: id, tokens, costMicros }) {
        await budgets.ledger.setLimits({ orgId, kind: "session", id, limits: { tokens, costMicros } });
      },
    },
    places,
    clock,
    ids,
    log,
  };
  const sessions = new Sessions(options);
  const runners = new RunnerTurns({
    ...options,
    keeper: sessions.keeper,
    calls: callsOfModels(late.runs),
    idOf: (turnId, name) => ids.requestId(turnId, name, 1),
  });
  operations.registry.registerAll([
    ...sessionOperations({ sessions, places }),
    ...runnerOperations({ turns: runners, places }),
  ]);
  return {
    sessions,
    store,
    feed,
    places,
    routes: sessionRoutes(sessions),
    committed: (events) =>
      sessions.keeper.committed(events, (runId) => {
        const created = late.engine()?.live(runId)?.state.created;
        const turnId = created?.labels[TURN_LABEL];
        return turnId === undefined || created == null ? null : { orgId: created.caller.orgId, turnId };
      }),
    begin: (startup) => begin(startup, sessions),
  };
}

async function begin(startup: Startup, { keeper }: Sessions): Promise<void> {
  const log = hubLogger("sessions");
  const sweep = async (): Promise<void> => {
    try {
      const changed = await keeper.sweep();
      if (changed > 0) log.info("Looked after {changed} turns that a crash had left", { changed });
    } catch (error) {
      log.warn("Turns of sessions were not looked after: {error}", { error: String(error) });
    }
  };
  let sweeping = sweep();
  await sweeping;
  const timer = setInterval(() => sweeping = sweeping.then(sweep), SWEEP_EVERY_MS);
  startup.onStop(() => {
    clearInterval(timer);
    return sweeping;
  });
}

/** A key that was revoked or narrowed since holds for the session as well. */
function sessionOwners({ db, clock }: Pick<SessionParts, "db" | "clock">): SessionOwners {
  const keys = createOwnerKeys({ find: (keyId) => findStandingKey(db, keyId), now: clock.now });
  return {
    standing({ owner: { keyId, identity }, orgId }) {
      if (keyId === null) return Promise.resolve({ ok: true, caller: { orgId, identity } });
      return keys.standing({ owner: { keyId, identity }, orgId });
    },
  };
}

function callPlaces({ runs, engine }: SessionLate): CallPlaces {
  return {
    async place(context) {
      const call = callOf(context);
      if (call === null) throw new Error("Sessions can be used through the dispatcher only");
      const { runId, requestId, nodeKey, identity, orgId, keyId } = call;
      const caller = { identity, orgId, ...(keyId !== undefined && { keyId }) };
      if (runId === "") return { caller, at: null, nodeKey, labels: {} };
      const live = engine()?.live(runId)?.state.created ?? null;
      const created = live ?? (await runs().events({ caller, runId, limit: 1 }))[0];
      if (created?.type !== "run.created") return { caller, at: null, nodeKey, labels: {} };
      const rootRunId = created.parent?.rootRunId ?? runId;
      return { caller, at: { runId, requestId, rootRunId }, nodeKey, labels: created.labels };
    },
  };
}

/** Labels of a turn's run, which no other run can have. */
export function turnLabels(sessionId: string, turnId: string): Readonly<Record<string, string>> {
  return { [SESSION_LABEL]: sessionId, [TURN_LABEL]: turnId };
}
