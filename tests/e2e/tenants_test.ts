/**
 * I9: a key of one organization reads, starts and stops nothing of another's, on any route that the OpenAPI document has. It is
 * told the same of what another organization has as of what nobody has.
 */
import assert from "node:assert/strict";
import { keysOf } from "../../src/hub/keys.ts";
import { migrate, openDatabase } from "../../src/storage/mod.ts";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";
import { type Ids, ROUTE_PROBES } from "./_tenant_routes.ts";

const SECRET = "secret-of-default";

/** A data directory whose database already has another organization with a key that may do everything. */
async function withStranger(): Promise<{ readonly dataDir: string; readonly key: string }> {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-tenants-" });
  const db = await openDatabase({ dataDir });
  try {
    await migrate(db);
    const { key } = await keysOf(db).create({ ownerId: "stranger", orgId: "other", name: "stranger", scopes: ["*"] });
    return { dataDir, key };
  } finally {
    await db.close();
  }
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One of everything that an organization can have, and the spoke's open socket. */
async function furnish(hub: HubProcess): Promise<{ readonly ids: Ids; readonly socket: WebSocket }> {
  const make = async <T>(method: string, path: string, body: unknown): Promise<T> => {
    const answer = await hub.api<T>(method, path, { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const template = container("sequential", [
    operation("core.echo", "a", { value: SECRET }),
    operation("core.sleep", "b", { ms: 60_000 }),
  ]);
  await make("PUT", "/api/workflows/mine", { template, title: SECRET });
  await make("PUT", `/api/limits/${SECRET}`, { concurrency: 1 });
  const hold = await make<{ id: string }>("POST", "/api/holds", { kind: "operation", name: SECRET });
  const schedule = await make<{ id: string }>("POST", "/api/schedules", {
    name: SECRET,
    workflow: "mine",
    cron: "0 0 1 1 *",
  });
  const webhook = await make<{ webhook: { id: string } }>("POST", "/api/webhooks", {
    kind: "inbound",
    name: SECRET,
    target: { workflow: "mine" },
  });
  await make("PUT", "/api/clients/private-client", {
    type: "openapi",
    spec: { openapi: "3.1.0", paths: { "/x": { get: { operationId: "x", summary: SECRET } } } },
    baseUrl: "https://service.invalid/",
    auth: { type: "bearer", token: SECRET },
  });
  const outbound = await make<{ webhook: { id: string } }>("POST", "/api/webhooks", {
    kind: "outbound",
    name: `${SECRET}-out`,
    url: "https://receiver.invalid/hook",
    events: ["run.paused", "run.aborted"],
  });
  const run = await make<{ id: string }>("POST", "/api/workflows/mine/runs", {
    input: { note: SECRET },
    labels: { team: SECRET },
    budget: { calls: 1000 },
  });
  const calls = await until("both nodes have been called", async () => {
    const { body } = await hub.api<{ items: { requestId: string }[] }>("GET", `/api/runs/${run.id}/calls`);
    return body.items.length === 3 && body.items;
  });
  const ended = await make<{ id: string }>("POST", "/api/workflows/mine/runs", { labels: { team: SECRET } });
  await make("POST", `/api/runs/${ended.id}/abort`, {});
  const delivery = await until("a delivery is written down", async () => {
    const { body } = await hub.api<{ items: { id: string }[] }>(
      "GET",
      `/api/webhooks/${outbound.webhook.id}/deliveries`,
    );
    return body.items[0];
  });
  const job = await make<{ id: string }>("POST", "/api/runs/prune", {
    filter: { olderThan: "365d", label: SECRET },
    action: "delete",
  });
  await make("PUT", "/api/roles/private-role", { systemPrompt: SECRET, title: SECRET });
  await make("POST", "/api/accounts", { id: "private-account", displayName: SECRET });
  const key = await make<{ record: { id: string } }>("POST", "/api/keys", { name: SECRET, scopes: ["run:read"] });
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${hub.key}`]);
  await new Promise<void>((resolve) => socket.onopen = () => resolve());
  socket.send(JSON.stringify({
    type: "call.requested",
    id: "",
    payload: {
      requestId: "r",
      operationId: "hub.register",
      input: { name: SECRET, operations: [{ namespace: "private", name: "op" }] },
    },
  }));
  const spoke = await until("the spoke is there", async () => {
    const { body } = await hub.api<{ items: { id: string }[] }>("GET", "/api/spokes");
    return body.items[0];
  });
  const ids = {
    run: run.id,
    request: calls[1]!.requestId,
    key: key.record.id,
    spoke: spoke.id,
    operation: "private.op",
    workflow: "mine",
    schedule: schedule.id,
    webhook: webhook.webhook.id,
    client: "private-client",
    outbound: outbound.webhook.id,
    delivery: delivery.id,
    hold: hold.id,
    job: job.id,
    lineKey: SECRET,
    role: "private-role",
    account: "private-account",
  };
  return { ids, socket };
}

/** Ids of the same form that nobody has. */
function nobodys(ids: Ids): Ids {
  const other = (id: string): string => id.slice(0, -2) + (id.endsWith("00") ? "11" : "00");
  return {
    ...ids,
    run: other(ids.run),
    request: other(ids.request),
    key: other(ids.key),
    spoke: other(ids.spoke),
    operation: "private.no",
    workflow: "none",
    schedule: other(ids.schedule),
    webhook: other(ids.webhook),
    client: "nobodys-client",
    outbound: other(ids.outbound),
    delivery: other(ids.delivery),
    hold: other(ids.hold),
    job: other(ids.job),
    lineKey: "secret-of-nobody!",
    role: "nobodys-role",
    account: "nobodys-account",
  };
}

/** An answer without what may differ: the ids that were asked for, and the request's own. */
function bare(body: unknown, ids: Ids): string {
  let text = JSON.stringify(body).replace(/"requestId":"[^"]*"/, '"requestId":"-"');
  for (const [name, id] of Object.entries(ids)) text = text.replaceAll(id, `<${name}>`);
  return text;
}

Deno.test("a key of another organization gets nothing, starts nothing and stops nothing (I9)", async (t) => {
  const stranger = await withStranger();
  await using hub = await startHubProcess({ dataDir: stranger.dataDir });
  const { ids, socket } = await furnish(hub);
  const none = nobodys(ids);
  const { body: api } = await hub.api<OpenApi>("GET", "/openapi.json", { key: null });
  const routes = Object.entries(api.paths).filter(([path]) => path.startsWith("/api/")).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
  );
  await t.step("every route of the document has a probe, and every probe a route", () => {
    assert.deepEqual(routes.filter((route) => !Object.hasOwn(ROUTE_PROBES, route)), []);
    assert.deepEqual(Object.keys(ROUTE_PROBES).filter((route) => !routes.includes(route)), []);
  });
  for (const route of routes) {
    const probe = ROUTE_PROBES[route];
    if (probe === undefined) continue;
    const method = route.slice(0, route.indexOf(" "));
    const ask = (given: Ids) =>
      hub.api(method, probe.url(given), {
        key: stranger.key,
        ...(probe.body !== undefined && { body: probe.body(given) }),
      });
    await t.step(route, async () => {
      const answer = await ask(ids);
      assert.equal(answer.status, probe.status, JSON.stringify(answer.body).slice(0, 400));
      const said = bare(answer.body, probe.kind === "own" ? none : ids);
      assert.ok(!said.includes(SECRET), said.slice(0, 400));
      if (probe.kind === "own") {
        for (const id of [ids.run, ids.request, ids.key, ids.spoke, ids.schedule, ids.webhook, ids.hold, ids.job]) {
          assert.ok(!said.includes(id), said.slice(0, 400));
        }
        return;
      }
      const unknown = await ask(none);
      assert.equal(unknown.status, answer.status);
      assert.equal(bare(unknown.body, none), said);
    });
  }
  await t.step("what the stranger takes the name of stays what it was", async () => {
    const key = { key: stranger.key };
    await hub.api("PUT", `/api/limits/${SECRET}`, { ...key, body: { concurrency: 9 } });
    await hub.api("PUT", `/api/budgets/org/default`, { ...key, body: { calls: 1 } });
    await hub.api("PUT", `/api/workflows/mine`, {
      ...key,
      body: { template: operation("core.echo", "z", { value: 2 }) },
    });
    const { body: limits } = await hub.api<{ items: { concurrency: number }[] }>("GET", "/api/limits");
    assert.deepEqual(limits.items.map(({ concurrency }) => concurrency), [1]);
    assert.equal((await hub.api("GET", "/api/workflows/mine")).body.title, SECRET);
    const budget = await hub.api<{ limits?: { calls?: number } }>("GET", "/api/budgets/org/default");
    assert.notEqual(budget.body.limits?.calls, 1);
  });
  await t.step("what the stranger did changed nothing", async () => {
    assert.equal((await hub.api("GET", `/api/runs/${ids.run}`)).body.status, "running");
    assert.equal((await hub.api<{ items: unknown[] }>("GET", "/api/runs")).body.items.length, 2);
    const keys = await hub.api<{ items: { id: string; revokedAt: unknown }[] }>("GET", "/api/keys");
    assert.equal(keys.body.items.find(({ id }) => id === ids.key)?.revokedAt ?? null, null);
    for (const path of [`/api/schedules/${ids.schedule}`, `/api/webhooks/${ids.webhook}`]) {
      assert.equal((await hub.api("GET", path)).body.paused, false);
    }
    assert.equal((await hub.api<{ items: unknown[] }>("GET", "/api/holds")).body.items.length, 1);
    assert.equal((await hub.api("GET", `/api/spokes/${ids.spoke}`)).body.status, "connected");
  });
  await t.step("a socket of the stranger sees none of the operations and no events", async () => {
    const other = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${stranger.key}`]);
    await new Promise<void>((resolve) => other.onopen = () => resolve());
    const ask = (requestId: string, operationId: string, input: unknown) =>
      new Promise<string>((resolve) => {
        other.addEventListener("message", (event) => resolve(String(event.data)), { once: true });
        other.send(JSON.stringify({ type: "call.requested", id: "", payload: { requestId, operationId, input } }));
      });
    assert.ok(!(await ask("1", "hub.list", {})).includes("private.op"));
    assert.match(await ask("2", "private.op", {}), /OPERATION_NOT_FOUND/);
    assert.match(await ask("3", "hub.runEvents", { runId: ids.run }), /RUN_NOT_FOUND/);
    other.close();
    await new Promise<void>((resolve) => other.onclose = () => resolve());
  });
  socket.close();
  await new Promise<void>((resolve) => socket.onclose = () => resolve());
});
