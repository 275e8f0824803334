/** A hub with one of everything that an organization can have, and a key of another organization that may do everything there. */
import assert from "node:assert/strict";
import { keysOf } from "../../src/hub/keys.ts";
import { migrate, openDatabase } from "../../src/storage/mod.ts";
import type { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import { container, type HubProcess, operation, until } from "./_hub_process.ts";
import type { Ids } from "./_tenant_routes.ts";

/** In whatever the first organization has. */
export const SECRET = "secret-of-default";

/** A data directory whose database already has another organization with a key that may do everything. */
export async function withStranger(
  config: object = {},
): Promise<{ readonly dataDir: string; readonly key: string }> {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-tenants-" });
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify(config));
  const db = await openDatabase({ dataDir });
  try {
    await migrate(db);
    const { key } = await keysOf(db).create({ ownerId: "stranger", orgId: "other", name: "stranger", scopes: ["*"] });
    return { dataDir, key };
  } finally {
    await db.close();
  }
}

/** One of everything that an organization can have, and the spoke's open socket. */
export async function furnish(
  hub: HubProcess,
  provider: FakeProvider,
): Promise<{ readonly ids: Ids; readonly socket: WebSocket }> {
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
  await make("POST", "/api/boards", { name: "private-board", title: SECRET });
  await make("PUT", "/api/boards/private-board/tasks/a", { name: SECRET, body: SECRET });
  const key = await make<{ record: { id: string } }>("POST", "/api/keys", { name: SECRET, scopes: ["run:read"] });
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${hub.key}`]);
  await new Promise<void>((resolve) => socket.onopen = () => resolve());
  const taken = new Promise<string>((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      const { type, payload } = JSON.parse(String(data));
      if (type === "call.requested") resolve(payload.requestId);
    });
  });
  socket.send(JSON.stringify({
    type: "call.requested",
    id: "",
    payload: {
      requestId: "r",
      operationId: "hub.register",
      input: {
        name: SECRET,
        operations: [
          {
            namespace: "private",
            name: "op",
            description: SECRET,
            _meta: {
              mcp: { tool: "private-tool", prompt: "private-prompt", resource: { uri: "private://private-resource" } },
            },
          },
        ],
      },
    },
  }));
  const spoke = await until("the spoke is there", async () => {
    const { body } = await hub.api<{ items: { id: string }[] }>("GET", "/api/spokes");
    return body.items[0];
  });
  const allOf = { baseUrl: `${provider.url}/v1`, keys: [SECRET], models: [{ id: "private-model" }] };
  await make("PUT", "/api/clients/private-models", { type: "llm-provider", kind: "openai", ...allOf });
  const { spawned: [spawned] } = await make<{ spawned: { id: string }[] }>("POST", "/api/coord/spawn", {
    tasks: [{ task: SECRET }],
    model: "private-model",
  });
  const mapping = spawned?.id ?? "";
  await make("POST", "/api/coord/wait", { ids: [mapping] });
  const response = await make<{ id: string }>("POST", "/v1/responses", {
    model: "private-model",
    input: SECRET,
    store: true,
  });
  const session = await make<{ id: string }>("POST", "/api/sessions", { model: "private-model", title: SECRET });
  const prompted = await hub.api<{ turnId: string }>("POST", `/api/sessions/${session.id}/messages`, {
    body: { text: SECRET },
    headers: { prefer: "wait=20" },
  });
  assert.equal(prompted.status, 200, JSON.stringify(prompted.body));
  await make("PUT", `/api/workflows/${SECRET}`, { template: operation("private.op", "a", { note: SECRET }) });
  const busy = await make<{ id: string }>("POST", `/api/workflows/${SECRET}/runs`, {});
  const asked = await taken;
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
    mapping,
    board: "private-board",
    model: "private-model",
    response: response.id,
    session: session.id,
    turn: prompted.body.turnId,
    busy: busy.id,
    asked,
  };
  return { ids, socket };
}

/** Ids of the same form that nobody has. */
export function nobodys(ids: Ids): Ids {
  const other = (id: string): string => id.slice(0, -2) + (id.endsWith("00") ? "11" : "00");
  return {
    ...ids,
    run: other(ids.run),
    request: other(ids.request),
    key: other(ids.key),
    spoke: other(ids.spoke),
    operation: "private.no",
    workflow: "nobodys-workflow",
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
    mapping: other(ids.mapping),
    board: "nobodys-board",
    model: "nobodys-model",
    response: other(ids.response),
    session: other(ids.session),
    turn: other(ids.turn),
    busy: other(ids.busy),
    asked: other(ids.asked),
  };
}

/** An answer without what may differ: the ids that were asked for, and the request's own. */
export function bare(body: unknown, ids: Ids): string {
  let text = JSON.stringify(body).replace(/"requestId":"[^"]*"/, '"requestId":"-"');
  for (const [name, id] of Object.entries(ids)) text = text.replaceAll(id, `<${name}>`);
  return text;
}
