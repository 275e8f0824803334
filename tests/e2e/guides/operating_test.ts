import { followGuides } from "./_guide.ts";
import { OPERATING } from "./groups.ts";

Deno.test("the guides to operating a hub work as written", (t) => followGuides(t, OPERATING));
