import assert from "node:assert/strict";
import type { Plan } from "@alkdev/flowgraph";
import type { PlanStore } from "../../engine/ports.ts";

/** What every {@linkcode PlanStore} does. `again` opens the same store anew. */
export function planStoreConformance(
  name: string,
  create: () => Promise<{ readonly store: PlanStore; again(): PlanStore; close(): Promise<void> }>,
): void {
  Deno.test(`${name}: PlanStore get() gives what put() stored, also to another instance`, async () => {
    const { store, again, close } = await create();
    const plan: Plan = {
      planVersion: 1,
      workflow: "w\u0000",
      nodes: [{ kind: "sequential", key: "root", parent: -1, end: 2 }, {
        kind: "operation",
        key: "a",
        parent: 0,
        end: 2,
        operationId: "core.echo",
        input: { z: "\ud800", a: [1e300, -0.5] },
      }],
      output: null,
      failurePolicy: "continue-running",
    };
    assert.equal(await store.get("h"), null);
    await store.put("h", plan);
    await store.put("h", plan);
    await again().put("h", plan);
    assert.deepEqual(await store.get("h"), plan);
    assert.equal(JSON.stringify(await again().get("h")), JSON.stringify(plan));
    await close();
  });
}
