/** Whatever template ran, however it went: the log that it left is one that it would write. */
import assert from "node:assert/strict";
import { TemplateError } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import fc from "fast-check";
import { templateArbitrary } from "../flowgraph/template/template_arbitrary.ts";
import { createWorkflowTest, type Mock, replay } from "./mod.ts";

/** Fails or takes its time, as the numbers say, one after the other. */
function moody(numbers: readonly number[]): Mock {
  let next = 0;
  return async (input, call) => {
    const number = numbers[next++ % numbers.length] ?? 0;
    await call.sleep(number * 500);
    if (number % 3 === 0) throw new CallError(number % 2 === 0 ? "EXECUTION_ERROR" : "TIMEOUT", "moody");
    return { x: number, input };
  };
}

Deno.test("replay() finds no divergence in what any template has just written, crashes or not", async () => {
  let runs = 0;
  const types = new Set<string>();
  const property = fc.asyncProperty(
    templateArbitrary(),
    fc.array(fc.nat(8), { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 1, max: 12 }),
    async (template, numbers, nth) => {
      const workflow = { name: "w", template };
      const t = createWorkflowTest({
        operations: { "core.echo": moody(numbers), "core.sleep": moody(numbers), "workflow.child": moody(numbers) },
        random: () => (numbers[0] ?? 0) / 10,
        crashes: [{ after: "call.requested", nth }],
      });
      let run;
      try {
        run = await t.run(workflow, { n: numbers[0] ?? 0, items: [1, 2], x: "y" });
      } catch (error) {
        if (error instanceof TemplateError) return;
        throw error;
      }
      for (let step = 0; step < 20 && run.status === "running"; step++) {
        const [wait] = run.waiting;
        if (wait !== undefined) await run.signal(wait.key, { x: 1 });
        await run.advance(step < 10 ? "20s" : "1d");
      }
      for (const { type } of run.events) types.add(type);
      runs++;
      assert.deepEqual(replay(workflow, JSON.parse(JSON.stringify(run.history()))).divergences, []);
    },
  );
  await fc.assert(property, { numRuns: 300 });
  assert.ok(runs > 50, `only ${runs} templates ran`);
  for (const type of ["call.error", "map.expanded", "loop.turned", "branch.taken", "timer.fired", "signal.received"]) {
    assert.ok(types.has(type), `no log has ${type}`);
  }
});
