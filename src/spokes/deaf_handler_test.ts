/** A handler on a spoke that ignores its signal is abandoned: its place is free, and its answer dropped. */
import assert from "node:assert/strict";
import { callThrough, startTestHub } from "./_test_hub.ts";

Deno.test("RunnerPool.call() gives the place of an aborted call that its handler does not end to the next one", async () => {
  await using hub = startTestHub();
  const late = Promise.withResolvers<string>();
  const running = Promise.withResolvers<void>();
  const spoke = hub.spoke({
    maxConcurrency: 1,
    operations: [{
      namespace: "demo",
      name: "deaf",
      handler: (input) => {
        if (input !== "first") return input;
        running.resolve();
        return late.promise;
      },
    }],
  });
  await spoke.ready;
  const controller = new AbortController();
  const first = callThrough(hub, { operationId: "demo.deaf", input: "first", signal: controller.signal });
  await running.promise;
  const second = callThrough(hub, { operationId: "demo.deaf", input: "second" });
  assert.equal(hub.pool.stats().inFlight, 1);
  controller.abort();
  await assert.rejects(first, { code: "ABORTED" });
  assert.equal((await second).data, "second");
  late.resolve("too late");
  assert.equal((await callThrough(hub, { operationId: "demo.deaf", input: "third" })).data, "third");
  assert.equal(hub.pool.stats().inFlight, 0);
});
