import assert from "node:assert/strict";
import { allGuides, followGuides } from "./_guide.ts";
import { AUTHORING, CONTROL, MANY_HUBS, OPERATING } from "./groups.ts";

Deno.test("the guides for authors work as written", (t) => followGuides(t, AUTHORING));

Deno.test("every guide is followed by a test", async () => {
  assert.deepEqual([...AUTHORING, ...CONTROL, ...OPERATING, ...MANY_HUBS].sort(), await allGuides());
});
