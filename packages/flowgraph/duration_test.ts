import assert from "node:assert/strict";
import { parseDuration } from "./duration.ts";

Deno.test("parseDuration() reads milliseconds and units, joined ones too", () => {
  const known: readonly (readonly [unknown, number])[] = [
    [0, 0],
    [1500, 1500],
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["1h30m", 5_400_000],
  ];
  for (const [value, ms] of known) assert.equal(parseDuration(value), ms, String(value));
  for (const value of [-1, NaN, Infinity, "", "5", "s", "5 s", "1w", "-5s", "1.s", null, {}]) {
    assert.equal(parseDuration(value), null, String(value));
  }
});
