/** Hand-made ports for tests of the edge. */
import { Type } from "@alkdev/typebox";
import { CallError, localEnvelope, type OperationSpec } from "@alkdev/operations";
import type { IssuedKey, Principal } from "../auth/mod.ts";
import type { Caller, RunEvent, RunGraph, Runs, RunView, StartRun, WorkflowVersion } from "../runs/mod.ts";
import { type App, type AppExtensions, createApp } from "./app.ts";
import type { ServerDeps, SpokeView } from "./ports.ts";

/** The fakes' memory: tests read and set it. */
export interface FakeWorld {
  readonly app: App;
  readonly started: StartRun[];
  readonly logged: Record<string, unknown>[];
  readonly sockets: { readonly socket: WebSocket; readonly principal: Principal }[];
  /** Whom `authenticate` finds, by key. */
  readonly principals: Map<string, Principal>;
  readonly watches: { after: number | undefined; stopped: boolean }[];
  waitEnds: boolean;
  ready: boolean;
  events: RunEvent[];
}

type Memory = Omit<FakeWorld, "app">;

/** A call of an app with a key that may do everything. */
export function authorized(init: RequestInit = {}): RequestInit {
  const headers = new Headers(init.headers);
  headers.set("authorization", "Bearer all");
  if (init.body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
  return { ...init, headers };
}

export function principalOf(scopes: readonly string[]): Principal {
  return { identity: { id: "ada", scopes }, orgId: "o1", keyId: "k1", keyName: "test" };
}

export function event(seq: number, type: "run.paused" | "run.completed"): RunEvent {
  const head = { runId: "r1", seq, at: seq };
  return type === "run.paused"
    ? { ...head, type, by: "ada" }
    : { ...head, type, output: { value: 1 }, counts: { total: 1, completed: 1, failed: 0, aborted: 0, skipped: 0 } };
}

export function runView(change: Partial<RunView> = {}): RunView {
  return {
    id: "r1",
    orgId: "o1",
    workflow: "w",
    version: "v",
    planHash: "p",
    status: "running",
    priority: 0,
    labels: {},
    parentRunId: null,
    rootRunId: "r1",
    createdAt: 1,
    completedAt: null,
    errorCode: null,
    input: {},
    output: null,
    error: null,
    progress: { total: 1, completed: 0, failed: 0, aborted: 0, skipped: 0, running: 1, waiting: 0 },
    lastSeq: 1,
    lineage: null,
    ...change,
  };
}

const GRAPH: RunGraph = {
  runId: "r1",
  workflow: "w",
  status: "running",
  seq: 3,
  nodes: [],
  edges: [{ source: "a", target: "b", edgeType: "sequential", dataFlow: true }],
  tree: [],
};

const SPOKE: SpokeView = {
  id: "s1",
  name: "dev",
  spokeType: "dev-env",
  status: "connected",
  version: null,
  operations: ["fs.read"],
  inFlight: 0,
  maxConcurrency: 4,
  labels: {},
  hostInfo: null,
  connectedAt: 1,
  lastHeartbeat: 2,
  disconnectedAt: null,
};

function operation(name: string, type: OperationSpec["type"]): OperationSpec {
  return {
    name,
    namespace: "core",
    version: "1.0.0",
    type,
    description: `The ${name} operation`,
    inputSchema: Type.Object({}),
    outputSchema: Type.Unknown(),
    errorSchemas: [{ code: "TEAPOT", description: "", schema: {}, httpStatus: 418 }],
    accessControl: { requiredScopes: [] },
    _meta: { internal: true },
  };
}

const OPERATIONS: readonly OperationSpec[] = [
  operation("echo", "query"),
  operation("fail", "mutation"),
  operation("ticks", "subscription"),
];

const WORKFLOW: WorkflowVersion = {
  name: "report",
  version: "v1",
  title: "Report",
  description: null,
  inputSchema: null,
  outputSchema: null,
  serializable: true,
  template: { type: "sequential", props: {}, children: [] },
  decodeInput: () => ({}),
  plan: () => ({
    hash: "p1",
    functions: new Map(),
    plan: {
      planVersion: 1,
      workflow: "report",
      nodes: [{ kind: "sequential", key: "root", parent: -1, end: 1 }],
      output: null,
      failurePolicy: "continue-running",
    },
  }),
};

/** Throws a `CallError` of the code when the id is that code: lets a test see any error. */
function failWhenCode(id: string): void {
  if (/^[A-Z_]+$/.test(id)) throw new CallError(id, `Made up: ${id}`);
  if (id === "bug") throw new TypeError("secret internals");
}

const NO_DIFF = { added: [], removed: [], changed: [], unchanged: 1, edges: { added: [], removed: [] } };

function fakeRuns(world: Memory): Runs {
  const seen = ({ runId }: { readonly runId: string }): Promise<RunView> => {
    failWhenCode(runId);
    return Promise.resolve(runView({ id: runId }));
  };
  return {
    start(request) {
      failWhenCode(request.workflow);
      world.started.push(request);
      return Promise.resolve({ id: "r1", status: "running", duplicate: false });
    },
    wait: () => Promise.resolve(world.waitEnds ? runView({ status: "completed", output: { value: 1 } }) : runView()),
    // deno-lint-ignore require-await
    get: async ({ runId }) => {
      failWhenCode(runId);
      const ended = world.events.some(({ type }) => type === "run.completed");
      return runView(ended ? { status: "completed" } : {});
    },
    list: ({ limit: _limit }) => Promise.resolve({ items: [runView()], nextCursor: "next" }),
    graph: ({ at }) => Promise.resolve({ ...GRAPH, seq: at ?? GRAPH.seq }),
    // deno-lint-ignore require-await
    events: async ({ runId, after = 0, limit = 100 }) => {
      failWhenCode(runId);
      return world.events.filter(({ seq }) => seq > after).slice(0, limit);
    },
    // deno-lint-ignore require-await
    mayFollow: async ({ runId, after }) => {
      failWhenCode(runId);
      const isEnded = world.events.some(({ type }) => type === "run.completed");
      return !isEnded || world.events.some(({ seq }) => seq > after);
    },
    watch: (params) => watch(world, params),
    calls: () => Promise.resolve([]),
    call: (params) =>
      seen({ runId: params.requestId }).then(() => Promise.reject(new CallError("CALL_NOT_FOUND", "no"))),
    callTree: () => Promise.reject(new CallError("CALL_NOT_FOUND", "no")),
    why: () => Promise.resolve([]),
    abort: seen,
    pause: seen,
    resume: seen,
    actOnNode: seen,
    rerun: () => Promise.resolve({ id: "r2", status: "running", duplicate: false, reused: 0 }),
    fork: () => Promise.resolve({ id: "r2", status: "running", duplicate: false, reused: 0 }),
    migrate: ({ runId, version }) =>
      Promise.resolve({ runId, from: "v1", to: version, migrated: true, allowed: true, reasons: [], diff: NO_DIFF }),
    // deno-lint-ignore require-await
    signal: async ({ name }) => failWhenCode(name),
  };
}

async function* watch(
  world: Memory,
  { after, signal }: { readonly after?: number; readonly signal: AbortSignal },
): AsyncGenerator<RunEvent> {
  const record = { after, stopped: false };
  world.watches.push(record);
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => (record.stopped = true, resolve()), { once: true });
  });
  for (const next of world.events) {
    if (next.seq > (after ?? 0)) yield next;
  }
  if (!world.events.some(({ type }) => type === "run.completed")) await stopped;
}

/** The code that an input asks a fake to fail with. */
function codeIn(input: unknown): string | null {
  return typeof input === "object" && input !== null && "code" in input ? String(input.code) : null;
}

/** An app over fakes. */
export function fakeWorld(change: Partial<ServerDeps> = {}, extensions: AppExtensions = {}): FakeWorld {
  const world: Memory = {
    started: [],
    logged: [],
    sockets: [],
    principals: new Map([["all", principalOf(["*"])], ["none", principalOf([])]]),
    watches: [],
    waitEnds: false,
    ready: true,
    events: [event(1, "run.paused"), event(2, "run.completed")],
  };
  const find = (given: Headers | string): Principal | null => {
    const key = typeof given === "string"
      ? given
      : given.get("authorization")?.replace("Bearer ", "") ?? given.get("x-api-key") ?? "";
    return world.principals.get(key) ?? null;
  };
  const app = createApp({
    auth: {
      authenticate: (given) => Promise.resolve(find(given)),
      remembered: (given) => find(given) ?? undefined,
      isFamiliar: () => false,
      invalidate: () => {},
    },
    runs: fakeRuns(world),
    workflows: {
      get: ({ name, version }) => Promise.resolve(name === "report" && version !== "old" ? WORKFLOW : null),
      list: () => Promise.resolve([WORKFLOW]),
      versions: () => Promise.resolve([{ version: "v1", current: true, deployedAt: 1 }]),
      similar: () => Promise.resolve(["report"]),
      register: ({ name }) =>
        Promise.resolve(
          name === "bad"
            ? { problems: [{ code: "CYCLE", path: "/children/0", message: "Node a waits for itself" }] }
            : { version: WORKFLOW },
        ),
      validate: () => Promise.resolve([]),
    },
    versions: {
      list: () => Promise.resolve([{ version: "v1", current: true, available: true, deployedAt: 1, liveRuns: 2 }]),
      diff: ({ name, from, to = "v1" }) =>
        Promise.resolve({
          workflow: name,
          from,
          to,
          inputSchemaChanged: false,
          outputSchemaChanged: false,
          diff: NO_DIFF,
        }),
      impact: () => Promise.resolve({ previous: null, live: [] }),
    },
    operations: {
      list: () => OPERATIONS,
      spec: (_caller, id) => OPERATIONS.find(({ name }) => `core.${name}` === id),
      versions: () => ["1.0.0"],
      call: ({ operationId, input }) =>
        operationId === "core.fail"
          ? Promise.reject(new CallError(codeIn(input) ?? "NONE", "Failed"))
          : Promise.resolve(localEnvelope(input, operationId)),
      async *stream({ input }) {
        const code = codeIn(input);
        if (code !== null) throw new CallError(code, "Failed");
        yield localEnvelope(1, "core.ticks");
        yield localEnvelope(2, "core.ticks");
      },
    },
    spokes: {
      list: () => Promise.resolve([SPOKE]),
      get: (_caller: Caller, id) => Promise.resolve(id === "s1" ? SPOKE : null),
      drain: (_caller: Caller, id) =>
        id === "s1"
          ? Promise.resolve({ ...SPOKE, status: "draining" })
          : Promise.reject(new CallError("SPOKE_NOT_FOUND", "no")),
    },
    keys: {
      create: ({ key }) => Promise.resolve(issued(key.name)),
      list: () => Promise.resolve([issued("a").record]),
      rotate: () => Promise.resolve(issued("a")),
      revoke: () => Promise.resolve({ ...issued("a").record, status: "revoked" }),
    },
    graphs: {
      plan: () => ({ nodes: [], edges: [] }),
      mermaid: () => "graph TD",
      dot: () => "digraph {}",
      svg: () => "<svg/>",
    },
    hubOrgId: "o1",
    acceptSocket: (socket, principal) => void world.sockets.push({ socket, principal }),
    readiness: () => ({ ready: world.ready, step: world.ready ? "ready" : "migrations" }),
    version: "0.0.0",
    limits: { bodyBytes: 4096, inputBytes: 1024, jsonDepth: 64, bodySeconds: 30, maxWaitSeconds: 60 },
    log: { error: (message, properties) => void world.logged.push({ message, ...properties }) },
    ...change,
  }, extensions);
  return Object.assign(world, { app });
}

function issued(name: string): IssuedKey {
  return {
    key: "alk_test",
    record: {
      id: "k9",
      name,
      ownerId: "ada",
      scopes: [],
      status: "active",
      createdAt: 1,
      lastUsedAt: null,
      expiresAt: null,
      revokedAt: null,
      rotatedTo: null,
      limits: null,
    },
  };
}
