import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeContent } from "./merge_content.ts";
import { CONTENT_FIELDS, contentFrom, isSameContent, type TaskContent } from "./task.ts";

const plain: TaskContent = contentFrom({ id: "a", name: "A", dependsOn: ["b"] }, "Do it.\n");

Deno.test("mergeContent() takes each field from the side that changed it", () => {
  const task = { ...plain, status: "completed" as const };
  const file = { ...plain, body: "Do it well.\n", dependsOn: ["b", "c"] };
  assert.deepEqual(mergeContent(plain, task, file), {
    content: { ...plain, status: "completed", body: "Do it well.\n", dependsOn: ["b", "c"] },
    conflicts: [],
  });
  assert.deepEqual(mergeContent(plain, { ...plain, name: "B" }, { ...plain, name: "C" }).conflicts, ["name"]);
  assert.deepEqual(mergeContent(plain, { ...plain, name: "B" }, { ...plain, name: "B" }).conflicts, []);
  assert.deepEqual(mergeContent(null, { ...plain, name: "B" }, plain).conflicts, ["name"]);
});

Deno.test("mergeContent() loses no change of either side, and is the same from both", () => {
  const content = fc.record({
    name: fc.constantFrom("A", "B", "C"),
    body: fc.constantFrom("", "x", "y"),
    status: fc.constantFrom("pending" as const, "completed" as const),
    tags: fc.constantFrom<string[][]>([], ["t"]),
    risk: fc.constantFrom(null, "low" as const, "high" as const),
  }).map((more): TaskContent => ({ ...plain, ...more }));
  fc.assert(fc.property(content, content, content, (base, task, file) => {
    const { content: merged, conflicts } = mergeContent(base, task, file);
    const mirrored = mergeContent(base, file, task);
    assert.deepEqual([...mirrored.conflicts], [...conflicts]);
    if (conflicts.length === 0) assert.ok(isSameContent(merged, mirrored.content));
    for (const field of CONTENT_FIELDS.filter((it) => !conflicts.includes(it))) {
      const changed = [task, file].filter((side) => JSON.stringify(side[field]) !== JSON.stringify(base[field]));
      for (const side of changed) assert.deepEqual(merged[field], side[field], field);
      if (changed.length === 0) assert.deepEqual(merged[field], base[field], field);
    }
  }));
});
