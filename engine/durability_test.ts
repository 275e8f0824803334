import assert from "node:assert/strict";
import { compile } from "@alkdev/flowgraph";
import { Durability } from "./durability.ts";
import { compileProgram } from "./program.ts";
import { RunState } from "./state/run_state.ts";
import { full, op } from "./testing/test_engine.ts";

/** The place of a node that has failed `attempt` times. */
function failed(attempt: number) {
  const { plan } = compile({ name: "test", template: full(op("a")) as object }, {});
  const { root } = new RunState(compileProgram(plan));
  root.cell(0).attempt = attempt;
  return { frame: root, vertex: 0 };
}

Deno.test("Durability.settle() gives what came due too early, once its event is durable", () => {
  const durability = new Durability(1);
  const place = failed(1);
  durability.defer(place, 3);
  durability.seal(2);
  assert.deepEqual(durability.settle(), []);
  durability.seal(3);
  assert.deepEqual(durability.settle(), [place]);
  assert.deepEqual(durability.settle(), []);
});

Deno.test("Durability.carry() leaves behind what another attempt has overtaken: its timer is set anew", () => {
  const durability = new Durability(1);
  const place = failed(1);
  durability.defer(place, 3);
  const moved = failed(1);
  const carried: unknown[] = [];
  const move = (at: typeof place) => {
    carried.push(at);
    return moved;
  };
  durability.carry(move);
  assert.deepEqual(carried, [place]);
  moved.frame.cell(0).attempt = 2;
  durability.carry(move);
  assert.deepEqual(carried, [place]);
  durability.seal(3);
  assert.deepEqual(durability.settle(), []);
});
