import { followGuides } from "./_guide.ts";
import { CONTROL } from "./groups.ts";

Deno.test("the guides to acting on runs work as written", (t) => followGuides(t, CONTROL));
