import assert from "node:assert/strict";
import { createElement, ref } from "@alkdev/flowgraph";
import { MemoryStore } from "../../engine/memory/mod.ts";
import { type Fields, send, taskUntil } from "./_test_http.ts";
import { startTestHub, type TestHub, workflow } from "./_test_hub.ts";

const slow = workflow("slow", [
  createElement("approval", { key: "go", question: "Go on?" }),
  createElement("operation", { key: "done", name: "core.echo", input: { value: "Done" } }),
], { result: ref<{ value: string }>("done").value });
const waits = workflow("waits", createElement("sleep", { key: "a", ms: 60_000 }));
const must = workflow("must", createElement("operation", { key: "a", name: "core.echo", input: { value: 1 } }), {
  expose: "task",
});
const options = { workflows: [slow, waits, must], deps: { times: { taskAfter: 30 } } };

async function startTask(url: URL, name: string, key = "admin"): Promise<string> {
  const { result } = await send(url, "tools/call", { name, arguments: {} }, { key });
  assert.equal(result?.["resultType"], "task", JSON.stringify(result));
  return String(result?.["taskId"]);
}

Deno.test("a run that takes long is a task, which survives the restart of the hub", async () => {
  const first = await startTestHub(options);
  const taskId = await startTask(first.url, "slow");
  const { store } = first;
  await first[Symbol.asyncDispose]();

  await using second = await startTestHub({ ...options, store });
  const asking = await taskUntil(second.url, taskId, "input_required");
  assert.deepEqual(Object.keys(asking["inputRequests"] as Fields), ["go"]);
  const update = await send(second.url, "tasks/update", {
    taskId,
    inputResponses: { go: { action: "accept", content: { approved: true } } },
  });
  assert.equal(update.result?.["resultType"], "complete");
  const ended = await taskUntil(second.url, taskId, "completed");
  assert.deepEqual((ended["result"] as Fields)["content"], [{ type: "text", text: "Done" }]);
});

Deno.test("tasks/cancel aborts the run, and again does nothing", async () => {
  await using hub = await startTestHub(options);
  const taskId = await startTask(hub.url, "waits");
  for (let time = 0; time < 2; time++) {
    assert.equal((await send(hub.url, "tasks/cancel", { taskId })).error, undefined);
  }
  await taskUntil(hub.url, taskId, "cancelled");
});

Deno.test("a workflow exposed as a task is refused to a client that does not know tasks", async () => {
  await using hub = await startTestHub(options);
  const { status, error } = await send(hub.url, "tools/call", { name: "must", arguments: {} }, { capabilities: {} });
  assert.equal(status, 400);
  assert.equal(error?.["code"], -32021);
  await startTask(hub.url, "must");
});

Deno.test("a task is there for its organization only, and for keys that may read runs or have started it", async () => {
  await using hub = await startTestHub({ ...options, scopes: { one: ["workflow:run"], two: ["workflow:run"] } });
  const taskId = await startTask(hub.url, "waits", "one");
  assert.ok((await send(hub.url, "tasks/get", { taskId }, { key: "one" })).result !== undefined);
  for (const key of ["two", "admin@other"]) {
    for (const method of ["tasks/get", "tasks/cancel", "tasks/update"]) {
      assert.equal((await send(hub.url, method, { taskId }, { key })).error?.["code"], -32602, `${method} by ${key}`);
    }
  }
});

Deno.test("a key that may only read runs sees another's task, and neither answers nor ends it", async () => {
  const refused: unknown[] = [];
  await using hub = await startTestHub({
    ...options,
    scopes: { reads: ["run:read"], writes: ["run:read", "run:write:slow"], other: ["run:read", "run:write:waits"] },
    deps: { ...options.deps, onRefused: ({ asked, principal, code }) => refused.push([asked, principal.keyId, code]) },
  });
  const taskId = await startTask(hub.url, "slow");
  await taskUntil(hub.url, taskId, "input_required");
  const inputResponses = { go: { action: "accept", content: { approved: true } } };
  for (const key of ["reads", "other"]) {
    assert.equal((await send(hub.url, "tasks/get", { taskId }, { key })).result?.["status"], "input_required");
    for (const method of ["tasks/cancel", "tasks/update"]) {
      const { error } = await send(hub.url, method, { taskId, inputResponses }, { key });
      assert.equal((error?.["data"] as Fields | undefined)?.["code"], "ACCESS_DENIED", `${method} by ${key}`);
    }
  }
  assert.deepEqual(refused.slice(0, 2), [
    ["tasks/cancel", "reads@default", "ACCESS_DENIED"],
    ["tasks/update", "reads@default", "ACCESS_DENIED"],
  ]);
  assert.equal((await send(hub.url, "tasks/get", { taskId })).result?.["status"], "input_required");
  const { error } = await send(hub.url, "tasks/update", { taskId, inputResponses }, { key: "writes" });
  assert.equal(error, undefined);
  await taskUntil(hub.url, taskId, "completed");
});

Deno.test("a request state is no one else's, and no other tool's", async () => {
  await using hub = await startTestHub(options);
  const capabilities = { elicitation: {} };
  const asked = await send(hub.url, "tools/call", { name: "slow", arguments: {} }, { capabilities });
  assert.equal(asked.result?.["resultType"], "input_required");
  const requestState = asked.result?.["requestState"];
  const again = (key: string, name: string) =>
    send(hub.url, "tools/call", { name, arguments: {}, requestState }, { capabilities, key });
  assert.equal((await again("other", "slow")).error?.["code"], -32602);
  assert.equal((await again("admin@other", "slow")).error?.["code"], -32602);
  assert.equal((await again("admin", "waits")).result?.["isError"], true);
  assert.equal((await again("admin", "slow")).result?.["resultType"], "input_required");
});

Deno.test("a request state goes on after its key has been rotated, until that key is gone", async () => {
  const store = new MemoryStore();
  const [old, fresh] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const capabilities = { elicitation: {} };
  const call = (hub: TestHub, params: Fields = {}, key = "admin") =>
    send(hub.url, "tools/call", { name: "slow", arguments: {}, ...params }, { capabilities, key });
  const { requestState, first } = await (async () => {
    await using hub = await startTestHub({ ...options, store, deps: { stateKeys: [old] } });
    const asked = await call(hub);
    assert.equal(asked.result?.["resultType"], "input_required");
    return { requestState: asked.result?.["requestState"], first: hub.store.runs.size };
  })();
  {
    await using hub = await startTestHub({ ...options, store, deps: { stateKeys: [fresh, old] } });
    const again = await call(hub, { requestState });
    assert.equal(again.result?.["resultType"], "input_required");
    assert.equal(store.runs.size, first, "no other run was started");
    assert.equal((await call(hub, { requestState }, "other")).error?.["code"], -32602);
  }
  await using hub = await startTestHub({ ...options, store, deps: { stateKeys: [fresh] } });
  assert.equal((await call(hub, { requestState })).error?.["code"], -32602);
});
