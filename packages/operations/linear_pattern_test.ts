import assert from "node:assert/strict";
import { linearPattern, PatternError } from "./linear_pattern.ts";

Deno.test("linearPattern() matches what JavaScript matches", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["^[\\w.-]+@[\\w-]+\\.\\w+$", ["a.b@c.d", "a@b", "@.c"]],
    ["a/b|\\u0041", ["xa/by", "A", "a"]],
    ["^(?<year>\\d{4})-[^]$", ["2026-\n", "2026-", "202-1"]],
    ["^[(?=\\\\1]$", ["=", "1", "\\", "2"]],
    ["\\\\1", ["\\1", "1"]],
    ["^.$", ["é", "😀", "ab"]],
  ];
  for (const [source, texts] of cases) {
    for (const text of texts) {
      assert.equal(linearPattern(source).test(text), new RegExp(source, "u").test(text), `${source} on ${text}`);
    }
  }
});

Deno.test("linearPattern() needs no more than linear time", () => {
  const text = "a".repeat(100_000) + "!";
  const start = performance.now();
  for (const source of ["^(a+)+$", "^(a|aa)+$", "^(.*a){12}$"]) assert.equal(linearPattern(source).test(text), false);
  assert.ok(performance.now() - start < 2_000);
});

Deno.test("linearPattern() says why it refuses a pattern", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["(?=a)b", /look-around/],
    ["(?<!a)b", /look-around/],
    ["(a)\\1", /back reference/],
    ["(?<n>a)\\k<n>", /back reference/],
    ["(", /missing closing \)/],
    ["^.{1,1001}$", /repeat count/],
    ["((a{100}){100}){100}", /repeat count/],
    ["(a?){1000}", /too large once its counts are written out/],
    ["x".repeat(5_000), /the most is 4096/],
  ];
  for (const [source, reason] of cases) {
    assert.throws(() => linearPattern(source), (error) => {
      assert.ok(error instanceof PatternError);
      assert.match(error.message, reason);
      return true;
    });
  }
});

Deno.test("linearPattern() matches no text past the longest that its size allows", () => {
  const pattern = linearPattern("^[ab]{100}");
  assert.equal(pattern.test("a".repeat(pattern.longest)), true);
  assert.equal(pattern.test("a".repeat(pattern.longest + 1)), false);
  assert.ok(pattern.longest > 50_000, String(pattern.longest));
});
