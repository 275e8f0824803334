import assert from "node:assert/strict";
import { $input, inputRef, isReference, itemRef, ref } from "./reference.ts";

Deno.test("ref() serialises as a reference to whatever property is asked for", () => {
  const value = { a: ref("fetch").body, b: $input.n, c: itemRef<{ path: string }>("file").path, d: ref("x")["a.b"][0] };
  assert.equal(
    JSON.stringify(value),
    '{"a":{"$ref":"nodes.fetch.body"},"b":{"$ref":"input.n"},"c":{"$ref":"file.path"},"d":{"$ref":"nodes.x[\\"a.b\\"].0"}}',
  );
  assert.deepEqual(value.a, { $ref: "nodes.fetch.body" });
  assert.equal(`${ref("a").value} > 3`, "nodes.a.value > 3");
});

Deno.test("ref() is no promise", async () => {
  const reference = ref("a");
  assert.equal(await Promise.resolve(reference), reference);
});

Deno.test("ref() knows the properties when it is given a type", () => {
  const typed = inputRef<{ items: { name?: string }[] }>();
  assert.equal(typed.items[0]?.name.$ref, "input.items.0.name");
  // @ts-expect-error: the type has no such property
  assert.equal(typed.itmes.$ref, "input.itmes");
});

Deno.test("isReference() knows references from other objects", () => {
  assert(isReference(ref("a")));
  assert(isReference({ $ref: "nodes.a" }));
  for (const value of [null, "nodes.a", {}, { $ref: 1 }, { $ref: "a", b: 1 }, ["$ref"]]) assert(!isReference(value));
});
