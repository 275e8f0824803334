import assert from "node:assert/strict";
import { nearestName } from "./nearest_name.ts";

Deno.test("nearestName() finds the candidate with the fewest edits", () => {
  assert.equal(nearestName("core.ehco", ["core.sleep", "core.echo", "core.eco"]), "core.echo");
  assert.equal(nearestName("INPUT", ["output", "input"]), "input");
  assert.equal(nearestName("timeuot", ["timeout", "retry"]), "timeout");
});

Deno.test("nearestName() gives undefined when nothing is near", () => {
  assert.equal(nearestName("a", ["xyz", "bcd"]), undefined);
  assert.equal(nearestName("completely", ["different"]), undefined);
  assert.equal(nearestName("x".repeat(65), ["x".repeat(65)]), undefined);
  assert.equal(nearestName("", []), undefined);
});
