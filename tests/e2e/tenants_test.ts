/** I9: a key of one organization reads, starts and stops nothing of another's, on any route that the OpenAPI document has. */
import assert from "node:assert/strict";
import { keysOf } from "../../src/hub/keys.ts";
import { migrate, openDatabase } from "../../src/storage/mod.ts";
import { container, operation, startHubProcess, until } from "./_hub_process.ts";

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

/** What a route has to be sent to be taken at its word. */
const BODIES: Readonly<Record<string, unknown>> = {
  "/api/runs/prune": { filter: { olderThan: "0s" }, action: "delete", dryRun: true },
};

Deno.test("a key of another organization gets nothing, starts nothing and stops nothing (I9)", async (t) => {
  const stranger = await withStranger();
  await using hub = await startHubProcess({ dataDir: stranger.dataDir });
  const template = container("sequential", [
    operation("core.echo", "a", { value: "secret-of-default" }),
    operation("core.sleep", "b", { ms: 60_000 }),
  ]);
  assert.equal(
    (await hub.api("PUT", "/api/workflows/mine", { body: { template, title: "secret-of-default" } })).status,
    200,
  );
  const run = await hub.api<{ id: string }>("POST", "/api/workflows/mine/runs", {
    body: { input: { note: "secret-of-default" }, labels: { team: "secret-of-default" } },
  });
  const runId = run.body.id;
  const calls = await until("both nodes have been called", async () => {
    const { body } = await hub.api<{ items: { requestId: string }[] }>("GET", `/api/runs/${runId}/calls`);
    return body.items.length === 3 && body.items;
  });
  const made = await hub.api<{ record: { id: string } }>("POST", "/api/keys", {
    body: { name: "secret-of-default", scopes: ["run:read"] },
  });
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${hub.key}`]);
  await new Promise<void>((resolve) => socket.onopen = () => resolve());
  socket.send(JSON.stringify({
    type: "call.requested",
    id: "",
    payload: {
      requestId: "r",
      operationId: "hub.register",
      input: { name: "secret-of-default", operations: [{ namespace: "private", name: "op" }] },
    },
  }));
  const spoke = await until("the spoke is there", async () => {
    const { body } = await hub.api<{ items: { id: string }[] }>("GET", "/api/spokes");
    return body.items[0];
  });
  const ids: Readonly<Record<string, string>> = {
    "/api/runs": runId,
    "/api/calls": calls[1]!.requestId,
    "/api/keys": made.body.record.id,
    "/api/spokes": spoke.id,
    "/api/operations": "private.op",
    "/api/budgets": runId,
  };
  const { body: api } = await hub.api<OpenApi>("GET", "/openapi.json", { key: null });
  let asked = 0;
  for (const [path, methods] of Object.entries(api.paths)) {
    if (!path.startsWith("/api/")) continue;
    const base = Object.keys(ids).find((prefix) => path.startsWith(prefix));
    const url = path.replace("{name}", path.startsWith("/api/workflows") ? "mine" : "go").replace(
      "{id}",
      ids[base ?? ""] ?? "x",
    )
      .replace("{requestId}", calls[1]!.requestId)
      .replace("{kind}", "run");
    for (const method of Object.keys(methods)) {
      // A name that the other organization has not taken is free: it makes its own workflow, key or template check.
      // An import makes a run of its own.
      if (
        ["put /api/workflows/{name}", "post /api/keys", "post /api/workflows/{name}/validate", "post /api/runs/import"]
          .includes(
            `${method} ${path}`,
          )
      ) continue;
      await t.step(`${method.toUpperCase()} ${path}`, async () => {
        const given = BODIES[path] ?? (path.endsWith("/signals/{name}") ? 1 : {});
        const body = method === "get" || method === "delete" ? {} : { body: given };
        const answer = await hub.api(method.toUpperCase(), url, { key: stranger.key, ...body });
        assert.ok(
          !JSON.stringify(answer.body).includes("secret-of-default"),
          JSON.stringify(answer.body).slice(0, 300),
        );
        if (path.includes("{")) {
          assert.equal(answer.status, 404, `${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`);
        } else assert.equal(answer.status, 200);
      });
      asked++;
    }
  }
  assert.ok(asked >= 20, `only ${asked} routes were asked`);
  await t.step("what the stranger did changed nothing", async () => {
    assert.equal((await hub.api("GET", `/api/runs/${runId}`)).body.status, "running");
    assert.equal((await hub.api<{ items: unknown[] }>("GET", "/api/runs")).body.items.length, 1);
    const keys = await hub.api<{ items: { id: string; revokedAt: unknown }[] }>("GET", "/api/keys");
    assert.equal(keys.body.items.find(({ id }) => id === made.body.record.id)?.revokedAt ?? null, null);
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
    assert.match(await ask("3", "hub.runEvents", { runId }), /RUN_NOT_FOUND/);
    other.close();
    await new Promise<void>((resolve) => other.onclose = () => resolve());
  });
  socket.close();
  await new Promise<void>((resolve) => socket.onclose = () => resolve());
});
