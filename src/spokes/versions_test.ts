/** Versions of an operation side by side. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
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
  operationId = "demo.work",
): Promise<unknown> => (await callThrough(hub, { operationId, input, spoke })).data;

const pinned = (hub: TestHub, version: string, input: string | number, spoke: Record<string, string> | null = null) =>
  call(hub, input, spoke, `demo.work@${version}`);

const hasCode = (code: string) => (error: unknown) => error instanceof CallError && error.code === code;

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

Deno.test("RunnerPool gives a call that names a version to a spoke with exactly that one, beside a newer one", async () => {
  await using hub = startTestHub();
  const old = await work(hub, "1.0.0");
  await work(hub, "2.0.0");
  assert.deepEqual(await Promise.all([pinned(hub, "1.0.0", 1), pinned(hub, "2.0.0", 2), call(hub, 3)]), [
    "1.0.0",
    "2.0.0",
    "2.0.0",
  ]);
  assert.equal(hub.pool.spec("acme", "demo.work@1.0.0")?.version, "1.0.0");
  assert.equal(hub.pool.offers("acme", "demo.work@1.0.0", null), "here");
  assert.deepEqual(hub.pool.offered("acme").map(({ spec }) => spec.version), ["1.0.0", "2.0.0"]);
  await assert.rejects(pinned(hub, "1.5.0", 4), hasCode("OPERATION_NOT_FOUND"));
  // Its places are taken: it waits for one of them, while the newer version is idle.
  const held = [pinned(hub, "1.0.0", "hold"), pinned(hub, "1.0.0", "hold")];
  await hub.until(() => old.started.length === 3);
  const waiting = pinned(hub, "1.0.0", "waiting");
  assert.equal(hub.pool.stats().queued, 1);
  assert.equal(await call(hub, 5), "2.0.0");
  old.finish();
  assert.deepEqual(await Promise.all([...held, waiting]), ["1.0.0", "1.0.0", "1.0.0"]);
});

Deno.test("RunnerPool gives a call that names version and labels to a spoke that has both", async () => {
  await using hub = startTestHub();
  await work(hub, "1.0.0");
  const both = await work(hub, "1.0.0", { labels: { gpu: "yes" } });
  await work(hub, "2.0.0", { labels: { gpu: "yes" } });
  assert.deepEqual(await Promise.all([1, 2, 3].map((n) => pinned(hub, "1.0.0", n, { gpu: "yes" }))), [
    "1.0.0",
    "1.0.0",
    "1.0.0",
  ]);
  // `both` takes two at once: it was given all three.
  assert.equal(both.started.length, 3);
  assert.equal(hub.pool.spec("acme", "demo.work", { gpu: "yes" })?.version, "2.0.0");
  await assert.rejects(pinned(hub, "1.0.0", 4, { gpu: "no" }), hasCode("OPERATION_NOT_FOUND"));
});

Deno.test("RunnerPool lets a call of a version that is gone wait for it until its deadline, and fail without one", async () => {
  await using hub = startTestHub();
  const old = await work(hub, "1.0.0");
  await work(hub, "2.0.0");
  const held = [pinned(hub, "1.0.0", "hold"), pinned(hub, "1.0.0", "hold")];
  await hub.until(() => old.started.length === 2);
  const lost = assert.rejects(pinned(hub, "1.0.0", 1), hasCode("SPOKE_LOST"));
  const deadline = hub.clock.now() + 60_000;
  const waiting = callThrough(hub, { operationId: "demo.work@1.0.0", input: 2, deadline });
  assert.equal(hub.pool.stats().queued, 2);
  hub.pool.drain("acme", old.id);
  old.finish();
  await Promise.all(held);
  await lost;
  assert.equal(hub.pool.stats().queued, 1);
  await work(hub, "1.0.0");
  assert.equal((await waiting).data, "1.0.0");
});

Deno.test("RunnerPool moves a call of a version from a spoke that has come back with another one", async () => {
  await using hub = startTestHub();
  const offer = (version: string) => ({ operations: [{ namespace: "demo", name: "work", version }] });
  const changing = await hub.raw();
  await changing.ask("hub.register", { name: "changing", ...offer("1.0.0") });
  const answer = pinned(hub, "1.0.0", 1);
  await changing.next(({ type }) => type === "call.requested");
  await work(hub, "1.0.0");
  await changing.ask("hub.register", { name: "changing", ...offer("2.0.0") });
  assert.equal(await answer, "1.0.0");
});
