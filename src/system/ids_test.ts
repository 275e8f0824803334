import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { createIds, uuidV5, uuidV7 } from "./ids.ts";
import { sha1Prefix16 } from "./sha1.ts";

Deno.test("sha1Prefix16() agrees with node:crypto for any text and prefix", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.string({ unit: "binary", maxLength: 200 }), (prefix, text) => {
      const out = new Uint8Array(16);
      sha1Prefix16(prefix, text, out);
      const expected = createHash("sha1").update(prefix).update(text).digest().subarray(0, 16);
      assert.deepEqual([...out], [...expected]);
    }),
    { numRuns: 500 },
  );
});

Deno.test("Ids.requestId() is a UUIDv5, the same for the same attempt and another for every other", () => {
  const ids = createIds();
  const id = ids.requestId("01a20ccb-b952-7000-bea6-c05718a9460d", "measure[3]", 1);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(ids.requestId("01a20ccb-b952-7000-bea6-c05718a9460d", "measure[3]", 1), id);
  assert.notEqual(ids.requestId("01a20ccb-b952-7000-bea6-c05718a9460d", "measure[3]", 2), id);
  assert.equal(uuidV5("x"), uuidV5("x"));
});

Deno.test("uuidV7() gives ids that sort in the order they were made", () => {
  const made = Array.from({ length: 10_000 }, uuidV7);
  assert.deepEqual([...made].sort(), made);
  assert.equal(new Set(made).size, made.length);
  assert.match(made[0]!, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
