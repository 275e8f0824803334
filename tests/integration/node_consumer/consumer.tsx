/** What a program on Node does with the published packages; every subpath is imported and used. Prints `ok`. */
import { compile, defineWorkflow, Operation, ref, Sequential, toTemplateJson, validate } from "@alkdev/flowgraph";
import { parallelGroups as operationGroups } from "@alkdev/flowgraph/analysis";
import { Parallel } from "@alkdev/flowgraph/component";
import { CycleError } from "@alkdev/flowgraph/error";
import { FlowGraph } from "@alkdev/flowgraph/graph";
import * as host from "@alkdev/flowgraph/host";
import * as reactive from "@alkdev/flowgraph/reactive";
import { CallStatus } from "@alkdev/flowgraph/schema";
import { declareTypes } from "@alkdev/flowgraph/typegen";
import { Engine } from "@alkdev/engine";
import { MemoryStore } from "@alkdev/engine/memory";
import { HubClient, HubConnectionError } from "@alkdev/client";
import { createKeys, MemoryStorage } from "@alkdev/keypal";
import { RedisStorage } from "@alkdev/keypal/redis";
import {
  buildCallHandler,
  type CallEventMap,
  defineOperation,
  OperationRegistry,
  PendingRequestMap,
} from "@alkdev/operations";
import { closeMCPClient, createMCPClient } from "@alkdev/operations/from-mcp";
import { FromOpenAPI } from "@alkdev/operations/from-openapi";
import { valibotAdapter, zodAdapter } from "@alkdev/operations/from-typemap";
import { createPubSub, filter, pipe, take, toArray } from "@alkdev/pubsub";
import { createRedisEventTarget } from "@alkdev/pubsub/event-target-redis";
import { createWebSocketClientEventTarget } from "@alkdev/pubsub/event-target-websocket-client";
import { createWebSocketServerEventTarget } from "@alkdev/pubsub/event-target-websocket-server";
import { createWorkerHostEventTarget, createWorkerThreadEventTarget } from "@alkdev/pubsub/event-target-worker";
import { connectSpoke } from "@alkdev/spoke";
import { createWorkflowTest, fail, replay, sequence } from "@alkdev/testing";
import { bottlenecks, parseFrontmatter, serializeFrontmatter, TaskGraph, workflowCost } from "@alkdev/taskgraph";
import { Type } from "@alkdev/typebox";
import * as v from "valibot";
import { z } from "zod";

function same(what: string, actual: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what} is ${left}: wanted ${right}`);
}

async function pubsub(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const near = createPubSub<{ tick: number }>({ eventTarget: createWorkerHostEventTarget(port1) });
  const far = createPubSub<{ tick: number }>({ eventTarget: createWorkerThreadEventTarget(port2) });
  const heard = pipe(far.subscribe("tick", "a"), filter(({ payload }) => payload > 1), take(1), toArray());
  for (const tick of [1, 2]) near.publish("tick", "a", tick);
  same("what a worker hears", await heard, [{ type: "tick", id: "a", payload: 2 }]);
  port1.close();
  const adapters = [createRedisEventTarget, createWebSocketClientEventTarget, createWebSocketServerEventTarget];
  same("kinds of adapters", adapters.map((adapter) => typeof adapter), ["function", "function", "function"]);
}

async function operations(): Promise<void> {
  const registry = new OperationRegistry();
  registry.register(defineOperation({
    namespace: "math",
    name: "double",
    version: "1.0.0",
    type: "query",
    description: "Doubles a number.",
    inputSchema: Type.Object({ n: Type.Number() }),
    outputSchema: Type.Number(),
    accessControl: { requiredScopes: [] },
    handler: ({ n }) => n * 2,
  }));
  const eventTarget = new EventTarget();
  const calls = new PendingRequestMap(eventTarget);
  const handle = buildCallHandler({ registry, callMap: calls });
  const requests = createPubSub<CallEventMap>({ eventTarget }).subscribe("call.requested", "");
  const served = requests.next().then(({ value }) => value === undefined ? undefined : handle(value.payload));
  same("a call's data", (await calls.call("math.double", { n: 21 })).data, 42);
  await served;
  await requests.return();

  registry.registerAll(FromOpenAPI(
    { openapi: "3.1.0", paths: { "/pets": { get: { operationId: "list" } } } },
    { namespace: "pets", baseUrl: "https://pets.example", fetch: () => Promise.resolve(Response.json(["Rex"])) },
  ));
  same("an HTTP service's data", (await registry.execute("pets.list", {})).data, ["Rex"]);

  same("Zod's schema", zodAdapter().toTypeBox(z.object({ a: z.string() }))["required"], ["a"]);
  const valibot = valibotAdapter();
  await valibot.init?.();
  same("Valibot's schema", valibot.toTypeBox(v.object({ a: v.string() }))["required"], ["a"]);
  const failed = await createMCPClient("none", { command: "/nonexistent/mcp-server" }).then(closeMCPClient, String);
  same("a missing server's error", String(failed).includes(`MCP server "none"`), true);
}

function flowgraph(): void {
  const workflow = defineWorkflow({
    name: "two",
    output: ref("b"),
    template: (
      <Sequential>
        <Operation name="core.echo" key="a" input={{ value: 1 }} />
        <Parallel>
          <Operation name="core.echo" key="b" input={{ value: ref("a") }} />
        </Parallel>
      </Sequential>
    ),
  });
  const problems = validate(workflow, { operations: () => undefined });
  same("what is wrong without operations", problems.length, 2);
  same("the template as JSON", JSON.stringify(toTemplateJson(workflow)).includes("core.echo"), true);
  same("the plan's size", compile(workflow).plan.nodes.length > 1, true);
  const graph = FlowGraph.fromCallEvents([]);
  same("the calls' groups", operationGroups(graph), []);
  same("names", [CallStatus.PENDING, CycleError.name, typeof host, typeof reactive], [
    "pending",
    "CycleError",
    "object",
    "object",
  ]);
}

function taskgraph(): void {
  const task = parseFrontmatter("---\nid: b\nname: B\ndepends_on: [a]\n---\n");
  same("a task written and read", parseFrontmatter(serializeFrontmatter(task)), task);
  const graph = TaskGraph.fromTasks([task, { id: "a", name: "A", dependsOn: [] }, {
    id: "c",
    name: "C",
    dependsOn: ["b"],
  }]);
  same("the narrowest task", bottlenecks(graph)[0], { taskId: "b", score: 0.5 });
  same("the order", workflowCost(graph).tasks.map(({ taskId }) => taskId), ["a", "b", "c"]);
}

async function keypal(): Promise<void> {
  const keys = createKeys({ storage: new MemoryStorage() });
  const { key } = await keys.create({ ownerId: "me" });
  same("a key's verification", (await keys.verify(key)).valid, true);

  const scripts: string[] = [];
  const redis = {
    eval: (script: string): Promise<unknown> => {
      scripts.push(script);
      return Promise.resolve([]);
    },
  };
  const inRedis = createKeys({ storage: new RedisStorage({ client: redis }) });
  same("a key that Redis does not know", (await inRedis.verify("none")).valid, false);
  same("scripts for it", scripts.length, 1);
}

/** Node 20 has no WebSocket of its own; this one never opens. */
class SilentSocket {
  send(): void {}
  close(): void {}
  addEventListener(): void {}
}

async function spoke(): Promise<void> {
  const handle = connectSpoke({
    url: "http://127.0.0.1:1",
    key: "alk_0123456789",
    name: "node",
    operations: [],
    WebSocket: SilentSocket,
  });
  same("the spoke's state", typeof handle, "object");
  await handle.close();
}

async function client(): Promise<void> {
  const hub = new HubClient({ url: "http://127.0.0.1:1", retries: 0 });
  const refused = await hub.workflow("none").catch((error: unknown) => error);
  same("what a client says of a hub that is away", refused instanceof HubConnectionError, true);
}

async function testing(): Promise<void> {
  const t = createWorkflowTest({
    operations: { "shop.pay": sequence(fail("BUSY"), { id: 1 }) },
    crashes: [{ after: "call.error" }],
  });
  const workflow = defineWorkflow({
    name: "order",
    template: <Operation key="pay" name="shop.pay" retry={{ maxAttempts: 2, backoff: 3_600_000 }} />,
  });
  const run = await (await t.run(workflow)).finish();
  same("a run in a test", [run.output, t.crashes, replay(workflow, run.history()).same], [{ id: 1 }, 1, true]);
  same("the engine", [typeof Engine, new MemoryStore().runs.size], ["function", 0]);
  const declared = declareTypes({ operations: [], workflows: [] });
  same("declarations", declared.includes('declare module "@alkdev/flowgraph"'), true);
}

await pubsub();
await client();
await testing();
await operations();
flowgraph();
taskgraph();
await keypal();
await spoke();
console.log("ok");
