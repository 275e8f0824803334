import assert from "node:assert/strict";
import { httpEnvelope, isResponseEnvelope, localEnvelope, mcpEnvelope, RESPONSE_SOURCES, unwrap } from "./mod.ts";

const http = httpEnvelope([1], { statusCode: 200, headers: {}, contentType: "application/json" });

Deno.test("isResponseEnvelope() knows the three sources, before and after JSON", () => {
  const envelopes = [localEnvelope(1, "a.b"), http, mcpEnvelope(1, { isError: false, content: [] })];
  for (const envelope of envelopes) {
    assert.equal(isResponseEnvelope(envelope), true);
    assert.equal(isResponseEnvelope(JSON.parse(JSON.stringify(envelope))), true);
  }
  assert.deepEqual(envelopes.map((envelope) => envelope.meta.source), RESPONSE_SOURCES);
});

Deno.test("isResponseEnvelope() is false for what merely looks like one", () => {
  for (
    const value of [
      null,
      undefined,
      1,
      "x",
      [],
      {},
      { data: 1 },
      { meta: { source: "local" } },
      { data: 1, meta: null },
      { data: 1, meta: "local" },
      { data: 1, meta: { source: "other" } },
      { data: 1, meta: {} },
    ]
  ) assert.equal(isResponseEnvelope(value), false, JSON.stringify(value));
});

Deno.test("isResponseEnvelope() accepts undefined data", () => {
  assert.equal(isResponseEnvelope(localEnvelope(undefined, "a.b")), true);
});

Deno.test("httpEnvelope() keeps its meta and unwrap() gives the data", () => {
  assert.deepEqual(http.meta, { source: "http", statusCode: 200, headers: {}, contentType: "application/json" });
  assert.deepEqual(unwrap(http), [1]);
});
