/** A hub in memory behind the MCP edge, on a port of its own. What it stores outlives it: a second one is a restart. */
import { defineWorkflow, type Template, type WorkflowDefinition } from "@alkdev/flowgraph";
import { type OperationRegistration, OperationRegistry } from "@alkdev/operations";
import { acquireMemoryLease, createMemoryLog, createMemoryPlanStore, MemoryStore } from "../../engine/memory/mod.ts";
import { Engine, isTerminalType, type RunEvent } from "../../engine/mod.ts";
import type { Principal } from "../auth/mod.ts";
import { createDispatcher } from "../dispatch/mod.ts";
import {
  createRuns,
  RunFeed,
  type RunRecord,
  type RunStore,
  withChildRuns,
  type WorkflowCatalog,
  type WorkflowVersion,
} from "../runs/mod.ts";
import { recordOf } from "../runs/run_view.ts";
import { createSystemClock } from "../system/clock.ts";
import { createIds } from "../system/ids.ts";
import { definitionVersion } from "../templates/definition_version.ts";
import { createMcp, type McpDeps } from "./mod.ts";

export interface TestHub extends AsyncDisposable {
  readonly url: URL;
  readonly store: MemoryStore;
  readonly runs: ReturnType<typeof createRuns>;
  /** Serves one more workflow. */
  publish(definition: WorkflowDefinition): void;
}

export interface TestHubOptions {
  readonly workflows?: readonly WorkflowDefinition[];
  readonly operations?: readonly OperationRegistration[];
  readonly store?: MemoryStore;
  /** By API key; `admin` may do everything. */
  readonly scopes?: Readonly<Record<string, readonly string[]>>;
  readonly deps?: Partial<McpDeps>;
}

/** Requests name who they are by `x-api-key`: `<key>` or `<key>@<organization>`. */
export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const { store = new MemoryStore(), workflows = [], scopes = {} } = options;
  const lease = acquireMemoryLease(store, { hubId: "hub", ttlMs: 60_000, now: Date.now });
  const log = createMemoryLog(store, lease);
  const plans = createMemoryPlanStore(store);
  const feed = new RunFeed();
  const clock = createSystemClock();
  const versions = workflows.map(versionOf);
  const catalog = catalogOf(versions);
  const registry = new OperationRegistry();
  registry.registerAll([...options.operations ?? []]);
  const dispatcher = createDispatcher({ registry, clock, pool: NO_SPOKES });
  const functions = { functions: () => Promise.resolve(new Map()) };
  const engine: Engine = new Engine({
    log,
    plans,
    functions,
    clock,
    ids: createIds(),
    random: Math.random,
    dispatcher: withChildRuns(dispatcher, { engine: () => engine, catalog, log, feed }),
    onCommitted: (events) => feed.publish(events),
  });
  for (const runId of await lease.claim(1000)) await engine.adopt(runId);
  const runs = createRuns({ engine, log, plans, functions, store: runStoreOf(store), catalog, feed });
  const mcp = createMcp({
    runs,
    workflows: catalog,
    operations: dispatcher.operations,
    version: "1.2.3",
    limits: { bodyBytes: 100_000, inputBytes: 50_000, jsonDepth: 20, bodySeconds: 30 },
    stateKeys: [new Uint8Array(32).fill(7)],
    allowedHosts: ["127.0.0.1", "localhost"],
    log: { error: (message, properties) => console.error(message, properties) },
    ...options.deps,
  });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const [key = "admin", orgId = "default"] = (request.headers.get("x-api-key") ?? "admin").split("@");
    const principal: Principal = {
      identity: { id: key, scopes: scopes[key] ?? ["*"] },
      orgId,
      keyId: `${key}@${orgId}`,
      keyName: null,
    };
    return mcp.handle(request, principal);
  });
  return {
    url: new URL(`http://127.0.0.1:${server.addr.port}/mcp`),
    store,
    runs,
    publish: (definition) => void versions.push(versionOf(definition)),
    async [Symbol.asyncDispose]() {
      await mcp.close();
      await engine.stop(0);
      await server.shutdown();
    },
  };
}

/** A workflow of one template. */
export function workflow(
  name: string,
  template: Template,
  more: Partial<Parameters<typeof defineWorkflow>[0]> = {},
): WorkflowDefinition {
  return defineWorkflow({ name, description: `Does ${name}`, expose: "tool", template, ...more });
}

const NO_SPOKES = {
  spec: () => undefined,
  specs: () => [],
  call: () => Promise.reject(new Error("There are no spokes")),
  stream: () => {
    throw new Error("There are no spokes");
  },
};

function versionOf(definition: WorkflowDefinition): WorkflowVersion {
  return definitionVersion(definition, definition.name);
}

function catalogOf(versions: readonly WorkflowVersion[]): WorkflowCatalog {
  return {
    get: ({ name }) => Promise.resolve(versions.find((version) => version.name === name) ?? null),
    list: () => Promise.resolve([...versions]),
    versions: () => Promise.resolve([]),
    similar: () => Promise.resolve([]),
    register: () => Promise.resolve({ problems: [] }),
    validate: () => Promise.resolve([]),
  };
}

function runStoreOf(store: MemoryStore): RunStore {
  const records = (orgId: string): RunRecord[] =>
    [...store.runs.values()].flatMap(({ events }) => {
      const [created] = events;
      const last: RunEvent | undefined = events.at(-1);
      if (created?.type !== "run.created" || created.caller.orgId !== orgId || last === undefined) return [];
      return [recordOf(created, isTerminalType(last.type) ? last : null)];
    }).reverse();
  return {
    get: ({ orgId, runId }) => Promise.resolve(records(orgId).find(({ id }) => id === runId) ?? null),
    list: ({ orgId, limit }) => Promise.resolve({ items: records(orgId).slice(0, limit), nextCursor: null }),
    findCall: () => Promise.resolve(null),
    children: () => Promise.resolve([]),
    liveVersions: () => Promise.resolve([]),
  };
}
