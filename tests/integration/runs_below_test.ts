/** Runs that a handler starts below its own call, on a real database: they outlive the call, not their parent's abort. */
import assert from "node:assert/strict";
import { defineWorkflow, type Template, type WorkflowDefinition } from "@alkdev/flowgraph";
import { CallError, OperationRegistry } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { Engine, type RunEvent } from "../../engine/mod.ts";
import { BudgetedCalls } from "../../src/budgets/mod.ts";
import { callOf, createDispatcher, type HubDispatcher } from "../../src/dispatch/mod.ts";
import {
  AbortCascade,
  createRuns,
  RunFeed,
  type Runs,
  withChildRuns,
  type WorkflowCatalog,
} from "../../src/runs/mod.ts";
import {
  acquireLease,
  createBudgetLedger,
  createEventLog,
  createOrphanRuns,
  createPlanStore,
  createRunStore,
  type Database,
} from "../../src/storage/mod.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { createIds } from "../../src/system/ids.ts";
import { definitionVersion } from "../../src/templates/definition_version.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";

const caller = { orgId: "default", identity: { id: "ann", scopes: ["*"] } } as const;
const NOBODY = {
  spec: () => undefined,
  specs: () => [],
  call: () => Promise.reject(new Error("There are no spokes")),
  stream: () => {
    throw new Error("There are no spokes");
  },
};

interface World extends AsyncDisposable {
  readonly runs: Runs;
  readonly engine: Engine;
  readonly cascade: AbortCascade;
  /** Runs that `t.spawn` has started, in order. */
  readonly spawned: string[];
}

async function world(db: Database, cascades = true, hubId = "hub"): Promise<World> {
  const lease = await acquireLease(db, { hubId, ttlMs: 60_000 });
  const log = createEventLog(db, lease);
  const plans = createPlanStore(db);
  const feed = new RunFeed();
  const clock = createSystemClock();
  const ledger = createBudgetLedger(db);
  const registry = new OperationRegistry();
  const spawned: string[] = [];
  registry.registerAll([{
    namespace: "t",
    name: "spawn",
    version: "1.0.0",
    type: "mutation",
    description: "Starts a run below this call",
    inputSchema: Type.Object({ workflow: Type.String() }),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    async handler(input, context) {
      const call = callOf(context);
      assert.ok(call !== null);
      const { runId, requestId } = call;
      const rootRunId = engine.live(runId)?.state.created?.parent?.rootRunId ?? runId;
      const { workflow } = input as { readonly workflow: string };
      const { id } = await runs.start({
        workflow,
        input: {},
        caller,
        parent: { runId, requestId, rootRunId },
        idempotencyKey: `spawn:${requestId}`,
      });
      spawned.push(id);
      return { id };
    },
  }]);
  const dispatcher: HubDispatcher = createDispatcher({ registry, clock, pool: NOBODY });
  const catalog = catalogOf(WORKFLOWS);
  const budgets = new BudgetedCalls({
    ledger,
    clock,
    created: (runId) => engine.live(runId)?.state.created ?? null,
    isStopped: () => engine.stopped,
    spec: (orgId, id) => dispatcher.spec(orgId, id),
    log: { warn: (message, properties) => console.error(message, properties) },
  });
  const functions = { functions: () => Promise.resolve(new Map()) };
  const cascade: AbortCascade = new AbortCascade({
    engine: () => engine,
    orphans: createOrphanRuns(db),
    onError: (error) => console.error(error),
  });
  const engine: Engine = new Engine({
    log,
    plans,
    functions,
    clock,
    ids: createIds(),
    random: Math.random,
    dispatcher: budgets.dispatcher(withChildRuns(dispatcher, { engine: () => engine, catalog, log, feed })),
    onCommitted(events: readonly RunEvent[]) {
      feed.publish(events);
      if (cascades) cascade.committed(events);
    },
  });
  for (const runId of await lease.claim(100)) await engine.adopt(runId);
  const runs = createRuns({ engine, log, plans, functions, store: createRunStore(db), catalog, feed });
  return {
    runs,
    engine,
    cascade,
    spawned,
    async [Symbol.asyncDispose]() {
      await engine.stop(0);
      await log.close();
      await lease.release();
    },
  };
}

const wait: Template = { type: "signal", props: { name: "go", key: "go" }, children: [] };
const spawn = (workflow: string): Template => ({
  type: "operation",
  props: { name: "t.spawn", key: "spawn", input: { workflow } },
  children: [],
});
const flow = (name: string, ...children: readonly Template[]): WorkflowDefinition =>
  defineWorkflow({ name, template: { type: "sequential", props: {}, children: [...children] } as Template });

const WORKFLOWS = [
  flow("waits", wait),
  flow("parent", spawn("waits"), wait),
  flow("returns", spawn("waits")),
  flow("grandparent", spawn("parent"), wait),
  flow("endless", spawn("endless")),
];

function catalogOf(definitions: readonly WorkflowDefinition[]): WorkflowCatalog {
  const versions = definitions.map((one) => definitionVersion(one, one.name));
  return {
    get: ({ name }) => Promise.resolve(versions.find((version) => version.name === name) ?? null),
    list: () => Promise.resolve(versions),
    versions: () => Promise.resolve([]),
    similar: () => Promise.resolve([]),
    register: () => Promise.resolve({ problems: [] }),
    validate: () => Promise.resolve([]),
  };
}

async function until<T>(what: string, look: () => Promise<T | null> | T | null): Promise<T> {
  const end = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    assert.ok(Date.now() < end, `${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (const kind of await databaseKinds()) {
  const test = (title: string, body: (db: Database) => Promise<void>) =>
    Deno.test(`${kind}: ${title}`, async () => {
      const { db, drop } = await testDatabase(kind);
      try {
        await body(db);
      } finally {
        await drop();
      }
    });

  test("a run below a call goes on when the call has returned, and stands in its graph", async (db) => {
    await using hub = await world(db);
    const { id } = await hub.runs.start({ workflow: "returns", input: {}, caller });
    const ended = await hub.runs.wait({ caller, runId: id, ms: 10_000 });
    assert.equal(ended.status, "completed");
    const [child = ""] = hub.spawned;
    const view = await hub.runs.get({ caller, runId: child });
    assert.deepEqual([view.status, view.parentRunId, view.rootRunId], ["running", id, id]);
    const tree = await hub.runs.callTree({ caller, requestId: id });
    const [spawning] = tree.children;
    assert.equal(spawning?.operationId, "t.spawn");
    assert.deepEqual(spawning?.children.map(({ requestId }) => requestId), [child]);
    await hub.runs.signal({ caller, runId: child, name: "go", payload: null });
    assert.equal((await hub.runs.wait({ caller, runId: child, ms: 10_000 })).status, "completed");
  });

  test("an abort reaches all that is below, also what a call that has returned had started", async (db) => {
    await using hub = await world(db);
    const { id } = await hub.runs.start({ workflow: "grandparent", input: {}, caller });
    await until("the grandchild", () => hub.spawned.length === 2 ? true : null);
    await hub.runs.abort({ caller, runId: id });
    for (const runId of hub.spawned) {
      const { status } = await hub.runs.wait({ caller, runId, ms: 10_000 });
      assert.equal(status, "aborted", runId);
    }
  });

  test("what an abort did not reach before a crash is aborted by the next sweep", async (db) => {
    const spawned: string[] = [];
    {
      await using hub = await world(db, false);
      const { id } = await hub.runs.start({ workflow: "grandparent", input: {}, caller });
      await until("the grandchild", () => hub.spawned.length === 2 ? true : null);
      await hub.runs.abort({ caller, runId: id });
      spawned.push(...hub.spawned);
      assert.equal((await hub.runs.get({ caller, runId: spawned[0]! })).status, "running");
    }
    await using hub = await world(db);
    assert.equal(await hub.cascade.sweep(), 1);
    for (const runId of spawned) {
      assert.equal((await hub.runs.wait({ caller, runId, ms: 10_000 })).status, "aborted");
    }
    assert.equal(await hub.cascade.sweep(), 0);
  });

  test("budgets of a run hold for what is started below its calls: calls and depth", async (db) => {
    await using hub = await world(db);
    const deep = await hub.runs.start({ workflow: "endless", input: {}, caller, budget: { depth: 2 } });
    await hub.runs.wait({ caller, runId: deep.id, ms: 10_000 });
    const refused = await until("a refusal", async () => {
      const { items } = await hub.runs.list({ caller, status: ["failed"], limit: 10 });
      return items[0] ?? null;
    });
    assert.deepEqual([refused.errorCode, hub.spawned.length], ["BUDGET_EXCEEDED", 2]);
    hub.spawned.length = 0;
    const many = await hub.runs.start({ workflow: "endless", input: {}, caller, budget: { calls: 3 } });
    await hub.runs.wait({ caller, runId: many.id, ms: 10_000 });
    await until("a refusal", async () => {
      const { items } = await hub.runs.list({ caller, status: ["failed"], limit: 10 });
      return items.length === 2 ? true : null;
    });
    assert.equal(hub.spawned.length, 3);
  });

  test("runs below each other without end are refused at some depth", async (db) => {
    await using hub = await world(db);
    await hub.runs.start({ workflow: "endless", input: {}, caller });
    const refused = await until("a refusal", async () => {
      const { items } = await hub.runs.list({ caller, status: ["failed"], limit: 10 });
      return items[0] ?? null;
    });
    assert.equal(refused.errorCode, "DEPTH_EXCEEDED");
  });

  test("start() below a run that was aborted, or is another organization's, is refused", async (db) => {
    await using hub = await world(db);
    const { id } = await hub.runs.start({ workflow: "waits", input: {}, caller });
    const parent = { runId: id, requestId: id, rootRunId: id };
    const other = { ...caller, orgId: "other" };
    const start = (who: typeof other) => hub.runs.start({ workflow: "waits", input: {}, caller: who, parent });
    const codeOf = (code: string) => (error: unknown) => error instanceof CallError && error.code === code;
    await assert.rejects(start(other), codeOf("RUN_NOT_FOUND"));
    await hub.runs.abort({ caller, runId: id });
    await assert.rejects(start(caller), codeOf("ABORTED"));
  });
}
