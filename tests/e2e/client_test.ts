/** The typed client against real hub processes, one of which is killed under it. */
import assert from "node:assert/strict";
import { freePort } from "../support/free_port.ts";
import { HubClient, HubError, RunFailedError } from "@alkdev/client";
import { startHubProcess } from "./_hub_process.ts";

const slow = {
  type: "sequential",
  children: [
    { type: "operation", props: { name: "core.echo", key: "first", input: { value: { $ref: "input.n" } } } },
    { type: "signal", props: { name: "go", key: "go" } },
    { type: "operation", props: { name: "core.echo", key: "last", input: { value: { $ref: "nodes.go" } } } },
  ],
};

Deno.test("HubClient runs, lists, calls and streams against a hub, and tells errors by their code", async () => {
  await using process = await startHubProcess();
  const hub = new HubClient({ url: process.url, key: process.key });
  const output = await hub.run<{ value: number }>("workflow-of-one", undefined).catch((error: unknown) => error);
  assert.ok(output instanceof HubError && output.code === "WORKFLOW_NOT_FOUND");
  await hub.register("slow", { template: slow });
  const run = await hub.start<{ value: unknown }>("slow", { n: 1 }, { labels: { team: "a" }, idempotencyKey: "once" });
  assert.equal((await hub.start("slow", { n: 1 }, { labels: { team: "a" }, idempotencyKey: "once" })).id, run.id);
  const result = run.result({ timeoutMs: 10_000 });
  for await (const { type } of run.watch()) {
    if (type === "signal.awaited") break;
  }
  assert.equal((await run.why())[0]?.waitsFor, "signal");
  await run.signal("go", { said: "yes" });
  assert.deepEqual(await result, { value: { said: "yes" } });
  const calls = await run.calls();
  assert.deepEqual(calls.map(({ operationId }) => operationId), ["workflow.slow", "core.echo", "core.echo"]);
  const listed: string[] = [];
  for await (const { id } of hub.runs({ label: ["team=a"] })) listed.push(id);
  assert.deepEqual(listed, [run.id]);
  assert.deepEqual((await hub.call("core.echo", { value: 7 })).data, { value: 7 });
  const failed = { type: "operation", props: { name: "core.fail", key: "no", input: { code: "NOPE", message: "no" } } };
  await hub.register("failing", { template: failed });
  await assert.rejects(
    hub.run("failing", {}),
    (error) => error instanceof RunFailedError && error.code === "NOPE" && error.nodeKey === "no",
  );
  const nobody = new AbortController();
  nobody.abort(new Error("enough"));
  await assert.rejects(hub.call("core.echo", { value: 1 }, { signal: nobody.signal }), /enough/);
  const wrongKey = new HubClient({ url: process.url, key: `${process.key}x` });
  await assert.rejects(wrongKey.workflow("slow"), (error) => error instanceof HubError && error.status === 401);
});

Deno.test("RunHandle.watch() sees every event once across a kill -9 of the hub", async () => {
  const env = { HUB_PORT: String(freePort()) };
  const first = await startHubProcess({ env, keep: true });
  const hub = new HubClient({ url: first.url, key: first.key });
  await hub.register("slow", { template: slow });
  const run = await hub.start("slow", { n: 1 });
  const seqs: number[] = [];
  const watching = (async () => {
    for await (const { seq } of run.watch()) seqs.push(seq);
  })();
  while (seqs.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  await first.kill("SIGKILL");
  await using _second = await startHubProcess({ dataDir: first.dataDir, env });
  await run.signal("go", 1);
  await watching;
  assert.deepEqual(seqs, seqs.map((_, at) => at + 1));
  assert.equal((await run.get()).status, "completed");
});

Deno.test("HubClient lists approvals and answers them; RunHandle.logs() follows a run to its end", async () => {
  await using process = await startHubProcess();
  const hub = new HubClient({ url: process.url, key: process.key });
  const question = {
    type: "approval",
    props: { name: "ok", key: "ok", question: "Go on?", schema: { type: "object" } },
  };
  await hub.register("asking", {
    template: {
      type: "sequential",
      children: [question, {
        type: "operation",
        props: { name: "core.echo", key: "a", input: { value: { $ref: "nodes.ok" } } },
      }],
    },
  });
  const run = await hub.start("asking", {});
  const lines: string[] = [];
  const following = (async () => {
    for await (const { message } of run.logs({ follow: true })) lines.push(message);
  })();
  for await (const { type } of run.watch()) {
    if (type === "signal.awaited") break;
  }
  const asked: unknown[] = [];
  for await (const approval of hub.approvals()) {
    asked.push([approval.runId, approval.question, approval.mayAnswer]);
    await hub.answer(approval, { yes: true });
  }
  assert.deepEqual(asked, [[run.id, "Go on?", true]]);
  assert.deepEqual(await run.result({ timeoutMs: 10_000 }), { value: { yes: true } });
  await following;
  const kept: string[] = [];
  for await (const { message } of run.logs()) kept.push(message);
  assert.deepEqual(lines, kept);
  await assert.rejects(run.signal("ok", {}), (error) => error instanceof HubError && error.status === 409);
});
