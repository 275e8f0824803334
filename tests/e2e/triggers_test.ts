/** Schedules and webhooks with real hub processes that are killed: each tick is one run, each event arrives. */
import assert from "node:assert/strict";
import { signHeaders, verifySignature } from "../../src/triggers/mod.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

interface FireBody {
  readonly tick: number;
  readonly outcome: string;
  readonly runId: string;
}

interface RunBody {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

async function timesOf(hub: HubProcess, id: string): Promise<readonly FireBody[]> {
  return (await hub.api<{ past: FireBody[] }>("GET", `/api/schedules/${id}/times?count=100`)).body.past;
}

/** Every second from the first tick to the last is there once, with a run of its own, and the schedule has no other runs. */
async function assertOneRunATick(hub: HubProcess, id: string): Promise<void> {
  await hub.api("POST", `/api/schedules/${id}/pause`);
  const fires = await timesOf(hub, id);
  const ticks = fires.map(({ tick }) => tick).sort((a, b) => a - b);
  assert.deepEqual(ticks, ticks.map((_, index) => ticks[0]! + index * 1_000));
  assert.deepEqual(new Set(fires.map(({ outcome }) => outcome)), new Set(["started"]));
  const { body } = await hub.api<{ items: RunBody[] }>("GET", `/api/runs?label=hub.schedule=${id}&limit=1000`);
  assert.deepEqual(body.items.map((run) => run.id).sort(), fires.map(({ runId }) => runId).sort());
}

const everySecond = { name: "tick", workflow: "quick", cron: "* * * * * *", catchUp: "all" } as const;
const quick = { template: operation("core.echo", "a", { value: 1 }) };

Deno.test("a schedule fires each tick once through kill -9 of its hub", async () => {
  const first = await startHubProcess({ keep: true });
  await first.api("PUT", "/api/workflows/quick", { body: quick });
  const { body: { id } } = await first.api<{ id: string }>("POST", "/api/schedules", { body: everySecond });
  await until("two ticks", async () => (await timesOf(first, id)).length >= 2);
  await first.kill("SIGKILL");
  await using second = await startHubProcess({ dataDir: first.dataDir });
  const before = (await timesOf(second, id)).length;
  // Those of the time without a hub, and new ones.
  await until("the missed ticks", async () => (await timesOf(second, id)).length >= before + 3);
  await assertOneRunATick(second, id);
});

Deno.test("two hubs on one database fire each tick once, also when one is killed", async () => {
  if (!await postgresAvailable()) return console.log("PostgreSQL does not answer: not run");
  const database = await testDatabase("postgres");
  const env = { HUB_DATABASE_URL: database.url! };
  try {
    await using a = await startHubProcess({ env });
    const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-" });
    await Deno.writeTextFile(`${dataDir}/admin.key`, a.key);
    await using b = await startHubProcess({ env, dataDir });
    await a.api("PUT", "/api/workflows/quick", { body: quick });
    const { body: { id } } = await a.api<{ id: string }>("POST", "/api/schedules", { body: everySecond });
    await until("three ticks", async () => (await timesOf(b, id)).length >= 3);
    await a.kill("SIGKILL");
    const before = (await timesOf(b, id)).length;
    await until("three more", async () => (await timesOf(b, id)).length >= before + 3);
    await assertOneRunATick(b, id);
  } finally {
    await database.drop();
  }
});

Deno.test("a signed delivery starts one run, whose end is sent out signed, though the hub is killed before", async () => {
  const received: { readonly id: string; readonly headers: Headers; readonly text: string }[] = [];
  let isUp = false;
  await using receiver = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const text = await request.text();
    if (!isUp) return new Response("not now", { status: 503 });
    received.push({ id: request.headers.get("webhook-id") ?? "", headers: request.headers, text });
    return new Response("thanks");
  });
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-" });
  const config = { egress: { allowPrivate: [`127.0.0.1:${receiver.addr.port}`] } };
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify(config));
  const first = await startHubProcess({ dataDir, keep: true });
  const echo = operation("core.echo", "a", { value: { $ref: "input.order" } });
  await first.api("PUT", "/api/workflows/shop", { body: { template: echo } });
  const make = async (body: unknown) =>
    (await first.api<{ webhook: { id: string; path: string }; secret: string }>("POST", "/api/webhooks", { body }))
      .body;
  const url = `http://127.0.0.1:${receiver.addr.port}/done`;
  const inner = { kind: "inbound", name: "in", target: { workflow: "shop" }, input: { order: { $ref: "body.id" } } };
  const incoming = await make(inner);
  const outgoing = await make({ kind: "outbound", name: "out", url, events: ["run.completed"] });
  const body = JSON.stringify({ id: "o-7" });
  const send = async (hub: HubProcess, secret: string) => {
    const headers = signHeaders({ id: "order-7", at: Date.now(), body, secrets: [secret] });
    return await hub.api<{ runId: string; duplicate: boolean }>("POST", `${incoming.webhook.path}?from=shop`, {
      raw: body,
      headers,
      key: null,
    });
  };
  assert.equal((await send(first, outgoing.secret)).status, 401);
  const started = await send(first, incoming.secret);
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const { runId } = started.body;
  await first.kill("SIGKILL");
  isUp = true;
  await using second = await startHubProcess({ dataDir });
  const deliveries = `/api/webhooks/${outgoing.webhook.id}/deliveries`;
  const [delivery] = await until("a delivery", async () => {
    const { body } = await second.api<{ items: { id: string; status: string }[] }>("GET", deliveries);
    return body.items.length > 0 ? body.items : null;
  });
  // It may wait for its next attempt: an operator need not.
  await second.api("POST", `${deliveries}/${delivery!.id}/redeliver`);
  const message = await until("the message", () => Promise.resolve(received[0]));
  const request = { headers: message.headers, body: new TextEncoder().encode(message.text) };
  const check = { scheme: "hub", secrets: [outgoing.secret], toleranceMs: 60_000, now: Date.now() } as const;
  assert.equal(verifySignature(request, check), delivery!.id);
  const { type, data } = JSON.parse(message.text);
  assert.deepEqual([type, data.runId, data.workflow, data.output], ["run.completed", runId, "shop", { value: "o-7" }]);
  const again = await send(second, incoming.secret);
  assert.deepEqual([again.status, again.body.runId, again.body.duplicate], [200, runId, true]);
});
