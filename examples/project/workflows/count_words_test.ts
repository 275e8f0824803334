import assert from "node:assert/strict";
import { createWorkflowTest, fail, returns, sequence } from "@alkdev/testing";
import { countWords } from "../spoke/operations.ts";
import workflow from "./count_words.tsx";

Deno.test("count_words lists what the spoke counts", async () => {
  const t = createWorkflowTest({ operations: { "text.count": countWords } });
  const run = await (await t.run(workflow, { texts: ["one two", " three ", ""] })).finish();
  assert.deepEqual([run.status, run.output], ["completed", [2, 1, 0]]);
  assert.equal(run.calls("text.count").length, 3);
});

Deno.test("count_words tries again, a second later, when the spoke fails", async () => {
  const t = createWorkflowTest({ operations: { "text.count": sequence(fail("BUSY"), returns({ words: 2 })) } });
  const run = await t.run(workflow, { texts: ["one two"] });
  assert.equal(run.status, "running");
  await run.advance("1s");
  await run.finish();
  assert.deepEqual(run.output, [2]);
});

Deno.test("count_words counts once, though the hub is killed", async () => {
  const t = createWorkflowTest({
    operations: { "text.count": countWords },
    crashes: [{ after: "call.responded" }],
  });
  const run = await (await t.run(workflow, { texts: ["one two"] })).finish();
  assert.deepEqual([run.output, t.crashes, run.calls("text.count").length], [[2], 1, 1]);
});
