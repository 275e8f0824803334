/**
 * The composition root: with src/hub, the only place where adapters are built and handed to the use cases. Steps run one after
 * the other; a failing one stops the start with its name. Shutdown goes the same way back.
 */
import type { Engine } from "../engine/mod.ts";
import { createKeyAdmin } from "./auth/mod.ts";
import { denoFiles, type HubConfig, readableSecrets, selfSetup } from "./config/mod.ts";
import type { HubDispatcher } from "./dispatch/mod.ts";
import { openBudgets } from "./hub/budgets.ts";
import { openCoordination } from "./hub/coordination.ts";
import { type Driving, openDriving, recover } from "./hub/driving.ts";
import { declaredScopes } from "./hub/declared_scopes.ts";
import { namespaceOwner } from "./hub/namespaces.ts";
import { openFlow } from "./hub/flow.ts";
import { layFoundation, openConfigured } from "./hub/foundation.ts";
import { listen } from "./hub/front_door.ts";
import { openGate } from "./hub/gate.ts";
import { graphs } from "./hub/graphs.ts";
import { DEFAULT_ORG, openKeys } from "./hub/keys.ts";
import { deriveKeys, isLoopback, LOOPBACK_HOSTS, mcpMount } from "./hub/mcp_mount.ts";
import { createMetrics } from "./hub/metrics.ts";
import { openInference } from "./hub/inference.ts";
import { openTokens } from "./hub/oauth.ts";
import { openOrganizations } from "./hub/organizations.ts";
import { openOperations } from "./hub/operations.ts";
import type { Peers } from "./hub/peers.ts";
import { openRetention } from "./hub/retention.ts";
import { openRoles } from "./hub/roles.ts";
import { openSessionChat } from "./hub/session_chat.ts";
import { openSessions } from "./hub/sessions.ts";
import { openSight } from "./hub/sight.ts";
import { spokesPort } from "./hub/spokes_port.ts";
import { Startup } from "./hub/startup.ts";
import { readViewer } from "./hub/viewer.ts";
import { openTasks } from "./hub/tasks.ts";
import { openTriggers } from "./hub/triggers.ts";
import { versionsOf } from "./hub/versions.ts";
import { hubLogger } from "./logger/mod.ts";
import { createMcp } from "./mcp/mod.ts";
import { RunFeed, type Runs } from "./runs/mod.ts";
import { auditRoute, ClientAddresses, createApp, flowRoutes, oauthRoutes, viewerRoutes } from "./server/mod.ts";
import { migrate } from "./storage/mod.ts";
import { createSystemClock } from "./system/clock.ts";

export { createKeyOffline } from "./hub/offline_key.ts";

export const VERSION = "0.1.0";

export interface HubOptions {
  readonly config: HubConfig;
  /** How long calls under way may take at a stop. Default 10,000; 2,000 where another hub takes the runs up. */
  readonly graceMs?: number;
  /** Told when the hub can no longer go on: another process has taken its lease. */
  readonly onFenced?: (error: unknown) => void;
}

export interface Hub {
  readonly url: string;
  readonly hubId: string;
  /** Where the administrator's key is. */
  readonly adminKeyPath: string;
  /** True on the first start, which made the key. */
  readonly isNew: boolean;
  /** Drains and closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a hub; resolves when it is ready to be used. @throws what the failing step threw, after everything opened is closed */
export async function startHub(options: HubOptions): Promise<Hub> {
  const log = hubLogger("main");
  const startup = new Startup(log);
  try {
    for (const warning of options.config.warnings) log.warn(warning);
    return await start(startup, options);
  } catch (error) {
    log.error("The hub cannot start at step {step}: {error}", { step: startup.readiness.step, error: String(error) });
    await startup.stop();
    throw error;
  }
}

async function start(startup: Startup, { config, graceMs, onFenced: tellFenced }: HubOptions): Promise<Hub> {
  startup.step("secrets");
  const { keyRing } = await selfSetup(config, denoFiles);
  for (const { path, mode } of await readableSecrets(config)) {
    hubLogger("main").warn("Others can read {path}: its mode is {mode}. Run `chmod 600 {path}`", { path, mode });
  }
  startup.step("listen");
  const door = listen(config, startup);
  const { url } = door;
  const onFenced = (error: unknown): void => {
    if (!startup.fail("fenced")) return;
    const message = "This hub has lost its lease to another process and stops driving: {error}";
    hubLogger("main").error(message, { error: String(error) });
    tellFenced?.(error);
  };
  // Built in this order, used in a ring: sockets call operations, which call spokes; peers ask the engine.
  const late: {
    runs: Runs | null;
    engine: Engine | null;
    peers: Peers | null;
    dispatcher: HubDispatcher | null;
    driving: Driving | null;
  } = { runs: null, engine: null, peers: null, dispatcher: null, driving: null };
  const foundation = await layFoundation(startup, { config, url, peers: () => late.peers, onFenced });
  startup.step("keys");
  const { keys, auth, audit, adminKeyPath, isNew } = await openKeys(foundation.db, config.dataDir);
  const addresses = new ClientAddresses(config.trustedProxies);
  const gate = openGate({ db: foundation.db, audit, addresses });
  startup.step("operations");
  const clock = createSystemClock();
  const feed = new RunFeed();
  const runsOf = (): Runs => late.runs!; // no socket is accepted before the last step
  const sight = await openSight(startup, {
    db: foundation.db,
    clock,
    engine: () => late.engine,
    hubId: foundation.hubId,
    version: VERSION,
  });
  const budgets = openBudgets(startup, {
    db: foundation.db,
    clock,
    late: { engine: () => late.engine, dispatcher: () => late.dispatcher },
  });
  const operations = await openOperations(startup, {
    config,
    foundation,
    clock,
    feed,
    keyRing,
    gate,
    observer: sight.observer,
    usage: budgets.calls,
    late: { runs: runsOf, engine: () => late.engine },
  });
  const { dispatcher, pool, peers, socketKeys } = operations;
  late.peers = peers;
  late.dispatcher = dispatcher;
  const roles = openRoles({ db: foundation.db, clock, keys, auth, audit, operations });
  const tasks = openTasks({ db: foundation.db, clock, audit, operations, late: { runs: runsOf } });
  const inference = openInference(startup, {
    db: foundation.db,
    clock,
    operations,
    budgets,
    late: {
      runs: runsOf,
      engine: () => late.engine,
      async turnRun(key) {
        const session = await sessions.store.get(key);
        return session?.kind === "runner" && session.turnId !== null ? session.runId : null;
      },
    },
  });
  const sessions = openSessions({
    db: foundation.db,
    clock,
    operations,
    budgets,
    roles: roles.roles,
    inference: inference.inference,
    late: {
      runs: runsOf,
      engine: () => late.engine,
      calls: () => late.driving!.calls, // no run is driven, and so no turn, before it is there
      workflows: () => late.driving!.templates,
    },
  });
  const coordination = openCoordination({
    db: foundation.db,
    clock,
    operations,
    roles: roles.roles,
    sessions: sessions.sessions,
    audit,
    late: { runs: runsOf, engine: () => late.engine },
  });
  const flow = await openFlow(startup, { foundation, clock, pool });
  const parts = { config, foundation, operations, sight, budgets, flow, sessions, clock, feed, onFenced, graceMs };
  const driving = await openDriving(startup, parts);
  const { templates, engine, runs, log, plans, control } = driving;
  late.engine = engine;
  late.runs = runs;
  late.driving = driving;
  await recover(startup, parts, driving);
  await sessions.begin(startup);
  coordination.begin(startup);
  const retention = openRetention(startup, { config, foundation, clock, engine, log, plans });

  const triggers = await openTriggers(startup, {
    foundation,
    runs,
    feed,
    egress: operations.egress,
    templates,
    clock,
    keyRing,
    limits: config.limits,
  });

  startup.step("server");
  const mcp = createMcp({
    runs,
    workflows: templates,
    operations: dispatcher.operations,
    prompts: roles.prompts,
    version: VERSION,
    limits: config.limits,
    stateKeys: await deriveKeys("mcp-state", keyRing),
    allowedHosts: isLoopback(config.host) ? LOOPBACK_HOSTS : null,
    onStart: (principal) => gate.admit(principal, "starts"),
    onRefused: (refusal) => gate.refused({ ...refusal, route: "/mcp" }),
    log: hubLogger("mcp"),
  });
  startup.onStop(() => mcp.close());
  const oauth = config.oauth === null
    ? null
    : { issuer: config.oauth.issuer, originOf: (request: Request) => addresses.originOf(request) };
  const app = createApp({
    auth: openTokens({ config, auth, keys, egress: operations.egress, isSuspended: roles.isSuspended }),
    ...(oauth !== null && { oauth }),
    runs,
    workflows: templates,
    versions: versionsOf(foundation.db, templates),
    operations: dispatcher.operations,
    spokes: spokesPort(pool, peers),
    keys: createKeyAdmin({
      keys,
      audit,
      auth,
      declaredScopes: (orgId) => declaredScopes(dispatcher.list(orgId)),
    }),
    graphs,
    acceptSocket: (socket, principal, request) => {
      socketKeys.watch(socket, principal.keyId);
      pool.accept(socket, { ...principal, address: addresses.of(request) });
    },
    gate,
    watchKey: (keyId, onRevoked) => socketKeys.watchKey(keyId, onRevoked),
    readiness: () => startup.readiness,
    onAnswered: (request) => sight.meter.answered(request),
    onStream: sight.onStream,
    estimator: sight.estimator,
    metrics: createMetrics({ engine, pool, peers, sight }),
    hubOrgId: DEFAULT_ORG,
    version: VERSION,
    limits: config.limits,
    http: config.http,
    onAccess: (record) => hubLogger("access").info("{method} {path} {status}", { ...record }),
    log: hubLogger("server"),
    closing: startup.closing,
  }, {
    mounts: [mcpMount(mcp)],
    routes: [
      ...viewerRoutes(await readViewer()),
      ...sight.routes({ log: hubLogger("server"), closing: startup.closing }),
      ...triggers,
      ...budgets.routes,
      ...inference.routes,
      ...retention.routes,
      ...control,
      ...operations.clients.routes({ takenBy: namespaceOwner(operations) }),
      ...flowRoutes(flow.flow),
      auditRoute(audit),
      ...openOrganizations(foundation.db, keys),
      ...roles.routes,
      ...sessions.routes,
      ...openSessionChat(startup, {
        sessions,
        runs,
        clock,
        peers,
        deps: { log: hubLogger("server"), closing: startup.closing, onStream: sight.onStream },
      }),
      ...coordination.routes,
      ...tasks.routes,
      ...(oauth === null ? [] : oauthRoutes(oauth)),
    ],
  });
  door.open((request, remote) => {
    addresses.note(request, remote);
    return app.fetch(request);
  });
  await writeHubFile(config.dataDir, url);
  startup.onStop(() => Deno.remove(`${config.dataDir}/hub.json`).catch(() => {}));
  startup.done();
  return { url, hubId: foundation.hubId, adminKeyPath, isNew, stop: () => startup.stop() };
}

async function writeHubFile(dataDir: string, url: string): Promise<void> {
  const path = `${dataDir}/hub.json`;
  await Deno.writeTextFile(`${path}.new`, JSON.stringify({ url, pid: Deno.pid, version: VERSION }) + "\n");
  await Deno.rename(`${path}.new`, path);
}

/** Brings the database's schema up to date without serving; gives the names of what was applied. */
export async function migrateHub({ config }: { readonly config: HubConfig }): Promise<readonly string[]> {
  await selfSetup(config, denoFiles);
  const db = await openConfigured(config);
  try {
    return await migrate(db);
  } finally {
    await db.close();
  }
}
