import { CallError, hasScope, hasScopeFor, OperationRegistry } from "@alkdev/operations";
import type { Clock, Engine, RunEvent } from "../../engine/mod.ts";
import { workflowOperations } from "../../workflows/operations/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import type { KeyRing } from "../crypto/mod.ts";
import { type CallObserver, createDispatcher, type HubDispatcher, type UsageHost } from "../dispatch/mod.ts";
import { createEgress, type Egress } from "../egress/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { RunFeed, Runs } from "../runs/mod.ts";
import type { Gate } from "../server/mod.ts";
import { createRunnerPool, type RunnerPool } from "../spokes/mod.ts";
import { createSpokeStore, findStandingKey } from "../storage/mod.ts";
import { clientsBefore, type HubClients, openClients } from "./clients.ts";
import type { Foundation } from "./foundation.ts";
import { createPeers, type Peers } from "./peers.ts";
import { SocketKeys } from "./socket_keys.ts";
import type { Startup } from "./startup.ts";

/** What can be called, and where: here, on this hub's spokes, on those of other hubs. */
export interface HubOperations {
  readonly dispatcher: HubDispatcher;
  readonly pool: RunnerPool;
  readonly peers: Peers | null;
  readonly socketKeys: SocketKeys;
  readonly egress: Egress;
  readonly clients: HubClients;
  /** For operations that are built after it. */
  readonly registry: OperationRegistry;
}

/** Builds the operations' side. `late` gives what is built after it: it is asked for with the first socket and call. */
export async function openOperations(
  startup: Startup,
  params: {
    readonly config: HubConfig;
    readonly foundation: Foundation;
    readonly clock: Clock;
    readonly feed: RunFeed;
    readonly keyRing: KeyRing;
    readonly gate: Pick<Gate, "admit" | "refused">;
    readonly observer: CallObserver;
    readonly usage: UsageHost;
    readonly late: { readonly runs: () => Runs; readonly engine: () => Engine | null };
  },
): Promise<HubOperations> {
  const { config, foundation, clock, feed, keyRing, late, observer, usage, gate } = params;
  const { hubId, db, bus, peerStore, lease, guard } = foundation;
  const egress = createEgress({ clock, ...config.egress });
  startup.onStop(() => egress.close());
  const registry = new OperationRegistry();
  registry.registerAll([...workflowOperations]);
  const clients = await openClients(startup, { config, foundation, clock, keyRing, egress, observer });
  let peers: Peers | null = null;
  const pool = createRunnerPool({
    hubId,
    clock,
    store: createSpokeStore(db),
    calls: {
      admit: (principal) => gate.admit(principal, "requests"),
      refused: ({ principal, operationId, code }) =>
        gate.refused({
          request: { method: "GET", address: principal.address },
          route: "/ws",
          asked: operationId,
          principal: { ...principal, keyName: null },
          code,
        }),
      spec: (caller, id) => dispatcher.operations.spec(caller, id),
      call: (request) => dispatcher.operations.call(request),
      stream: (request) => dispatcher.operations.stream(request),
    },
    runEvents: { watch: (request) => watchSeen(late.runs(), request) },
    observer,
    log: hubLogger("spokes"),
    failsLost: bus !== null,
    isLeaving: () => late.engine()?.stopped ?? false,
    mayCall: () => guard.isHeld(),
    onChange: () => peers?.poolChanged(),
  });
  peers = bus && createPeers({
    bus,
    clock,
    epoch: lease.epoch,
    pool,
    store: peerStore,
    feed,
    engine: late.engine,
    isHeld: () => guard.isHeld(),
    log: hubLogger("peers"),
  });
  const dispatcher = createDispatcher({
    registry,
    pool: clientsBefore(clients.pool, peers?.operations ?? pool),
    clock,
    httpHosts: config.httpHosts,
    egress,
    observer,
    usage,
  });
  guard.onRegained(() => pool.resend());
  await pool.restore();
  startup.onStop(() => pool.close());
  const socketKeys = new SocketKeys({ findById: (id) => findStandingKey(db, id) }, (keyId) => pool.revoke(keyId));
  startup.onStop(() => socketKeys.close());
  return { dispatcher, pool, peers, socketKeys, egress, clients, registry };
}

/** Events of a run; one of a workflow that the caller's scopes do not name does not exist. */
async function* watchSeen(
  runs: Runs,
  request: Parameters<Runs["watch"]>[0],
): AsyncGenerator<RunEvent, void, undefined> {
  const { caller, runId } = request;
  const { scopes } = caller.identity;
  if (!hasScope(scopes, "run:read")) {
    const { workflow } = await runs.get({ caller, runId });
    if (!hasScopeFor(scopes, "run:read", workflow)) {
      throw new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
    }
  }
  yield* runs.watch(request);
}
