import assert from "node:assert/strict";
import { type TSchema, Type } from "@alkdev/typebox";
import { typeCompat } from "./type_compat.ts";

const name = Type.Object({ name: Type.String() });

Deno.test("typeCompat() accepts equal schemas, supersets and what may fit", () => {
  const fits: readonly (readonly [TSchema, TSchema])[] = [
    [Type.String(), Type.String()],
    [Type.Object({ name: Type.String(), more: Type.Number() }), name],
    [Type.Integer(), Type.Number()],
    [Type.Union([Type.String(), Type.Null()]), Type.String()],
    [Type.String(), Type.Union([Type.Literal("a"), Type.Literal("b")])],
    [Type.Array(name), Type.Array(name)],
    [
      Type.Intersect([name, Type.Object({ age: Type.Number() })]),
      Type.Object({ name: Type.String(), age: Type.Number() }),
    ],
    [Type.Record(Type.String(), Type.String()), name],
    [name, Type.Object({ name: Type.String(), nick: Type.Optional(Type.String()) })],
    [Type.Object({}), name],
  ];
  for (const [output, input] of fits) {
    assert.deepEqual(typeCompat(output, input), { compatible: true }, JSON.stringify([output, input]));
    assert.equal(typeCompat(JSON.parse(JSON.stringify(output)), JSON.parse(JSON.stringify(input))).compatible, true);
  }
});

Deno.test("typeCompat() does not compare what is unknown", () => {
  assert.equal(typeCompat(Type.Unknown(), name).detail, "Not compared: one side is unknown");
  assert.deepEqual(typeCompat(Type.Object({ name: Type.Any() }), name), { compatible: true });
});

Deno.test("typeCompat() tells every mismatch with its place", () => {
  assert.deepEqual(
    typeCompat(
      Type.Object({ a: Type.String(), list: Type.Array(Type.Object({ x: Type.Boolean() })), kind: Type.Literal("a") }),
      Type.Object({
        a: Type.Number(),
        b: Type.String(),
        list: Type.Array(Type.Object({ x: Type.String() })),
        kind: Type.Union([Type.Literal("b"), Type.Literal("c")]),
      }),
    ),
    {
      compatible: false,
      detail:
        '/a: want number, get string; /b: want string, get nothing; /list/0/x: want string, get boolean; /kind: want "b" | "c", get "a"',
      mismatches: [
        { path: "/a", expected: "number", actual: "string" },
        { path: "/b", expected: "string", actual: "nothing" },
        { path: "/list/0/x", expected: "string", actual: "boolean" },
        { path: "/kind", expected: '"b" | "c"', actual: '"a"' },
      ],
    },
  );
});
