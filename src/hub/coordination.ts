import type { Clock, Engine } from "../../engine/mod.ts";
import {
  Coordination,
  coordinationOperations,
  DEFAULT_TREE_LIMITS,
  spokeWorktrees,
  type WorktreesPort,
} from "../coordination/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { Roles } from "../roles/mod.ts";
import type { Runs } from "../runs/mod.ts";
import { coordinationRoutes, type Route } from "../server/mod.ts";
import type { Sessions } from "../sessions/mod.ts";
import { type AuditLogStore, createCoordinationStore, type Database } from "../storage/mod.ts";
import { uuidV5, uuidV7 } from "../system/ids.ts";
import { openCallGraph } from "./call_graph.ts";
import { coordinatedSessions } from "./coordinated_sessions.ts";
import type { HubOperations } from "./operations.ts";
import type { Startup } from "./startup.ts";

const SWEEP_EVERY_MS = 1_000;
const CREATE = "git.worktreeCreate";

/** What coordination is built from. */
export interface CoordinationParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly operations: Pick<HubOperations, "registry" | "dispatcher" | "pool" | "peers">;
  readonly roles: Pick<Roles, "resolve">;
  readonly sessions: Sessions;
  readonly audit: Pick<AuditLogStore, "append">;
  readonly late: { readonly runs: () => Runs; readonly engine: () => Engine | null };
}

/** Sessions that spawn sessions: the operations `coord.*`, their routes, and what looks after them. */
export function openCoordination(
  parts: CoordinationParts,
): { readonly routes: readonly Route[]; readonly begin: (startup: Startup) => void } {
  const { db, clock, operations: { registry, dispatcher }, roles, sessions, audit, late } = parts;
  const log = hubLogger("coordination");
  const store = createCoordinationStore(db);
  const graph = openCallGraph(late);
  const coordination = new Coordination({
    store,
    graph,
    clock,
    log,
    sessions: coordinatedSessions(sessions),
    roles: {
      async rights({ orgId, role }) {
        return { role, spawn: (await roles.resolve({ orgId, ref: role })).spawn };
      },
    },
    worktrees: worktreesOf(parts.operations),
    audit: {
      async acted({ caller: { orgId, identity, keyId = null }, action, details }) {
        try {
          await audit.append({ action, orgId, ownerId: identity.id, keyId, details });
        } catch (error) {
          // The act is done: what is lost is the note of it.
          const data = { action, error: String(error) };
          hubLogger("audit").error("{action} could not be written to the audit log: {error}", data);
        }
      },
    },
    ids: { fresh: uuidV7, of: uuidV5 },
    limits: DEFAULT_TREE_LIMITS,
  });
  registry.registerAll([...coordinationOperations(coordination, graph)]);
  const edge = {
    store,
    async call({ caller, name, input, signal }: Parameters<Parameters<typeof coordinationRoutes>[0]["call"]>[0]) {
      const { data } = await dispatcher.operations.call({ caller, operationId: `coord.${name}`, input, signal });
      return data;
    },
  };
  return { routes: coordinationRoutes(edge), begin: (startup) => begin(startup, coordination) };
}

/** Looks after what is due, one look at a time. */
function begin(startup: Startup, coordination: Coordination): void {
  const log = hubLogger("coordination");
  let sweeping: Promise<void> = Promise.resolve();
  let isUnderWay = false;
  const timer = setInterval(() => {
    if (isUnderWay) return;
    isUnderWay = true;
    sweeping = coordination.sweep()
      .catch((error: unknown) => log.warn("Spawned sessions were not looked after: {error}", { error: String(error) }))
      .finally(() => isUnderWay = false);
  }, SWEEP_EVERY_MS);
  startup.onStop(() => {
    clearInterval(timer);
    return sweeping;
  });
}

function worktreesOf({ dispatcher, pool, peers }: CoordinationParts["operations"]): WorktreesPort {
  return spokeWorktrees({
    async call({ caller, spoke, operationId, input, signal }) {
      const { data } = await dispatcher.operations.call({
        caller,
        operationId,
        input,
        spoke: { spoke },
        ...(signal !== undefined && { signal }),
      });
      return data;
    },
    spokes({ orgId }) {
      const elsewhere = peers?.presence.spokes(orgId).map(({ spoke }) => spoke) ?? [];
      const names = [...pool.list(orgId), ...elsewhere].flatMap(({ status, labels, operations }) =>
        status === "connected" && labels["spoke"] !== undefined && operations.includes(CREATE) ? [labels["spoke"]] : []
      );
      return [...new Set(names)].sort();
    },
  });
}
