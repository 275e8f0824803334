import assert from "node:assert/strict";
import { STATUS_BY_CODE, statusOf } from "./status_codes.ts";

Deno.test("docs/errors.md lists every code with its status, and no other", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/errors.md", import.meta.url));
  const listed = [...text.matchAll(/^\| `([A-Z_]+)` +\| (\d+) /gm)].map(([, code, status]) => `${code} ${status}`);
  const known = [...STATUS_BY_CODE].map(([code, [status]]) => `${code} ${status}`);
  assert.deepEqual(listed.sort(), known.sort());
});

Deno.test("statusOf() gives 422 for a code of an operation's own", () => {
  assert.equal(statusOf("OUT_OF_STOCK")[0], 422);
});
