import assert from "node:assert/strict";
import { compileExpression, MAX_EXPRESSION_LENGTH } from "./compile_expression.ts";
import { ExpressionError } from "./expression_error.ts";

function evaluate(source: string, scope: Record<string, unknown> = {}): unknown {
  return compileExpression(source).evaluate(scope);
}

Deno.test("compileExpression() compares and calculates JSON numbers with int and double literals", () => {
  for (const value of [4, 3.5]) {
    const scope = { nodes: { a: { value } } };
    assert.equal(evaluate("nodes.a.value > 3", scope), true);
    assert.equal(evaluate("nodes.a.value == 3", scope), false);
    assert.equal(evaluate("nodes.a.value + 1", scope), value + 1);
    assert.equal(evaluate("2 * nodes.a.value - 1.5", scope), 2 * value - 1.5);
    assert.equal(evaluate("nodes.a.value / 2", scope), value / 2);
    assert.equal(evaluate("nodes.a.value % 2", scope), value % 2);
  }
  assert.equal(evaluate("nodes.n in [1, 2, 3]", { nodes: { n: 2 } }), true);
  assert.equal(evaluate("size(nodes.list) == nodes.n", { nodes: { n: 2, list: [1, 2] } }), true);
  assert.equal(evaluate("nodes.list[nodes.n]", { nodes: { n: 1, list: ["a", "b"] } }), "b");
});

Deno.test("compileExpression() gives JSON back: safe integers are numbers, others BigInt", () => {
  assert.deepEqual(evaluate("{'a': [1, 2.5, size('abc')], 'b': null}"), { a: [1, 2.5, 3], b: null });
  assert.equal(evaluate("9007199254740993"), 9007199254740993n);
  assert.equal(evaluate("timestamp('2024-01-02T03:04:05Z')"), "2024-01-02T03:04:05.000Z");
});

Deno.test("compileExpression() gives CEL's own types as protobuf's JSON has them", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["5u", 5],
    ["[5u, {'n': 6u}]", [5, { n: 6 }]],
    ["b'abc'", "YWJj"],
    ["duration('1h')", "3600s"],
    ["timestamp('2020-01-01T00:00:00Z')", "2020-01-01T00:00:00.000Z"],
    ["optional.of(7)", 7],
    ["optional.none()", null],
  ];
  for (const [source, wanted] of cases) assert.deepEqual(evaluate(source), wanted, source);
});

Deno.test("compileExpression() collects the names an expression reads", () => {
  const { names } = compileExpression(
    `nodes.a.x > input.n && status["b-c"] == "completed" && has(errors.d.code) &&
     nodes.list.exists(x, x.ok && nodes.e) && cel.bind(y, item.z, y > size(nodes))`,
  );
  assert.deepEqual(names, {
    nodes: ["a", "list", "e"],
    status: ["b-c"],
    errors: ["d"],
    other: ["input", "item"],
    whole: ["nodes"],
  });
});

Deno.test("evaluate() reads a key as null when the scope has it not", () => {
  assert.equal(evaluate("errors.a == null && status.b == 'completed'", { status: { b: "completed" } }), true);
  assert.throws(() => evaluate("nodes.a.value > 3", { nodes: {} }), ExpressionError);
  assert.throws(() => evaluate("nodes.a.constructor", { nodes: { a: {} } }), /No such key: constructor/);
});

Deno.test("compileExpression() says where and why when the source is wrong", () => {
  const wrong: readonly (readonly [string, number, RegExp])[] = [
    ["nodes.a > 3 &&", 14, /Cannot read expression "nodes.a > 3 &&" at character 15: Unexpected token: EOF/],
    ["nodes.a = 3", 8, /Unexpected character: =/],
    ["nodes.a && nope(1)", 11, /nope/],
    ["1 + 'a'", 0, /no such overload: int \+ string/],
    ["[1].map(a, [1].map(b, [1].map(c, [1].map(d, d))))", 33, /more than 3 nested/],
    ["x".repeat(MAX_EXPRESSION_LENGTH + 1), 0, /the most is 4096/],
  ];
  for (const [source, position, message] of wrong) {
    assert.throws(() => compileExpression(source), (error) => {
      assert(error instanceof ExpressionError);
      assert.match(error.message, message);
      assert.equal(error.position, position, source);
      return true;
    });
  }
});

Deno.test("compileExpression() gives the same object when the source is the same", () => {
  assert.equal(compileExpression("1 + 1"), compileExpression("1 + 1"));
});
