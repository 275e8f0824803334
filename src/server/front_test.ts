import assert from "node:assert/strict";
import type { AccessRecord } from "./access_log.ts";
import { authorized, fakeWorld, runView } from "./_fakes.ts";
import { defineRoute } from "./route.ts";
import { ok } from "./reply.ts";

const ORIGIN = "https://app.example";
const preflight = (origin: string): RequestInit => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
});

/** A GET that answers when it is told to. */
function slowRoute(path: string, answer: Promise<unknown>) {
  return defineRoute({
    method: "GET",
    path,
    name: path.slice(1),
    tag: "t",
    summary: "s",
    scope: null,
    responses: { 200: { description: "It" } },
    handle: async () => ok(await answer),
  });
}

Deno.test("without corsOrigins no answer has a CORS header, and a preflight allows nothing", async () => {
  const { app } = fakeWorld();
  for (const init of [preflight(ORIGIN), authorized({ headers: { origin: ORIGIN } })]) {
    const { headers, status } = await app.request("/api/runs", init);
    assert.ok(status < 300);
    assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("access-control")), []);
    assert.equal(headers.get("vary"), null);
  }
});

Deno.test("corsOrigins lets pages of these origins use the API, and of no others", async () => {
  const { app } = fakeWorld({ http: { corsOrigins: [ORIGIN] } });
  const allowed = await app.request("/api/workflows/report/runs", preflight(ORIGIN));
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), ORIGIN);
  assert.equal(allowed.headers.get("access-control-allow-methods"), "POST");
  assert.match(allowed.headers.get("access-control-allow-headers") ?? "", /\bauthorization\b.*\bidempotency-key\b/);
  assert.equal(allowed.headers.get("access-control-allow-credentials"), null);
  for (const url of ["/api/runs", "/api/no-such-thing"]) {
    const answer = await app.request(url, authorized({ headers: { origin: ORIGIN } }));
    assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN, url);
    assert.match(answer.headers.get("access-control-expose-headers") ?? "", /retry-after/);
    assert.match(answer.headers.get("vary") ?? "", /origin/);
  }
  for (const origin of ["https://evil.example", "https://app.example.evil.example", "null"]) {
    for (const init of [preflight(origin), authorized({ headers: { origin } })]) {
      const { headers } = await app.request("/api/runs", init);
      assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("access-control")), [], origin);
    }
  }
});

Deno.test("OPTIONS names the methods of a path, without a key; an unknown path is a 404", async () => {
  const { app } = fakeWorld();
  const known = await app.request("/api/workflows/report", { method: "OPTIONS" });
  assert.deepEqual([known.status, known.headers.get("allow")], [204, "GET, PUT, HEAD, OPTIONS"]);
  assert.equal((await app.request("/nowhere", { method: "OPTIONS" })).status, 404);
});

Deno.test("a conditional GET is answered 304 while nothing has changed, and 200 with a new tag after", async () => {
  const { app } = fakeWorld();
  for (
    const url of ["/api/runs/r1", "/api/runs/r1/graph", "/api/workflows/report", "/api/workflows", "/openapi.json"]
  ) {
    const first = await app.request(url, authorized());
    const etag = first.headers.get("etag") ?? assert.fail(`${url} has no tag`);
    assert.ok((await first.text()).length > 0);
    const again = await app.request(url, authorized({ headers: { "if-none-match": `"other", ${etag}` } }));
    assert.deepEqual([again.status, again.headers.get("etag"), await again.text()], [304, etag, ""], url);
    assert.equal(again.headers.get("content-type"), null);
    const other = await app.request(url, authorized({ headers: { "if-none-match": `W/"other"` } }));
    assert.equal(other.status, 200, url);
    await other.body?.cancel();
  }
  const refused = await app.request("/api/runs/r1", { headers: { "if-none-match": "*" } });
  assert.equal(refused.status, 401);
});

Deno.test("an answer of 4 KiB and more is compressed for those who take gzip, and is the same text", async () => {
  const { app } = fakeWorld();
  const plain = await app.request("/openapi.json");
  assert.equal(plain.headers.get("content-encoding"), null);
  const packed = await app.request("/openapi.json", { headers: { "accept-encoding": "br, gzip;q=0.8" } });
  assert.equal(packed.headers.get("content-encoding"), "gzip");
  assert.match(packed.headers.get("vary") ?? "", /accept-encoding/);
  assert.equal(packed.headers.get("etag"), plain.headers.get("etag"));
  const bytes = await packed.clone().bytes();
  const text = await new Response(packed.body?.pipeThrough(new DecompressionStream("gzip"))).text();
  assert.equal(text, await plain.text());
  assert.ok(bytes.length * 4 < text.length, `${bytes.length} of ${text.length}`);
  for (const refused of ["identity", "gzip;q=0", "br"]) {
    const { headers, body } = await app.request("/openapi.json", { headers: { "accept-encoding": refused } });
    assert.equal(headers.get("content-encoding"), null, refused);
    await body?.cancel();
  }
  const small = await app.request("/api/runs/r1", authorized({ headers: { "accept-encoding": "gzip" } }));
  assert.equal(small.headers.get("content-encoding"), null);
});

Deno.test("an event stream is never compressed, whoever asks", async () => {
  const { app } = fakeWorld();
  const headers = { accept: "text/event-stream", "accept-encoding": "gzip" };
  const stream = await app.request("/api/runs/r1/events", authorized({ headers }));
  assert.equal(stream.headers.get("content-encoding"), null);
  assert.match(await stream.text(), /^: open/);
});

Deno.test("addresses and headers that are too long are refused before anything looks at them", async () => {
  const { app } = fakeWorld();
  const long = await app.request(`/api/runs/${"a".repeat(20_000)}`, authorized());
  assert.deepEqual([long.status, (await long.json()).code], [414, "URI_TOO_LONG"]);
  const wide = await app.request("/api/runs/r1", authorized({ headers: { "x-other": "a".repeat(40_000) } }));
  assert.deepEqual([wide.status, (await wide.json()).code], [431, "HEADERS_TOO_LARGE"]);
});

Deno.test("requests beyond maxRequests are refused with Retry-After until one is done; probes and those that wait are not", async () => {
  const answer = Promise.withResolvers<unknown>();
  const { app } = fakeWorld({ http: { maxRequests: 2, maxWaiting: 1 } }, {
    routes: [slowRoute("/slow", answer.promise)],
  });
  const kept = [app.request("/slow"), app.request("/slow")];
  const refused = await app.request("/slow");
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
  assert.equal((await refused.json()).code, "TOO_BUSY");
  assert.equal((await app.request("/health")).status, 200);
  const waiting = app.request("/slow", { headers: { prefer: "wait=5" } });
  assert.equal((await app.request("/slow", { headers: { prefer: "wait=5" } })).status, 503);
  answer.resolve(1);
  for (const one of [...kept, waiting]) assert.equal((await one).status, 200);
  assert.equal((await app.request("/slow")).status, 200);
});

Deno.test("a GET that cannot read in time is a 503, and takes room until its reading ends", async () => {
  const answer = Promise.withResolvers<unknown>();
  const { app } = fakeWorld({ http: { readMs: 5, maxRequests: 1 } }, {
    routes: [slowRoute("/slow", answer.promise), slowRoute("/quick", Promise.resolve(1))],
  });
  const late = await app.request("/slow");
  assert.deepEqual([late.status, late.headers.get("retry-after")], [503, "1"]);
  assert.equal((await late.json()).code, "READ_TIMEOUT");
  assert.equal((await (await app.request("/quick")).json()).code, "TOO_BUSY");
  answer.resolve(1);
  // Its end is noticed some turns of the promise queue later.
  let status = 0;
  for (let turn = 0; turn < 20 && status !== 200; turn++) status = (await app.request("/quick")).status;
  assert.equal(status, 200);
});

Deno.test("a database that cannot be reached is a 503, whatever wraps its error", async () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const failed = new Error("Failed query", { cause: refused });
  const route = slowRoute("/failing", Promise.reject(failed));
  const world = fakeWorld({}, { routes: [route] });
  const answer = await world.app.request("/failing");
  assert.deepEqual([answer.status, (await answer.json()).code], [503, "STORAGE_UNAVAILABLE"]);
  assert.deepEqual(world.logged, []);
});

Deno.test("the access log has one line a request, with who and how, and neither query nor key", async () => {
  const records: AccessRecord[] = [];
  const done = Promise.withResolvers<void>();
  const { app } = fakeWorld({
    http: { accessLog: 1, serverTiming: true },
    onAccess: (record) => {
      if (records.push(record) === 3) done.resolve();
    },
  });
  const answer = await app.request("/api/runs?q=hunter2", authorized({ headers: { "x-request-id": "mine" } }));
  assert.match(answer.headers.get("server-timing") ?? "", /^total;dur=\d/);
  await app.request("/api/runs/nowhere/at/all");
  await app.request("/api/runs");
  assert.equal(records.length, 0, "nothing is written while a request is answered");
  await done.promise;
  assert.deepEqual(records.map(({ ms: _ms, requestId: _id, ...rest }) => rest), [
    { method: "GET", path: "/api/runs", status: 200, orgId: "o1", keyId: "k1" },
    { method: "GET", path: "/api/runs/nowhere/at/all", status: 404, orgId: null, keyId: null },
    { method: "GET", path: "/api/runs", status: 401, orgId: null, keyId: null },
  ]);
  assert.equal(records[0]?.requestId, "mine");
  assert.doesNotMatch(JSON.stringify(records), /hunter2|Bearer/);
});

Deno.test("HEAD answers as GET does, without the body", async () => {
  const { app } = fakeWorld();
  const head = await app.request("/api/runs/r1", authorized({ method: "HEAD" }));
  const get = await app.request("/api/runs/r1", authorized());
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.equal(head.headers.get("etag"), get.headers.get("etag"));
  assert.equal((await get.json()).id, runView().id);
});
