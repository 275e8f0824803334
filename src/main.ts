/**
 * The composition root: the only place where adapters are built and handed to the use cases. Steps run one after the other; a
 * failing one stops the start with its name. Shutdown goes the same way back.
 */
import { createKeys } from "@alkdev/keypal";
import { OperationRegistry } from "@alkdev/operations";
import { Engine, type FencedError, type FunctionSource } from "../engine/mod.ts";
import { workflowOperations } from "../workflows/operations/mod.ts";
import { createAuth, createKeyAdmin, ensureAdminKey } from "./auth/mod.ts";
import { denoFiles, type HubConfig, selfSetup } from "./config/mod.ts";
import { type CallObserver, createDispatcher } from "./dispatch/mod.ts";
import { graphs } from "./hub/graphs.ts";
import { hubIdOf } from "./hub/hub_id.ts";
import { LeaseGuard } from "./hub/lease_guard.ts";
import { LeaseKeeper } from "./hub/lease_keeper.ts";
import { deriveKey, isLoopback, LOOPBACK_HOSTS, mcpMount } from "./hub/mcp_mount.ts";
import { createMetrics } from "./hub/metrics.ts";
import { openBus } from "./hub/open_bus.ts";
import { createPeers, type Peers } from "./hub/peers.ts";
import { SocketKeys } from "./hub/socket_keys.ts";
import { spokesPort } from "./hub/spokes_port.ts";
import { hubLogger } from "./logger/mod.ts";
import { createMcp } from "./mcp/mod.ts";
import { createRuns, RunFeed, withChildRuns } from "./runs/mod.ts";
import { createApp, type Readiness } from "./server/mod.ts";
import { createRunnerPool } from "./spokes/mod.ts";
import {
  acquireLease,
  createAuditLog,
  createEventLog,
  createKeyStorage,
  createPeerStore,
  createPlanStore,
  createRunStore,
  createSpokeStore,
  createWorkflowStore,
  migrate,
  openDatabase,
} from "./storage/mod.ts";
import { createSystemClock } from "./system/clock.ts";
import { createIds } from "./system/ids.ts";
import { createTemplates } from "./templates/mod.ts";

export const VERSION = "0.1.0";

const LEASE_TTL_MS = 6_000;
const RENEW_EVERY_MS = 1_500;
const CLAIM_EVERY_MS = 2_000;
const DEFAULT_GRACE_MS = 10_000;
/** Shorter where another hub takes the runs up: calls on spokes are found again, others run again. */
const HANDOVER_GRACE_MS = 2_000;
/** The tenant of a hub that has set itself up. */
const DEFAULT_ORG = "default";

export interface HubOptions {
  readonly config: HubConfig;
  /** How long calls under way may take at a stop. Default 10,000. */
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
  const { config } = options;
  const log = hubLogger("main");
  const undo: (() => unknown)[] = [];
  const readiness = { ready: false, step: "config" };
  const step = (name: string) => {
    readiness.step = name;
    log.debug("Start-up step {step}", { step: name });
  };
  const closing = new AbortController();
  let handler = (request: Request): Response | Promise<Response> => starting(request, readiness);
  let stopping: Promise<void> | null = null;
  let peers: Peers | null = null;
  /** Null until it is built. */
  let driving: Engine | null = null;
  const stop = (): Promise<void> =>
    stopping ??= (async () => {
      readiness.ready = false;
      readiness.step = "stopping";
      handler = (request) => starting(request, readiness);
      closing.abort();
      for (const close of undo.reverse()) {
        try {
          await close();
        } catch (error) {
          log.warn("A part did not close: {error}", { error: String(error) });
        }
      }
    })();

  try {
    for (const warning of config.warnings) log.warn(warning);
    step("secrets");
    const { keyRing } = await selfSetup(config, denoFiles);

    step("listen");
    const server = Deno.serve(
      {
        hostname: config.host,
        port: config.port,
        onListen: () => {},
        onError: () => new Response(null, { status: 500 }),
      },
      (request) => handler(request),
    );
    undo.push(() => server.shutdown());
    const url = `http://${
      server.addr.hostname.includes(":") ? `[${server.addr.hostname}]` : server.addr.hostname
    }:${server.addr.port}`;

    step("database");
    const db = await openDatabase(
      config.databaseUrl === null ? { dataDir: config.dataDir } : { url: config.databaseUrl },
    );
    undo.push(() => db.close());
    step("migrations");
    await migrate(db);

    step("bus");
    const hubId = await hubIdOf(config.dataDir);
    const peerStore = createPeerStore(db);
    const bus = await openBus({ config, hubId, deployment: () => peerStore.deployment(), log: hubLogger("redis") });
    // Closed after the lease is given up: the others then take this hub's runs up at once.
    undo.push(() => peers === null ? bus?.close() : peers.leave());

    step("lease");
    const fenced = (error: unknown): void => {
      if (stopping !== null) return;
      log.error("This hub has lost its lease to another process and stops driving: {error}", { error: String(error) });
      readiness.ready = false;
      readiness.step = "fenced";
      options.onFenced?.(error);
    };
    const acquiredAt = Date.now();
    const lease = await acquireLease(db, { hubId, ttlMs: LEASE_TTL_MS, url });
    undo.push(() => lease.release());
    const guard = new LeaseGuard({
      lease,
      ttlMs: LEASE_TTL_MS,
      acquiredAt,
      now: Date.now,
      onFenced: (error) => fenced(error),
    });
    undo.push(() => guard.stop());

    step("keys");
    const audit = createAuditLog(db);
    const keys = createKeys({ prefix: "alk_", storage: createKeyStorage(db) });
    const auth = createAuth({ keys });
    const adminKeyPath = `${config.dataDir}/admin.key`;
    const isNew = await ensureAdminKey({
      keys,
      ownerId: "admin",
      orgId: DEFAULT_ORG,
      file: {
        read: () => denoFiles.readText(adminKeyPath),
        create: (text) => denoFiles.createSecret(adminKeyPath, text),
      },
    });

    step("operations");
    const clock = createSystemClock();
    const feed = new RunFeed();
    const registry = new OperationRegistry();
    registry.registerAll([...workflowOperations]);
    const callLog = hubLogger("calls");
    const observer: CallObserver = {
      progress: ({ runId, nodeKey }, value) => callLog.debug("Progress of {nodeKey}", { runId, nodeKey, value }),
      log: ({ runId, nodeKey }, level, message, data) =>
        callLog[level === "warn" ? "warning" : level](message, { runId, nodeKey, data }),
    };
    const pool = createRunnerPool({
      hubId,
      clock,
      store: createSpokeStore(db),
      calls: {
        spec: (caller, id) => dispatcher.operations.spec(caller, id),
        call: (params) => dispatcher.operations.call(params),
        stream: (params) => dispatcher.operations.stream(params),
      },
      runEvents: { watch: (params) => runs.watch(params) },
      observer,
      log: hubLogger("spokes"),
      failsLost: bus !== null,
      isLeaving: () => driving?.stopped ?? false,
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
      engine: () => driving,
      isHeld: () => guard.isHeld(),
      log: hubLogger("peers"),
    });
    const dispatcher = createDispatcher({
      registry,
      pool: peers?.operations ?? pool,
      clock,
      httpHosts: config.httpHosts,
      observer,
    });
    guard.onRegained(() => pool.resend());
    await pool.restore();
    undo.push(() => pool.close());
    const socketKeys = new SocketKeys(keys, (keyId) => pool.revoke(keyId));
    undo.push(() => socketKeys.close());

    step("templates");
    const templatesLog = hubLogger("templates");
    const templates = createTemplates({
      directories: [new URL("../workflows", import.meta.url).pathname, ...config.workflows],
      store: createWorkflowStore(db),
      operations: dispatcher,
      watch: true,
      log: (level, message, data) => templatesLog[level](message, { ...data }),
    });
    await templates.load();
    undo.push(() => templates.close());

    step("engine");
    const eventLog = createEventLog(db, lease);
    undo.push(() => eventLog.close());
    const plans = createPlanStore(db);
    const functions: FunctionSource = {
      async functions(name, version, input) {
        const found = await templates.get({ orgId: DEFAULT_ORG, name, version });
        if (found === null) {
          throw new Error(`Cannot find version "${version}" of workflow "${name}", which has functions`);
        }
        return found.plan(input).functions;
      },
    };
    const engine: Engine = new Engine({
      log: eventLog,
      plans,
      functions,
      dispatcher: guard.guard(withChildRuns(dispatcher, {
        engine: () => engine,
        catalog: templates,
        log: eventLog,
        feed,
        ...(peers !== null && { owners: peers.owners }),
      })),
      clock,
      ids: createIds(),
      random: Math.random,
      limits: { value: { maxBytes: config.limits.inputBytes, maxDepth: config.limits.jsonDepth } },
      onCommitted: (events) => {
        feed.publish(events);
        peers?.committed(events);
      },
      onFenced: (error: FencedError) => fenced(error),
      onTrouble: (error) =>
        error === null
          ? log.info("The database takes commits again")
          : log.warn("A commit failed and is sent again: {error}", { error: String(error) }),
    });
    driving = engine;
    undo.push(() => engine.stop(options.graceMs ?? graceOf(peers)));
    const runs = createRuns({
      engine,
      log: eventLog,
      plans,
      functions,
      store: createRunStore(db),
      catalog: templates,
      feed,
      ...(peers !== null && { owners: peers.owners }),
    });

    step("recovery");
    const keeper = new LeaseKeeper({
      lease,
      guard,
      engine,
      renewEveryMs: RENEW_EVERY_MS,
      claimEveryMs: CLAIM_EVERY_MS,
      onFenced: fenced,
      onError: (message, error) => log.warn(`${message}: {error}`, { error: String(error) }),
    });
    await peers?.join();
    peers?.onGone(() => keeper.claim().catch(() => {}));
    const adopted = await keeper.claim();
    if (adopted > 0) log.info("Took up {adopted} runs", { adopted });
    keeper.start();
    undo.push(() => keeper.stop());

    step("server");
    const mcp = createMcp({
      runs,
      workflows: templates,
      operations: dispatcher.operations,
      version: VERSION,
      limits: config.limits,
      stateKey: await deriveKey("mcp-state", keyRing.current.key),
      allowedHosts: isLoopback(config.host) ? LOOPBACK_HOSTS : null,
      log: hubLogger("mcp"),
    });
    undo.push(() => mcp.close());
    const app = createApp({
      auth,
      runs,
      workflows: templates,
      operations: dispatcher.operations,
      spokes: spokesPort(pool, peers),
      keys: createKeyAdmin({ keys, audit, auth }),
      graphs,
      acceptSocket: (socket, principal) => {
        socketKeys.watch(socket, principal.keyId);
        pool.accept(socket, principal);
      },
      readiness: () => readiness,
      metrics: createMetrics({ engine, pool, peers }),
      version: VERSION,
      limits: config.limits,
      log: hubLogger("server"),
      closing: closing.signal,
    }, { mounts: [mcpMount(mcp)] });
    handler = (request) => app.fetch(request);
    await writeHubFile(config.dataDir, url);
    undo.push(() => Deno.remove(`${config.dataDir}/hub.json`).catch(() => {}));
    readiness.ready = true;
    readiness.step = "ready";
    return { url, hubId, adminKeyPath, isNew, stop };
  } catch (error) {
    log.error("The hub cannot start at step {step}: {error}", { step: readiness.step, error: String(error) });
    await stop();
    throw error;
  }
}

function graceOf(peers: Peers | null): number {
  return peers !== null && peers.stats().hubs > 0 ? HANDOVER_GRACE_MS : DEFAULT_GRACE_MS;
}

/** While the hub starts, only its state can be asked for. */
function starting(request: Request, readiness: Readiness): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/health") return Response.json({ status: "starting", step: readiness.step });
  if (pathname === "/ready") return Response.json({ ready: false, step: readiness.step }, { status: 503 });
  return new Response(
    JSON.stringify({
      type: "about:blank",
      code: "OVERLOADED",
      title: "Not ready",
      detail: `The hub is not ready: it is at step "${readiness.step}"`,
      status: 503,
    }),
    { status: 503, headers: { "content-type": "application/problem+json", "retry-after": "1" } },
  );
}

async function writeHubFile(dataDir: string, url: string): Promise<void> {
  const path = `${dataDir}/hub.json`;
  await Deno.writeTextFile(`${path}.new`, JSON.stringify({ url, pid: Deno.pid, version: VERSION }) + "\n");
  await Deno.rename(`${path}.new`, path);
}

/** Brings the database's schema up to date without serving; gives the names of what was applied. */
export async function migrateHub({ config }: { readonly config: HubConfig }): Promise<readonly string[]> {
  await selfSetup(config, denoFiles);
  const db = await openDatabase(
    config.databaseUrl === null ? { dataDir: config.dataDir } : { url: config.databaseUrl },
  );
  try {
    return await migrate(db);
  } finally {
    await db.close();
  }
}
