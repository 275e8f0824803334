import assert from "node:assert/strict";
import { callThrough, startTestHub, testCall } from "./_test_hub.ts";

const code = (expected: string) => (error: unknown) => {
  assert.equal(error instanceof Error && "code" in error ? error.code : error, expected);
  return true;
};

Deno.test("RunnerPool.call() gives a spoke's answer when one offers the operation", async () => {
  await using hub = startTestHub();
  const spoke = hub.spoke({
    operations: [{
      namespace: "demo",
      name: "add",
      handler: (input, context) => ({ input, identity: context.identity, metadata: context.metadata }),
    }],
  });
  await spoke.ready;
  const { data, meta } = await callThrough(hub, { operationId: "demo.add", input: { a: 1 } });
  assert.deepEqual(data, {
    input: { a: 1 },
    identity: { id: "ann", scopes: [] },
    metadata: { runId: "run-1", nodeKey: "a", attempt: 1 },
  });
  assert.equal(meta.source, "local");
  assert.equal(hub.pool.stats().inFlight, 0);
  assert.equal(hub.pool.list("acme")[0]?.id, spoke.spokeId);
});

Deno.test("RunnerPool.call() rejects with the spoke's error when its handler throws", async () => {
  await using hub = startTestHub();
  await hub.spoke({
    operations: [{
      namespace: "demo",
      name: "fail",
      errorSchemas: [{ code: "NO_DISK", description: "", schema: {} }],
      handler: () => {
        throw new Error("NO_DISK: the disk is full");
      },
    }],
  }).ready;
  await assert.rejects(callThrough(hub, { operationId: "demo.fail" }), code("NO_DISK"));
});

Deno.test("RunnerPool.call() rejects with OPERATION_NOT_FOUND when nobody of the organization offers it", async () => {
  await using hub = startTestHub();
  await hub.spoke({ operations: [{ namespace: "demo", name: "echo", handler: (input) => input }] }).ready;
  await assert.rejects(callThrough(hub, { operationId: "demo.none" }), code("OPERATION_NOT_FOUND"));
  await assert.rejects(callThrough(hub, { operationId: "demo.echo", orgId: "other" }), code("OPERATION_NOT_FOUND"));
  await assert.rejects(
    callThrough(hub, { operationId: "demo.echo", spoke: { gpu: "yes" } }),
    code("OPERATION_NOT_FOUND"),
  );
  assert.deepEqual(hub.pool.specs("other"), []);
  assert.deepEqual(hub.pool.list("other"), []);
});

Deno.test("RunnerPool.stream() gives chunks in order, then ends (I8)", async () => {
  await using hub = startTestHub();
  await hub.spoke({
    operations: [{
      namespace: "demo",
      name: "count",
      type: "subscription",
      handler: async function* () {
        for (let n = 0; n < 100; n++) yield n;
      },
    }],
  }).ready;
  const spec = hub.pool.spec("acme", "demo.count");
  assert(spec);
  const seen: unknown[] = [];
  for await (const { data } of hub.pool.stream(testCall({ operationId: "demo.count" }), spec)) seen.push(data);
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, n) => n));
});

Deno.test("RunnerPool.call() aborts the handler when the call's signal does", async () => {
  await using hub = startTestHub();
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await hub.spoke({
    operations: [{
      namespace: "demo",
      name: "hang",
      handler: (_input, { signal }) => {
        started.resolve();
        signal?.addEventListener("abort", () => aborted.resolve());
        return new Promise(() => {});
      },
    }],
  }).ready;
  const controller = new AbortController();
  const call = callThrough(hub, { operationId: "demo.hang", signal: controller.signal });
  await started.promise;
  controller.abort();
  await assert.rejects(call, code("ABORTED"));
  await aborted.promise;
  assert.equal(hub.pool.stats().inFlight, 0);
});

Deno.test("RunnerPool keeps to the limit that a spoke has for one operation, and fills its other places meanwhile", async () => {
  await using hub = startTestHub();
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const narrow = async () => {
    most = Math.max(most, ++running);
    await gate.promise;
    running--;
    return "narrow";
  };
  await hub.spoke({
    maxConcurrency: 4,
    operations: [
      { namespace: "demo", name: "narrow", maxConcurrency: 2, handler: narrow },
      { namespace: "demo", name: "wide", handler: () => "wide" },
    ],
  }).ready;
  const calls = Array.from({ length: 5 }, () => callThrough(hub, { operationId: "demo.narrow" }));
  assert.deepEqual(hub.pool.stats(), { sockets: 1, spokes: 1, inFlight: 2, queued: 3 });
  assert.equal((await callThrough(hub, { operationId: "demo.wide" })).data, "wide");
  gate.resolve();
  assert.deepEqual((await Promise.all(calls)).map(({ data }) => data), Array(5).fill("narrow"));
  assert.equal(most, 2);
  const wrong = hub.spoke({ operations: [{ namespace: "demo", name: "zero", maxConcurrency: 0, handler: () => 1 }] });
  await assert.rejects(wrong.ready, /"maxConcurrency" is 0/);
});
