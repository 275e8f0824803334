import assert from "node:assert/strict";
import { Value } from "@alkdev/typebox/value";
import {
  createDeliveries,
  createInbound,
  createMemoryDeliveryStore,
  createMemoryScheduleStore,
  createMemoryWebhookStore,
  createSchedules,
  createWebhooks,
} from "../triggers/mod.ts";
import { generateKeyRing } from "../crypto/mod.ts";
import { authorized, fakeWorld } from "./_fakes.ts";
import { hookRoute } from "./routes/hooks.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

const LIMITS = { bodyBytes: 4_096, inputBytes: 2_048, jsonDepth: 8, bodySeconds: 30, maxWaitSeconds: 1 };

/** The routes over stores in memory, and a request to one that checks the answer against its own schema. */
function world() {
  const now = () => 1_700_000_000_000;
  const none = () => assert.fail("not used");
  const runs = {
    start: () => Promise.resolve({ id: "r1", status: "running" as const, duplicate: false }),
    signal: none,
    list: none,
  };
  const catalog = {
    get: ({ name }: { readonly name: string }) =>
      Promise.resolve(name === "w" ? { decodeInput: (input: unknown) => input } : null) as never,
  };
  const keyRing = generateKeyRing();
  const store = createMemoryWebhookStore();
  const deliveries = createMemoryDeliveryStore();
  const owners = {
    standing: (
      { owner, orgId }: {
        readonly owner: { identity: { id: string; scopes: readonly string[] } };
        readonly orgId: string;
      },
    ) => Promise.resolve({ ok: true as const, caller: { orgId, identity: owner.identity } }),
  };
  const routes = [
    ...scheduleRoutes(createSchedules({ store: createMemoryScheduleStore(), runs, catalog, now })),
    ...webhookRoutes(
      createWebhooks({ store, catalog, keyRing, now }),
      createDeliveries({ webhooks: store, store: deliveries, now, onQueued: () => {} }),
    ),
    hookRoute(createInbound({ store, runs, owners, keyRing, now }), LIMITS),
  ];
  const { app } = fakeWorld({}, { routes });
  const ask = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await app.request(path, authorized(init));
    const text = await response.text();
    const answer = text === "" ? null : JSON.parse(text);
    const pattern = (route: string) => new RegExp(`^${route.replace(/:[a-z]+/g, "[^/]+")}$`);
    const route = routes.find((each) => each.method === method && pattern(each.path).test(path.split("?")[0]!));
    const schema = route?.responses[response.status]?.schema;
    if (response.ok && schema !== undefined) assert.deepEqual([...Value.Errors(schema, answer)], [], path);
    return { status: response.status, body: answer };
  };
  return { ask, app };
}

Deno.test("/api/schedules makes, shows, changes, pauses, runs and removes", async () => {
  const { ask } = world();
  const definition = { name: "s", workflow: "w", cron: "* * * * *" };
  const made = await ask("POST", "/api/schedules", { ...definition, paused: true });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const path = `/api/schedules/${made.body.id}`;
  assert.deepEqual([made.body.paused, made.body.nextAt, made.body.timeZone], [true, null, "UTC"]);
  assert.equal((await ask("POST", `${path}/resume`)).body.paused, false);
  assert.equal((await ask("GET", path)).body.nextAt, 1_700_000_040_000);
  assert.equal((await ask("PUT", path, { ...definition, cron: "0 * * * *" })).body.cron, "0 * * * *");
  assert.equal((await ask("POST", `${path}/run`)).body.id, "r1");
  const times = (await ask("GET", `${path}/times?count=2`)).body;
  assert.deepEqual([times.next.length, times.past.length], [2, 1]);
  assert.equal((await ask("POST", `${path}/pause`)).body.paused, true);
  assert.equal((await ask("GET", "/api/schedules")).body.items.length, 1);
  assert.equal((await ask("DELETE", path)).status, 204);
  assert.equal((await ask("GET", path)).body.code, "SCHEDULE_NOT_FOUND");
});

Deno.test("/api/schedules names the field that is wrong", async () => {
  const { ask } = world();
  const good = { name: "s", workflow: "w", cron: "* * * * *" };
  const wrong: readonly (readonly [object, string])[] = [
    [{ ...good, corn: "x" }, "/corn"],
    [{ ...good, cron: "* * 40 * *" }, "/cron"],
    [{ ...good, catchUp: "some" }, "/catchUp"],
    [{ ...good, jitterMs: -1 }, "/jitterMs"],
    [{ name: "s", workflow: "w" }, "/cron"],
  ];
  for (const [body, field] of wrong) {
    const answer = await ask("POST", "/api/schedules", body);
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.ok(answer.body.errors.some(({ path }: { path: string }) => path === field), JSON.stringify(answer.body));
  }
  assert.equal((await ask("POST", "/api/schedules", { ...good, workflow: "none" })).status, 404);
});

Deno.test("/api/webhooks makes both kinds, shows no secret but once, and pages through deliveries", async () => {
  const { ask } = world();
  const inner = { kind: "inbound", name: "in", target: { workflow: "w" } };
  const made = await ask("POST", "/api/webhooks", { ...inner, secret: "0123456789abcdef", scheme: "github" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.secret, "0123456789abcdef");
  const out = { kind: "outbound", name: "out", url: "https://x.test", events: ["run.failed"] };
  const { body: { webhook } } = await ask("POST", "/api/webhooks", out);
  const path = `/api/webhooks/${webhook.id}`;
  assert.equal((await ask("PUT", path, { ...out, events: ["run.paused"] })).body.definition.events[0], "run.paused");
  assert.equal((await ask("PUT", path, inner)).status, 400);
  assert.equal((await ask("POST", `${path}/pause`)).body.paused, true);
  assert.equal((await ask("POST", `${path}/resume`)).body.paused, false);
  assert.equal((await ask("POST", `${path}/rotate`)).body.webhook.secrets.length, 2);
  assert.deepEqual((await ask("GET", `${path}/deliveries?status=dead`)).body, { items: [], nextCursor: null });
  assert.equal((await ask("POST", `${path}/deliveries/none/redeliver`)).body.code, "DELIVERY_NOT_FOUND");
  assert.deepEqual((await ask("GET", `/api/webhooks/${made.body.webhook.id}/receipts`)).body, { items: [] });
  const list = await ask("GET", "/api/webhooks");
  assert.equal(list.body.items.length, 2);
  assert.ok(!JSON.stringify(list.body).includes("0123456789abcdef"));
  assert.equal((await ask("DELETE", path)).status, 204);
  assert.equal((await ask("GET", path)).status, 404);
});

Deno.test("/api/webhooks names the field that is wrong, of the kind that is meant", async () => {
  const { ask } = world();
  const wrong: readonly (readonly [object, string])[] = [
    [{ kind: "outbound", name: "o", url: "ftp://x", events: ["run.failed"] }, "/url"],
    [{ kind: "outbound", name: "o", url: "https://x", events: ["run.finished"] }, "/events/0"],
    [{ kind: "inbound", name: "i", target: { workflow: "w" }, filtre: "x" }, "/filtre"],
    [{ kind: "inbound", name: "i", target: { workflow: "w" }, secret: "short" }, "/secret"],
    [{ kind: "sideways", name: "i" }, "/kind"],
  ];
  for (const [body, field] of wrong) {
    const answer = await ask("POST", "/api/webhooks", body);
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.ok(answer.body.errors.some(({ path }: { path: string }) => path === field), JSON.stringify(answer.body));
  }
});

Deno.test("/api/hooks/:id needs no key, bounds the body, and takes any query", async () => {
  const { ask, app } = world();
  const made = await ask("POST", "/api/webhooks", {
    kind: "inbound",
    name: "in",
    target: { workflow: "w" },
    scheme: "github",
    secret: "It's-a-Secret-to-Everybody",
  });
  const post = async (body: string, headers: HeadersInit = {}) =>
    await (await app.request(`${made.body.webhook.path}?a=1&a=2`, { method: "POST", body, headers })).json();
  assert.equal((await post("{}")).code, "SIGNATURE_INVALID");
  assert.equal((await post("x".repeat(2_049))).code, "PAYLOAD_TOO_LARGE");
  assert.equal((await post("[".repeat(9))).code, "JSON_TOO_DEEP");
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode("It's-a-Secret-to-Everybody"),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const digest = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode("{}")));
  const signed = { "x-github-delivery": "d", "x-hub-signature-256": `sha256=${digest.toHex()}` };
  assert.deepEqual(await post("{}", signed), { outcome: "started", runId: "r1", duplicate: false });
});
