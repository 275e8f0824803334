import assert from "node:assert/strict";
import fc from "fast-check";
import { RankedLine } from "./ranked_line.ts";

Deno.test("RankedLine gives the lowest rank first, in order of arrival among equals", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 5 }))), (steps) => {
      const line = new RankedLine<{ readonly rank: number; readonly id: number }>();
      const model: { readonly rank: number; readonly id: number }[] = [];
      steps.forEach((rank, id) => {
        if (rank !== null) {
          line.push({ rank, id });
          model.push({ rank, id });
          model.sort((a, b) => a.rank - b.rank || a.id - b.id);
        } else assert.deepEqual(line.shift(), model.shift());
        assert.equal(line.length, model.length);
      });
      while (line.length > 0) assert.deepEqual(line.shift(), model.shift());
    }),
  );
});
