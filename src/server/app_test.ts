import assert from "node:assert/strict";
import { Value } from "@alkdev/typebox/value";
import { authorized, type FakeWorld, fakeWorld, principalOf } from "./_fakes.ts";
import type { Mount } from "./mount.ts";
import { text } from "./reply.ts";
import { defineRoute } from "./route.ts";

interface ProblemBody {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly details?: Record<string, unknown>;
}

async function problemOf(response: Response | Promise<Response>): Promise<ProblemBody> {
  const { headers, status, ...rest } = await response;
  void rest;
  assert.equal(headers.get("content-type"), "application/problem+json");
  const body: ProblemBody = await (await response).json();
  assert.equal(body.status, status);
  assert.equal(headers.get("x-request-id"), body.requestId);
  assert.ok(body.title.length > 0);
  return body;
}

const start = (world: FakeWorld, body: BodyInit | null, headers: HeadersInit = {}) =>
  world.app.request(
    "/api/workflows/report/runs",
    authorized({ method: "POST", ...(body === null ? {} : { body }), headers }),
  );

Deno.test("every route refuses a request without a key, and with a key without scopes, unless it is for everyone", async () => {
  const { app } = fakeWorld();
  const open: string[] = [];
  for (const { method, path, scope } of app.routes) {
    const url = path.replace(/:[A-Za-z]+/g, "r1");
    if (scope === null) {
      open.push(path);
      assert.ok((await app.request(url, { method })).ok, path);
      continue;
    }
    const without = await app.request(url, { method });
    assert.equal(without.headers.get("www-authenticate"), `Bearer realm="hub"`, path);
    assert.equal((await problemOf(without)).code, "UNAUTHENTICATED");
    const wrong = await app.request(url, { method, headers: { "x-api-key": "wrong" } });
    assert.match(wrong.headers.get("www-authenticate") ?? "", /invalid_token/);
    assert.equal(wrong.status, 401);
    const weak = await problemOf(app.request(url, { method, headers: { "x-api-key": "none" } }));
    assert.deepEqual([weak.status, weak.code], [403, "ACCESS_DENIED"]);
    assert.deepEqual(weak.details?.requiredScopes, [scope].flat());
  }
  assert.deepEqual(open.sort(), ["/docs", "/health", "/openapi.json", "/ready"]);
});

Deno.test("successful answers fit the schemas that describe them", async () => {
  const world = fakeWorld({ metrics: () => Promise.resolve("up 1\n") });
  const bodies: Record<string, unknown> = {
    createKey: { name: "n", scopes: [] },
    registerWorkflow: { template: {} },
    migrateRun: { version: "v2" },
  };
  const queries: Record<string, string> = { diffWorkflowVersions: "?from=v1" };
  const ids: Record<string, string> = { operations: "core.echo", spokes: "s1", workflows: "report" };
  let checked = 0;
  for (const route of world.app.routes) {
    if (["getCall", "getCallTree", "streamOperation"].includes(route.name)) continue;
    const body = route.method === "GET" || route.body === undefined
      ? {}
      : { body: JSON.stringify(bodies[route.name] ?? {}) };
    const url = route.path.replace(
      /:[A-Za-z]+/g,
      ids[route.tag] ?? (route.path.startsWith("/api/workflows") ? "report" : "r1"),
    );
    const response = await world.app.request(
      url + (queries[route.name] ?? ""),
      authorized({ method: route.method, ...body }),
    );
    const spec = route.responses[response.status];
    assert.ok(response.ok && spec !== undefined, `${route.name}: ${response.status} ${await response.clone().text()}`);
    if (spec.schema === undefined || spec.contentType !== undefined) continue;
    const errors = [...Value.Errors(spec.schema, await response.json())].map(({ path, message }) =>
      `${path} ${message}`
    );
    assert.deepEqual(errors, [], route.name);
    checked++;
  }
  assert.ok(checked > 25, `only ${checked} were checked`);
});

Deno.test("starting a run passes on what the body and headers say, and of the key its id", async () => {
  const world = fakeWorld();
  const body = { input: { n: 1 }, priority: 5, labels: { team: "a" }, version: "v1" };
  const response = await start(world, JSON.stringify(body), { "idempotency-key": "once" });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("location"), "/api/runs/r1");
  assert.deepEqual(await response.json(), { id: "r1", status: "running", duplicate: false, url: "/api/runs/r1" });
  assert.deepEqual(world.started, [{
    workflow: "report",
    caller: { identity: { id: "ada", scopes: ["*"] }, orgId: "o1", keyId: "k1" },
    idempotencyKey: "once",
    ...body,
  }]);
});

Deno.test("starting a run without a body starts it with an empty input", async () => {
  const world = fakeWorld();
  assert.equal((await start(world, null)).status, 202);
  assert.deepEqual(world.started[0]?.input, {});
});

Deno.test("starting a run with Prefer: wait answers 200 with the output when it ends in time, 202 otherwise", async () => {
  const world = fakeWorld();
  const late = await start(world, "{}", { prefer: "respond-async, wait=100000" });
  assert.equal(late.status, 202);
  assert.equal(late.headers.get("preference-applied"), "wait=60");
  world.waitEnds = true;
  const ended = await start(world, "{}", { prefer: "wait=5" });
  assert.equal(ended.status, 200);
  const { status, output, duplicate } = await ended.json();
  assert.deepEqual([status, output, duplicate], ["completed", { value: 1 }, false]);
});

Deno.test("a body that is wrong is a problem that names the field, the value and what was wanted", async () => {
  const world = fakeWorld();
  const wrong = await problemOf(start(world, JSON.stringify({ priority: "high", lables: {} })));
  assert.deepEqual([wrong.status, wrong.code], [400, "VALIDATION_ERROR"]);
  assert.match(wrong.detail, /Field "priority" is "high": wanted integer/);
  assert.match(wrong.detail, /Field "lables" is not a known property/);
  assert.deepEqual(wrong.errors?.map(({ path }) => path).sort(), ["/lables", "/priority"]);
  assert.equal((await problemOf(start(world, "[]"))).code, "VALIDATION_ERROR");
  assert.equal((await problemOf(start(world, "{}", { "idempotency-key": "a b" }))).code, "VALIDATION_ERROR");
  const keys = world.app.request("/api/keys", authorized({ method: "POST" }));
  assert.match((await problemOf(keys)).detail, /Body is missing/);
  assert.equal(world.started.length, 0);
});

Deno.test("a body that cannot be read is 400, 413 or 415, and quotes nothing of it", async () => {
  const world = fakeWorld();
  const malformed = await problemOf(start(world, `{"password": "hunter2`));
  assert.deepEqual([malformed.status, malformed.code], [400, "MALFORMED_JSON"]);
  assert.ok(!malformed.detail.includes("hunter2"));
  const deep = await problemOf(start(world, `{"input":${"[".repeat(64)}${"]".repeat(64)}}`));
  assert.deepEqual([deep.status, deep.code], [400, "JSON_TOO_DEEP"]);
  assert.equal((await start(world, `{"input":${"[".repeat(63)}${"]".repeat(63)}}`)).status, 202);
  const type = await problemOf(start(world, "a=1", { "content-type": "application/x-www-form-urlencoded" }));
  assert.deepEqual([type.status, type.code], [415, "UNSUPPORTED_MEDIA_TYPE"]);
  const large = await problemOf(start(world, JSON.stringify({ input: "x".repeat(5000) })));
  assert.deepEqual([large.status, large.code], [413, "PAYLOAD_TOO_LARGE"]);
  const announced = await problemOf(start(world, "{}", { "content-length": "5000" }));
  assert.equal(announced.code, "PAYLOAD_TOO_LARGE");
  const field = await problemOf(start(world, JSON.stringify({ input: "x".repeat(2000) })));
  assert.equal(field.status, 413);
  assert.match(field.detail, /Field "input" is 2002 bytes: wanted at most 1024/);
});

Deno.test("query parameters are coerced and checked, and unknown ones are named", async () => {
  const { app } = fakeWorld();
  const get = (path: string) => app.request(path, authorized());
  assert.equal((await get("/api/runs?status=failed&status=aborted&label=a=1&limit=5&since=1")).status, 200);
  const wrong = await problemOf(get("/api/runs?status=lost&limit=x&limt=5&since=1&since=2"));
  assert.equal(wrong.status, 400);
  assert.deepEqual(wrong.errors?.map(({ path }) => path).sort(), ["?limit", "?limt", "?since", "?status/0"]);
  assert.match(wrong.detail, /"limt" is not a known query parameter: wanted one of workflow, status/);
  assert.match((await problemOf(get("/api/runs/r1/calls?x=1"))).detail, /wanted no query parameters/);
  assert.equal((await problemOf(get(`/api/runs?q=${"x".repeat(9000)}`))).status, 414);
  assert.equal((await problemOf(get("/api/runs?q=%00"))).status, 400);
  assert.equal((await problemOf(get("/api/runs/%00"))).errors?.[0]?.path, ":id");
});

Deno.test("codes of use cases get their status, and made up ones 422", async () => {
  const { app } = fakeWorld();
  const statuses = {
    RUN_NOT_FOUND: 404,
    RUN_ENDED: 409,
    VALIDATION_ERROR: 400,
    TIMEOUT: 504,
    OVERLOADED: 429,
    RUN_NOT_HERE: 503,
    OUT_OF_STOCK: 422,
  };
  for (const [code, status] of Object.entries(statuses)) {
    const response = await app.request(`/api/runs/${code}/abort`, authorized({ method: "POST" }));
    assert.equal(response.headers.has("retry-after"), status === 429 || status === 503, code);
    assert.deepEqual([(await problemOf(response)).code, response.status], [code, status]);
  }
});

Deno.test("an unexpected error is shown as an id and logged in full", async () => {
  const world = fakeWorld();
  const response = await world.app.request("/api/runs/bug", authorized({ headers: { "x-request-id": "my-id.1" } }));
  const text = await response.clone().text();
  assert.ok(!text.includes("secret internals"));
  const { code, status, detail, requestId } = await problemOf(response);
  assert.deepEqual([code, status, detail, requestId], ["INTERNAL_ERROR", 500, "Unexpected error my-id.1", "my-id.1"]);
  assert.equal(world.logged[0]?.requestId, "my-id.1");
  assert.match(String(world.logged[0]?.error), /secret internals/);
});

Deno.test("a request id that could break a log line is replaced", async () => {
  const { app } = fakeWorld();
  const response = await app.request("/api/runs/r1", authorized({ headers: { "x-request-id": "a b{}" } }));
  assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
});

Deno.test("an unknown path is 404, and an unknown method of a known one 405 with what it has", async () => {
  const { app } = fakeWorld();
  assert.equal((await problemOf(app.request("/api/nothing", authorized()))).code, "ROUTE_NOT_FOUND");
  const response = await app.request("/api/runs/r1", authorized({ method: "PATCH" }));
  assert.equal(response.headers.get("allow"), "GET, HEAD");
  assert.equal((await problemOf(response)).status, 405);
  assert.equal(
    (await app.request("/api/keys", authorized({ method: "OPTIONS" }))).headers.get("access-control-allow-origin"),
    null,
  );
});

Deno.test("readiness is 503 with the step until every step is done", async () => {
  const world = fakeWorld();
  world.ready = false;
  const response = await world.app.request("/ready");
  assert.deepEqual([response.status, await response.json()], [503, { ready: false, step: "migrations" }]);
  assert.equal((await world.app.request("/health")).status, 200);
  world.ready = true;
  assert.equal((await world.app.request("/ready")).status, 200);
});

Deno.test("workflows answer problems as 422, and near names for an unknown one", async () => {
  const { app } = fakeWorld();
  const put = (name: string) =>
    app.request(`/api/workflows/${name}`, authorized({ method: "PUT", body: `{"template":{}}` }));
  const bad = await problemOf(put("bad"));
  assert.deepEqual([bad.status, bad.code], [422, "WORKFLOW_INVALID"]);
  assert.deepEqual(bad.errors, [{ code: "CYCLE", path: "/children/0", message: "Node a waits for itself" }]);
  const unknown = await problemOf(app.request("/api/workflows/reprot", authorized()));
  assert.equal(unknown.detail, `Cannot find workflow "reprot": did you mean "report"?`);
  const old = await problemOf(app.request("/api/workflows/report?version=old", authorized()));
  assert.equal(old.detail, `Cannot find version "old" of workflow "report"`);
});

Deno.test("operations are searched, called, and hide what is internal", async () => {
  const { app } = fakeWorld();
  const list = async (query: string) =>
    (await (await app.request(`/api/operations?${query}`, authorized())).json()).items;
  assert.deepEqual((await list("q=TICK")).map(({ id }: { id: string }) => id), ["core.ticks"]);
  assert.deepEqual(await list("namespace=none"), []);
  assert.equal((await list("q=echo"))[0]._meta, undefined);
  const call = (id: string, input: unknown) =>
    app.request(`/api/operations/${id}`, authorized({ method: "POST", body: JSON.stringify({ input }) }));
  assert.deepEqual((await (await call("core.echo", { value: 1 })).json()).data, { value: 1 });
  assert.equal((await problemOf(call("core.none", {}))).status, 404);
  assert.equal((await problemOf(call("core.fail", { code: "TEAPOT" }))).status, 418);
  assert.equal((await problemOf(call("core.fail", { code: "ACCESS_DENIED" }))).status, 403);
  assert.match((await problemOf(call("core.ticks", {}))).detail, /core.ticks\/stream/);
});

Deno.test("lists page through everything once", async () => {
  const { app } = fakeWorld();
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await app.request(`/api/operations?limit=2${query}`, authorized());
    const page: { items: { id: string }[]; nextCursor: string | null } = await response.json();
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(seen, ["core.echo", "core.fail", "core.ticks"]);
});

Deno.test("graphs come as JSON, Mermaid and dot, at a past seq", async () => {
  const { app } = fakeWorld();
  const get = (query: string) => app.request(`/api/runs/r1/graph?${query}`, authorized());
  assert.equal((await (await get("at=2")).json()).seq, 2);
  assert.equal(await (await get("format=mermaid")).text(), "graph TD");
  const svg = await get("format=svg");
  assert.equal(await svg.text(), "<svg/>");
  assert.equal(svg.headers.get("content-type"), "image/svg+xml; charset=utf-8");
  assert.match(svg.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.equal(await (await get("format=dot")).text(), "digraph {}");
  assert.equal((await problemOf(get("format=png"))).status, 400);
});

Deno.test("createApp() takes routes and mounts of other rooms", async () => {
  const home = defineRoute({
    method: "GET",
    path: "/",
    name: "getViewer",
    tag: "viewer",
    summary: "The viewer",
    scope: null,
    responses: { 200: { description: "A page" } },
    handle: () => text("viewer", "text/plain"),
  });
  const mount: Mount = {
    path: "/mcp",
    scope: "operation:call",
    handle: ({ method, url }, principal) => new Response(`${method} ${new URL(url).pathname} ${principal?.keyId}`),
  };
  const { app } = fakeWorld({}, { routes: [home], mounts: [mount] });
  assert.equal(await (await app.request("/")).text(), "viewer");
  assert.equal(app.routes.filter(({ path }) => path === "/").length, 1);
  assert.equal(await (await app.request("/mcp", authorized({ method: "DELETE" }))).text(), "DELETE /mcp k1");
  assert.equal(await (await app.request("/mcp/x/y", authorized())).text(), "GET /mcp/x/y k1");
  assert.equal((await problemOf(app.request("/mcp"))).status, 401);
  assert.equal((await problemOf(app.request("/mcp", { headers: { "x-api-key": "none" } }))).status, 403);
  assert.equal((await app.request("/mcpx", authorized())).status, 404);
});

Deno.test("createApp() serves no route and no mount that does not say who may use it", () => {
  const route = {
    method: "GET",
    path: "/left-open",
    name: "getLeftOpen",
    tag: "test",
    summary: "Nobody has said who may",
    responses: { 200: { description: "A text" } },
    handle: () => text("open", "text/plain"),
  } as const;
  // As of a caller without types: what the compiler refuses.
  const untyped = (value: unknown) => value as never;
  for (const scope of [undefined, [], "", ["run:read", ""], "no:such", {}, false]) {
    const declared = scope === undefined ? {} : { scope };
    const routes = [untyped({ ...route, ...declared })];
    assert.throws(() => fakeWorld({}, { routes }), /Cannot serve GET \/left-open: its scope is/);
    const mounts = [untyped({ path: "/left", handle: () => new Response(), ...declared })];
    assert.throws(() => fakeWorld({}, { mounts }), /Cannot serve \/left: its scope is/);
  }
  assert.ok(fakeWorld({}, { routes: [defineRoute({ ...route, scope: ["run:read", "run:write"] })] }));
});

Deno.test("openapi.json describes every route, and every reference in it leads somewhere", async () => {
  const { app } = fakeWorld();
  const document = await (await app.request("/openapi.json")).json();
  assert.equal(document.openapi, "3.1.0");
  for (const { method, path, name } of app.routes) {
    const operation = document.paths[path.replace(/:(\w+)/g, "{$1}")][method.toLowerCase()];
    assert.equal(operation.operationId, name);
    for (const param of path.matchAll(/:(\w+)/g)) {
      const found = operation.parameters.find((one: { in: string; name: string }) =>
        one.in === "path" && one.name === param[1]
      );
      assert.equal(found?.required, true, `${name} ${param[1]}`);
    }
  }
  const names = app.routes.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const text = JSON.stringify(document);
  for (const [, id] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(Object.keys(document.components.schemas[id ?? ""]).length > 0, String(id));
  }
  assert.ok(!text.includes(`"$id"`));
  assert.deepEqual(document.components.schemas.CallTree.properties.children.items, {
    $ref: "#/components/schemas/CallTree",
  });
});

Deno.test("GET /api/types declares operations, and workflows only to a key that may see them", async () => {
  const world = fakeWorld();
  const response = await world.app.request("/api/types", authorized());
  assert.match(response.headers.get("content-type") ?? "", /^text\/typescript/);
  const all = await response.text();
  assert.match(all, /"core\.echo": \{/);
  assert.match(all, /interface WorkflowTypes \{\n {4}.*"report"/s);
  world.principals.set("types", principalOf(["operation:read"]));
  const some = await (await world.app.request("/api/types", { headers: { "x-api-key": "types" } })).text();
  assert.match(some, /"core\.echo": \{/);
  assert.doesNotMatch(some, /"report"/);
});
