import assert from "node:assert/strict";
import { allGuides, followGuides } from "./_guide.ts";
import { AUTHORING, CONTROL, COORDINATION, MANY_HUBS, OPERATING, PROXY, READ } from "./groups.ts";

Deno.test("the guides for authors work as written", (t) => followGuides(t, AUTHORING));

Deno.test("every guide is followed by a test, or it is said why not", async () => {
  assert.deepEqual(
    [...AUTHORING, ...CONTROL, ...OPERATING, ...PROXY, ...MANY_HUBS, ...COORDINATION, ...READ].sort(),
    await allGuides(),
  );
});
