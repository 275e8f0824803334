/** Versions of an operation side by side. */
import assert from "node:assert/strict";
import { callThrough, startTestHub, type TestHub } from "./_test_hub.ts";

interface Worker {
  /** Inputs in order. */
  readonly started: unknown[];
  readonly id: string;
  finish(): void;
}

/** A spoke that offers `demo.work`, answers its own version, and keeps inputs "hold" until it is told to finish. */
async function work(
  hub: TestHub,
  version: string,
  more: { readonly labels?: Record<string, string> } = {},
): Promise<Worker> {
  const started: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const spoke = hub.spoke({
    ...more,
    name: version,
    maxConcurrency: 2,
    operations: [{
      namespace: "demo",
      name: "work",
      version,
      handler: async (input, { progress }) => {
        started.push(input);
        // The hub looks up at each message.
        progress?.("started");
        if (input === "hold") await promise;
        return version;
      },
    }],
  });
  await spoke.ready;
  return { started, id: spoke.spokeId ?? "", finish: resolve };
}

const call = async (
  hub: TestHub,
  input: string | number,
  spoke: Record<string, string> | null = null,
): Promise<unknown> => (await callThrough(hub, { operationId: "demo.work", input, spoke })).data;

Deno.test("RunnerPool gives new calls to a newer version as soon as it joins; those of the older one end there", async () => {
  await using hub = startTestHub();
  const old = await work(hub, "1.9.0");
  const held = call(hub, "hold");
  await hub.until(() => old.started.length === 1);
  await work(hub, "1.10.0");
  assert.equal(hub.pool.spec("acme", "demo.work")?.version, "1.10.0");
  assert.deepEqual(await Promise.all([1, 2, 3, 4, 5, 6].map((n) => call(hub, n))), Array(6).fill("1.10.0"));
  old.finish();
  assert.equal(await held, "1.9.0");
  assert.deepEqual(old.started, ["hold"]);
});

Deno.test("RunnerPool goes back to the older version when the newer one drains, waiting calls included", async () => {
  await using hub = startTestHub();
  const old = await work(hub, "1.0.0");
  const newer = await work(hub, "2.0.0-rc.1");
  const held = [call(hub, "hold"), call(hub, "hold")];
  await hub.until(() => newer.started.length === 2);
  // Its places are taken: this one waits for the newer version.
  const waiting = call(hub, "waiting");
  assert.equal(hub.pool.stats().queued, 1);
  hub.pool.drain("acme", newer.id);
  assert.equal(await waiting, "1.0.0");
  assert.equal(hub.pool.spec("acme", "demo.work")?.version, "1.0.0");
  assert.deepEqual(old.started, ["waiting"]);
  newer.finish();
  assert.deepEqual(await Promise.all(held), ["2.0.0-rc.1", "2.0.0-rc.1"]);
});

Deno.test("RunnerPool gives a call that asks for labels to the newest version among the spokes that carry them", async () => {
  await using hub = startTestHub();
  const old = await work(hub, "1.0.0", { labels: { gpu: "yes" } });
  await work(hub, "2.0.0");
  assert.equal(await call(hub, 1, { gpu: "yes" }), "1.0.0");
  assert.equal(await call(hub, 2), "2.0.0");
  const held = [call(hub, "hold", { gpu: "yes" }), call(hub, "hold", { gpu: "yes" })];
  await hub.until(() => old.started.length === 3);
  const waiting = call(hub, "waiting", { gpu: "yes" });
  assert.equal(hub.pool.stats().queued, 1);
  old.finish();
  assert.equal(await waiting, "1.0.0");
  await Promise.all(held);
  await work(hub, "1.1.0", { labels: { gpu: "yes" } });
  assert.equal(await call(hub, 3, { gpu: "yes" }), "1.1.0");
});
