import assert from "node:assert/strict";
import fc from "fast-check";
import { appendSegment, parseReference, resolveReference, walkPath } from "./parse_reference.ts";

Deno.test("parseReference() gives root and path when the text is a reference", () => {
  assert.deepEqual(parseReference("nodes.a.items.0.name"), { root: "nodes", path: ["a", "items", "0", "name"] });
  assert.deepEqual(parseReference('input.a[0]["b.c"].d'), { root: "input", path: ["a", "0", "b.c", "d"] });
  assert.deepEqual(parseReference("file"), { root: "file", path: [] });
  for (const text of ["", ".a", "a.", "a..b", "a[b]", "a[0", 'a["x]', "9a", "a b", "a.b c", "a".repeat(2000)]) {
    assert.equal(parseReference(text), null, text);
  }
});

Deno.test("appendSegment() writes what parseReference() reads, whatever the segment", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }), (path) => {
    const text = path.filter((segment) => segment !== "").reduce(appendSegment, "nodes");
    assert.deepEqual(parseReference(text)?.path, path.filter((segment) => segment !== ""));
  }));
});

Deno.test("walkPath() follows own properties only and gives null for what is missing", () => {
  assert.equal(walkPath({ a: [{ b: 1 }] }, ["a", "0", "b"]), 1);
  assert.equal(walkPath([1, 2], ["length"]), 2);
  for (const path of [["constructor"], ["__proto__"], ["a", "b"], ["toString", "name"]]) {
    assert.equal(walkPath({}, path), null);
  }
  assert.equal(walkPath("text", ["length"]), null);
});

Deno.test("resolveReference() reads the scope's own roots", () => {
  const scope = { nodes: { a: { v: 1, no: undefined } }, input: { n: 2 }, file: "x" };
  assert.equal(resolveReference("nodes.a.v", scope), 1);
  assert.equal(resolveReference("nodes.a.no", scope), null);
  assert.equal(resolveReference("file", scope), "x");
  assert.equal(resolveReference("constructor.name", scope), null);
  assert.equal(resolveReference("not a reference", scope), null);
});
