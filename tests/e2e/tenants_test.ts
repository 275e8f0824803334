/**
 * I9: a key of one organization reads, starts and stops nothing of another's, on any route that the OpenAPI document has. It is
 * told the same of what another organization has as of what nobody has.
 */
import assert from "node:assert/strict";
import { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import { operation, startHubProcess } from "./_hub_process.ts";
import { type Ids, ROUTE_PROBES } from "./_tenant_routes.ts";
import { bare, furnish, nobodys, SECRET, withStranger } from "./_tenant_world.ts";

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

Deno.test("a key of another organization gets nothing, starts nothing and stops nothing (I9)", async (t) => {
  const provider = new FakeProvider();
  const stranger = await withStranger({ egress: { allowPrivate: [new URL(provider.url).host] } });
  await using hub = await startHubProcess({ dataDir: stranger.dataDir });
  const { ids, socket } = await furnish(hub, provider);
  const runsBefore = (await hub.api<{ items: unknown[] }>("GET", "/api/runs?limit=100")).body.items.length;
  const none = nobodys(ids);
  const { body: api } = await hub.api<OpenApi>("GET", "/openapi.json", { key: null });
  const routes = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
  );
  await t.step("every route of the document has a probe, and every probe a route", () => {
    assert.deepEqual(routes.filter((route) => !Object.hasOwn(ROUTE_PROBES, route)), []);
    assert.deepEqual(Object.keys(ROUTE_PROBES).filter((route) => !routes.includes(route)), []);
  });
  await t.step("only these routes are for everyone", () => {
    const open = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).filter(([, operation]) => !hasScopes(operation)).map(([method]) => `${method} ${path}`)
    );
    assert.deepEqual(open.sort(), [
      "get /",
      "get /assets/{name}",
      "get /docs",
      "get /health",
      "get /openapi.json",
      "get /ready",
      "post /api/hooks/{id}",
    ]);
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
        // Names that the stranger has used itself stand in its own lists.
        const { operation: _operation, workflow: _workflow, model: _model, ...telling } = ids;
        for (const [name, id] of Object.entries(telling)) {
          assert.ok(!said.includes(id), `${name}: ${said.slice(0, 400)}`);
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
    assert.equal((await hub.api<{ items: unknown[] }>("GET", "/api/runs?limit=100")).body.items.length, runsBefore);
    assert.equal((await hub.api("GET", `/api/runs/${ids.busy}`)).body.status, "running");
    assert.equal((await hub.api("GET", `/v1/responses/${ids.response}`)).status, 200);
    const keys = await hub.api<{ items: { id: string; revokedAt: unknown }[] }>("GET", "/api/keys");
    assert.equal(keys.body.items.find(({ id }) => id === ids.key)?.revokedAt ?? null, null);
    for (const path of [`/api/schedules/${ids.schedule}`, `/api/webhooks/${ids.webhook}`]) {
      assert.equal((await hub.api("GET", path)).body.paused, false);
    }
    assert.equal((await hub.api<{ items: unknown[] }>("GET", "/api/holds")).body.items.length, 1);
    assert.equal((await hub.api("GET", `/api/spokes/${ids.spoke}`)).body.status, "connected");
  });
  socket.close();
  await new Promise<void>((resolve) => socket.onclose = () => resolve());
  await provider.stop();
});

function hasScopes(operation: unknown): boolean {
  return typeof operation === "object" && operation !== null && "x-required-scopes" in operation;
}
