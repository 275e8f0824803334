import assert from "node:assert/strict";
import { hub, problem } from "./_command.ts";

Deno.test("HubClient says which command shows what there is, when something is not found", async () => {
  const told = await hub(["limits", "remove", "gpu"], () => problem(404, "LIMIT_NOT_FOUND", "no limit"));
  assert.equal(told.code, 1);
  assert.match(told.err, /hint: See `hub limits list`$/);
  const other = await hub(["limits", "remove", "gpu"], () => problem(404, "ELSE_NOT_FOUND", "no such thing"));
  assert.doesNotMatch(other.err, /hint/);
});
