import assert from "node:assert/strict";
import { CallError, OperationRegistry } from "@alkdev/operations";
import type { Clock } from "../../../engine/ports.ts";
import { createDispatcher } from "../dispatcher.ts";
import type { Operations } from "../ports.ts";

const clock: Clock = {
  now: () => 0,
  at: () => () => {},
  afterTurn: (callback) => callback(),
};

function operations(httpHosts: readonly string[] = []): Operations {
  const pool = {
    spec: () => undefined,
    specs: () => [],
    call: () => Promise.reject(new Error()),
    stream: () => {
      throw new Error();
    },
  };
  return createDispatcher({ registry: new OperationRegistry(), pool, clock, httpHosts }).operations;
}

const caller = (...scopes: string[]) => ({ identity: { id: "ann", scopes }, orgId: "acme" });
const all = operations();

async function call(operationId: string, input: unknown, from = caller("*"), on = all): Promise<unknown> {
  return (await on.call({ caller: from, operationId, input })).data;
}

const hasCode = (code: string) => (error: unknown) => {
  assert(error instanceof CallError, `wanted a CallError, got ${error}`);
  assert.equal(error.code, code);
  return true;
};

Deno.test("core.echo gives its value back", async () => {
  assert.deepEqual(await call("core.echo", { value: { deep: [1, null] } }), { value: { deep: [1, null] } });
  await assert.rejects(call("core.echo", {}), hasCode("VALIDATION_ERROR"));
});

Deno.test("core.fail fails with the code and message it is given", async () => {
  await assert.rejects(call("core.fail", { code: "NO_LUCK", message: "Not today" }), (error) => {
    assert(error instanceof CallError);
    assert.deepEqual([error.code, error.message], ["NO_LUCK", "Not today"]);
    return true;
  });
});

Deno.test("core.eval evaluates CEL over its variables", async () => {
  assert.deepEqual(await call("core.eval", { expression: "a + b * 2", vars: { a: 1, b: 2 } }), { value: 5 });
  assert.deepEqual(
    await call("core.eval", { expression: "items.map(i, i.n)", vars: { items: [{ n: 1 }, { n: 2 }] } }),
    {
      value: [1, 2],
    },
  );
  await assert.rejects(call("core.eval", { expression: "1 +" }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(call("core.eval", { expression: "a.b.c", vars: { a: 1 } }), hasCode("VALIDATION_ERROR"));
});

Deno.test("hub.list, hub.search and hub.schema show what the caller may call", async () => {
  const reader = caller("operation:read");
  const ids = (list: unknown) => Array.isArray(list) ? list.map((entry) => entry.id) : assert.fail("no list");
  assert.deepEqual(ids(await call("hub.list", { namespace: "hub" }, reader)), ["hub.list", "hub.search", "hub.schema"]);
  assert.equal(ids(await call("hub.search", { query: "sleep" }, reader))[0], "core.sleep");
  assert.deepEqual(
    ids(await call("hub.search", { query: "no such thing at all xyz", limit: 1, namespace: "none" }, reader)),
    [],
  );
  const spec = await call("hub.schema", { operationId: "core.echo" }, reader);
  assert.equal(JSON.parse(JSON.stringify(spec)).inputSchema.type, "object");
  await assert.rejects(call("hub.schema", { operationId: "hub.call" }, reader), hasCode("OPERATION_NOT_FOUND"));
  await assert.rejects(call("hub.list", {}, caller()), hasCode("ACCESS_DENIED"));
});

Deno.test("hub.call calls another operation with no more rights than its caller has", async () => {
  assert.deepEqual(await call("hub.call", { operationId: "core.echo", input: { value: 7 } }), { value: 7 });
  const weak = caller("operation:call");
  await assert.rejects(call("hub.call", { operationId: "hub.list" }, weak), hasCode("ACCESS_DENIED"));
  await assert.rejects(call("hub.call", { operationId: "core.fail", input: { code: "X" } }, weak), hasCode("X"));
});

Deno.test("core.http reaches only allowed hosts, and follows redirects only within one", async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/json") return Response.json({ method: request.method, body: await request.text() });
    if (pathname === "/moved") return new Response(null, { status: 302, headers: { location: "/json" } });
    if (pathname === "/away") return new Response(null, { status: 302, headers: { location: "http://127.0.0.1:9/" } });
    if (pathname === "/loop") return new Response(null, { status: 302, headers: { location: "/loop" } });
    if (pathname === "/big") return new Response("x".repeat(2 * 1024 * 1024));
    return new Response("plain", { status: 404 });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  const url = (path: string) => ({ url: `http://${host}${path}` });
  const some = operations([host]);
  const get = (input: unknown) => call("core.http", input, caller(), some);
  const pick = (answer: unknown) => JSON.parse(JSON.stringify(answer, ["status", "body", "method"]));
  assert.deepEqual(pick(await get(url("/moved"))), { status: 200, body: { method: "GET", body: "" } });
  assert.deepEqual(pick(await get({ ...url("/json"), method: "post", body: { a: 1 } })).body.body, '{"a":1}');
  assert.deepEqual(pick(await get(url("/none"))), { status: 404, body: "plain" });
  await assert.rejects(get(url("/away")), hasCode("HOST_NOT_ALLOWED"));
  await assert.rejects(get(url("/loop")), hasCode("EXECUTION_ERROR"));
  await assert.rejects(get(url("/big")), hasCode("RESPONSE_TOO_LARGE"));
  await assert.rejects(get({ url: "http://127.0.0.1:9/" }), hasCode("HOST_NOT_ALLOWED"));
  await assert.rejects(get({ url: "file:///etc/passwd" }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(call("core.http", url("/json")), hasCode("HOST_NOT_ALLOWED"));
});
