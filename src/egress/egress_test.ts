import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { CallError } from "@alkdev/operations";
import { VirtualClock } from "../../engine/memory/mod.ts";
import { createSystemClock } from "../system/clock.ts";
import { createEgress, type Egress, type EgressOptions } from "./egress.ts";

const hasCode = (code: string, reason?: string) => (error: unknown) => {
  assert.ok(error instanceof CallError, String(error));
  assert.equal(error.code, code, error.message);
  if (reason !== undefined) assert.equal((error.details as { reason?: string }).reason, reason, error.message);
  return true;
};

/** A server on this machine and a way out that finds it under `name.test`, whose names are looked up in `names`. */
function world(
  handler: (request: Request) => Response | Promise<Response>,
  options: Partial<EgressOptions> & { readonly names?: Record<string, readonly (readonly string[])[]> } = {},
) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
  const { port } = server.addr;
  const lookups: string[] = [];
  const { names = {}, ...rest } = options;
  const egress: Egress = createEgress({
    clock: new VirtualClock(),
    allowPrivate: [`good.test:${port}`],
    resolve: (name) => {
      const before = lookups.filter((each) => each === name).length;
      lookups.push(name);
      const answers = names[name] ?? [["127.0.0.1"]];
      return Promise.resolve(answers[Math.min(before, answers.length - 1)]!);
    },
    ...rest,
  });
  return {
    egress,
    port,
    lookups,
    get: (path: string, host = "good.test") => egress.fetch(new Request(`http://${host}:${port}${path}`)),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("Egress.fetch() answers as fetch does, from the address that was looked up", async () => {
  await using it = world(async (request) =>
    Response.json({
      host: request.headers.get("host"),
      method: request.method,
      length: request.headers.get("content-length"),
      authorization: request.headers.get("authorization"),
      body: await request.text(),
    }, { status: 201, headers: { "x-answer": "1" } })
  );
  const url = `http://good.test:${it.port}/a?b=1`;
  const response = await it.egress.bound()(url, { method: "POST", body: "hello", headers: { authorization: "x" } });
  assert.equal(response.status, 201);
  assert.equal(response.url, url);
  assert.equal(response.headers.get("x-answer"), "1");
  assert.deepEqual(await response.json(), {
    host: `good.test:${it.port}`,
    method: "POST",
    length: "5",
    authorization: "x",
    body: "hello",
  });
  assert.deepEqual(it.lookups, ["good.test"]);
});

Deno.test("Egress.fetch() streams bodies that are longer than what it holds, both ways", async () => {
  await using it = world((request) => new Response(request.body));
  const size = 3 * 1024 * 1024;
  const body = new Blob([new Uint8Array(size).fill(7)]).stream();
  const response = await it.egress.fetch(new Request(`http://good.test:${it.port}/`, { method: "POST", body }));
  assert.equal((await response.bytes()).reduce((sum, byte) => sum + (byte === 7 ? 1 : 0), 0), size);
});

Deno.test("Egress.fetch() refuses private addresses however they are written", async () => {
  await using it = world(() => new Response("secret"), {
    names: {
      "mixed.test": [["1.1.1.1", "10.0.0.1"]],
      "meta.test": [["169.254.169.254"]],
      "six.test": [["::ffff:7f00:1"]],
    },
  });
  const urls = [
    "localhost",
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
  ];
  for (const host of [...urls, "mixed.test", "meta.test", "six.test"]) {
    await assert.rejects(it.get("/", host), hasCode("EGRESS_DENIED", "address"), host);
  }
});

Deno.test("Egress.fetch() refuses other schemes, credentials, and hosts that are not listed", async () => {
  await using it = world(() => new Response("secret"));
  const fetch = it.egress.bound();
  await assert.rejects(fetch("file:///etc/passwd"), hasCode("EGRESS_DENIED", "scheme"));
  await assert.rejects(fetch("ftp://good.test/"), hasCode("EGRESS_DENIED", "scheme"));
  await assert.rejects(fetch(`http://user:word@good.test:${it.port}/`), hasCode("EGRESS_DENIED", "credentials"));
  const narrow = it.egress.bound({ allowHosts: ["api.test"] });
  await assert.rejects(narrow(`http://good.test:${it.port}/`), hasCode("EGRESS_DENIED", "not-listed"));
  await using strict = world(() => new Response("x"), { allowHosts: ["other.test"] });
  await assert.rejects(strict.get("/"), hasCode("EGRESS_DENIED", "not-listed"));
});

Deno.test("Egress.fetch() connects to the address it has checked when the name changes its mind", async () => {
  let asked = 0;
  await using it = world(() => {
    asked++;
    return new Response("inside");
  }, { names: { "rebind.test": [["192.0.43.7"], ["127.0.0.1"]] } });
  // The checked address is public and unreachable from a test; what counts is that the second answer is never used.
  const request = new Request(`http://rebind.test:${it.port}/`, { signal: AbortSignal.timeout(300) });
  await assert.rejects(it.egress.fetch(request));
  assert.equal(it.lookups.length, 1);
  assert.equal(asked, 0);
});

Deno.test("Egress.fetch() tries the next address where one takes no connection", async () => {
  await using it = world(() => new Response("there"), { names: { "good.test": [["127.0.0.9", "127.0.0.1"]] } });
  assert.equal(await (await it.get("/")).text(), "there");
});

Deno.test("Egress.fetch() checks every hop of a redirect and keeps secrets from other origins", async () => {
  const seen: Record<string, string | null>[] = [];
  await using it = world((request) => {
    const { pathname } = new URL(request.url);
    const to = (location: string, status = 302) => new Response(null, { status, headers: { location } });
    if (pathname === "/private") return to("http://127.0.0.1:9/");
    if (pathname === "/loop") return to("/loop");
    if (pathname === "/local") return to("/end");
    if (pathname === "/other") return to(`http://also.test:${it.port}/end`, 307);
    if (pathname === "/post") return to("/end", 308);
    seen.push({
      authorization: request.headers.get("authorization"),
      key: request.headers.get("x-api-key"),
      type: request.headers.get("content-type"),
    });
    return request.body === null ? new Response("end") : new Response(request.body);
  });
  const egress = createEgress({
    clock: new VirtualClock(),
    allowPrivate: [`good.test:${it.port}`, `also.test:${it.port}`],
    resolve: () => Promise.resolve(["127.0.0.1"]),
  });
  const url = (path: string) => `http://good.test:${it.port}${path}`;
  const headers = { authorization: "Bearer x", "x-api-key": "y", "content-type": "text/x" };
  const fetch = egress.bound();
  await assert.rejects(fetch(url("/private")), hasCode("EGRESS_DENIED", "address"));
  await assert.rejects(fetch(url("/loop")), hasCode("EXECUTION_ERROR"));
  await (await fetch(url("/local"), { headers })).text();
  assert.deepEqual(seen.pop(), { authorization: "Bearer x", key: "y", type: "text/x" });
  const moved = await fetch(url("/other"), { headers, method: "POST", body: "again" });
  assert.equal(await moved.text(), "again");
  assert.equal(moved.url, `http://also.test:${it.port}/end`);
  assert.deepEqual(seen.pop(), { authorization: null, key: null, type: "text/x" });
  await assert.rejects(egress.bound({ sameHost: true })(url("/other")), hasCode("EGRESS_DENIED", "other-host"));
  assert.equal(await (await fetch(url("/post"), { method: "POST", body: "twice" })).text(), "twice");
  assert.equal((await egress.bound({ maxRedirects: 0 })(url("/local"))).status, 302);
});

Deno.test("Egress.fetch() ends a body that is too large, also one that only becomes so", async () => {
  const bomb = new Uint8Array(gzipSync(new Uint8Array(30 * 1024 * 1024)));
  await using it = world((request) =>
    new URL(request.url).pathname === "/bomb"
      ? new Response(bomb, { headers: { "content-encoding": "gzip" } })
      : new Response("x".repeat(200_000))
  );
  assert.ok(bomb.byteLength < 100_000);
  const fetch = it.egress.bound({ maxBytes: 100_000 });
  for (const path of ["/bomb", "/long"]) {
    const response = await fetch(`http://good.test:${it.port}${path}`);
    assert.equal(response.headers.get("content-encoding"), null);
    await assert.rejects(response.bytes(), hasCode("RESPONSE_TOO_LARGE"));
  }
  const whole = await it.egress.bound({ maxBytes: 31 * 1024 * 1024 })(`http://good.test:${it.port}/bomb`);
  assert.equal((await whole.bytes()).byteLength, 30 * 1024 * 1024);
});

Deno.test("Egress.fetch() gives up on a server that says nothing and on a body that stops", async () => {
  const clock = new VirtualClock();
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  await using it = world(async (request) => {
    if (new URL(request.url).pathname === "/silent") {
      asked.resolve();
      await released.promise;
      return new Response("late");
    }
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("a")),
      }),
    );
  }, { clock });
  const silent = it.get("/silent");
  await asked.promise;
  clock.advance(30_000);
  await assert.rejects(silent, hasCode("TIMEOUT"));
  released.resolve();
  const slow = await it.get("/slow");
  const reader = slow.body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "a");
  const rest = reader.read();
  clock.advance(30_000);
  await assert.rejects(rest, hasCode("TIMEOUT"));
  assert.equal(clock.nextDue(), null);
});

Deno.test("Egress.fetch() is aborted by the request's signal, before and within the answer", async () => {
  await using it = world(() =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("a")) }),
    )
  );
  const url = `http://good.test:${it.port}/`;
  await assert.rejects(it.egress.fetch(new Request(url, { signal: AbortSignal.abort(new Error("gone")) })), /gone/);
  const stop = new AbortController();
  const response = await it.egress.fetch(new Request(url, { signal: stop.signal }));
  const reader = response.body!.getReader();
  await reader.read();
  const rest = reader.read();
  stop.abort(new Error("enough"));
  await assert.rejects(rest, /enough/);
  await (await it.egress.fetch(new Request(url))).body!.cancel();
});

Deno.test("Egress.fetch() gives answers without a body, and says why a connection failed", async () => {
  await using it = world((request) =>
    request.method === "HEAD"
      ? new Response(null, { headers: { "content-encoding": "gzip" } })
      : new Response(null, { status: 204 })
  );
  assert.equal((await it.get("/")).status, 204);
  const head = await it.egress.fetch(new Request(`http://good.test:${it.port}/`, { method: "HEAD" }));
  assert.equal(await head.text(), "");
  const egress = createEgress({ clock: createSystemClock(), allowPrivate: ["127.0.0.1:1"] });
  await assert.rejects(egress.bound()("http://127.0.0.1:1/?secret=1"), (error: unknown) => {
    assert.ok(hasCode("EXECUTION_ERROR")(error) && error instanceof Error);
    assert.ok(!error.message.includes("secret"), error.message);
    return true;
  });
});
