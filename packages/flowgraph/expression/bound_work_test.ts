import assert from "node:assert/strict";
import { compileExpression } from "./compile_expression.ts";
import { ExpressionError } from "./expression_error.ts";

function evaluate(source: string, scope: Record<string, unknown> = {}): unknown {
  return compileExpression(source).evaluate(scope);
}

/** Ms that it takes to fail for its steps. */
function timeToRefuse(source: string, scope: Record<string, unknown> = {}): number {
  const expression = compileExpression(source);
  const start = performance.now();
  assert.throws(() => expression.evaluate(scope), (error) => {
    assert.ok(error instanceof ExpressionError);
    assert.match(error.message, /takes more than 1000000 steps/, source);
    return true;
  });
  return performance.now() - start;
}

/** Unbounded, each would take minutes to years; a busy machine takes its time for a bounded one, too. */
const ENOUGH_MS = 10_000;
const list = Array.from({ length: 400 }, (_, i) => i);
const long = Array.from({ length: 100_000 }, (_, i) => i);
const text = "a".repeat(1_000_000);

Deno.test("evaluate() ends in an error when nested comprehensions go over long lists", () => {
  const sources = [
    "l.all(a, l.all(b, l.all(c, true)))",
    "l.exists(a, l.exists(b, l.exists(c, a + b + c < 0)))",
    "l.map(a, l.map(b, l.map(c, c)))",
    "l.filter(a, l.filter(b, l.filter(c, c > 3).size() > 0).size() > 0)",
    "l.exists_one(a, l.exists_one(b, l.exists_one(c, c == a)))",
    "l.all(a, l.all(b, l.all(c, true)) || true)",
    "cel.bind(m, l, m.all(a, m.all(b, m.all(c, true))))",
    "has(m.x) && l.all(a, m.x.all(b, l.all(c, true)))",
    "l.filter(a, true).map(a, l.map(b, l.map(c, c)))",
    "{'a': l.map(a, l.map(b, l.map(c, c)))}",
    "true ? l.all(a, l.all(b, l.all(c, true))) : false",
  ];
  for (const source of sources) {
    const took = timeToRefuse(source, { l: list, m: { x: list } });
    assert.ok(took < ENOUGH_MS, `${source} took ${took} ms`);
  }
});

Deno.test("evaluate() ends in an error when an expression makes, compares or writes out what grows by doubling", () => {
  const doubling = (first: string, step: (name: string) => string, last: (name: string) => string): string => {
    let source = last("v24");
    for (let n = 24; n > 0; n--) source = `cel.bind(v${n}, ${step(`v${n - 1}`)}, ${source})`;
    return `cel.bind(v0, ${first}, ${source})`;
  };
  const sources = [
    doubling("[1]", (v) => `${v} + ${v}`, (v) => `${v}.size()`),
    doubling("'abcdefgh'", (v) => `${v} + ${v}`, (v) => `${v}.size()`),
    doubling("[1]", (v) => `[${v}, ${v}]`, (v) => v),
    doubling("[1]", (v) => `{'a': ${v}, 'b': ${v}}`, (v) => v),
    doubling("[1]", (v) => `[${v}, ${v}]`, (v) => `${v} == [v23, v23]`),
    doubling("[1]", (v) => `[${v}, ${v}]`, (v) => `${v} in [[v23, v23]]`),
  ];
  for (const source of sources) assert.ok(timeToRefuse(source) < ENOUGH_MS, source);
});

Deno.test("evaluate() ends in an error when a comprehension looks at long texts again and again", () => {
  for (
    const test of [
      "s.contains('b')",
      "s == t",
      "s < t",
      "size(s) > 0",
      "s.matches('b$')",
      "a in l",
      "[s, s].join()",
      "d.getHours('Asia/Tokyo')",
    ]
  ) {
    const took = timeToRefuse(`l.map(a, ${test})`, { l: long, s: text, t: text.slice(1) + "a", d: new Date(0) });
    assert.ok(took < 1_000, `${test} took ${took} ms`);
  }
});

Deno.test("evaluate() still goes over lists and texts of a common size", () => {
  assert.equal(evaluate("l.map(a, a * 2).filter(a, a > 10).size()", { l: long.slice(0, 50_000) }), 49_994);
  assert.equal(evaluate("l.all(a, l.exists(b, a == b))", { l: list.slice(0, 200) }), true);
  assert.equal(evaluate("s.contains('b') || s.size() == 1000000", { s: text }), true);
  assert.deepEqual(evaluate("{'kept': l}", { l: long }), { kept: long });
  // Each evaluation has its own steps.
  const source = "l.map(a, a + 1).size()";
  for (let i = 0; i < 5; i++) assert.equal(evaluate(source, { l: long }), 100_000);
});

Deno.test("evaluate() matches in linear time, and says why it does not take a pattern", () => {
  assert.equal(evaluate("s.matches('^(a+)+$')", { s: `${"a".repeat(10_000)}!` }), false);
  assert.equal(evaluate("'abc'.matches('b') && !'abc'.matches('^b')"), true);
  assert.throws(() => evaluate("'a'.matches('(?=a)')"), /"\(\?=a\)": it has a look-around/);
  assert.throws(() => evaluate("'a'.matches(p)", { p: "(" }), /Invalid regular expression "\("/);
  assert.throws(() => evaluate("x.matches('a')", { x: 1 }), /no matching overload/);
  assert.throws(() => compileExpression("1.matches('a')"), ExpressionError);
});
