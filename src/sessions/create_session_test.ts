import assert from "node:assert/strict";
import { narrowed } from "./create_session.ts";

Deno.test("narrowed() keeps what both sides grant, the narrower of each", () => {
  assert.deepEqual(narrowed(["*"], ["run:read", "fs:*"]), ["run:read", "fs:*"]);
  assert.deepEqual(narrowed(["fs:read", "run:read"], ["fs:*"]), ["fs:read"]);
  assert.deepEqual(narrowed(["fs:read"], ["run:read"]), []);
});

Deno.test("narrowed() never loses the limit of models that one side has", () => {
  assert.deepEqual(narrowed(["run:read", "model:fast"], ["run:read"]), ["run:read", "model:fast"]);
  assert.deepEqual(narrowed(["run:read"], ["run:read", "model:fast"]), ["run:read", "model:fast"]);
  assert.deepEqual(narrowed(["model:fast"], ["model:*"]), ["model:fast"]);
  assert.deepEqual(narrowed(["*"], ["model:fast"]), ["model:fast"]);
  // No model in common: a scope that names none lets none in.
  assert.deepEqual(narrowed(["model:fast"], ["model:slow"]), ["model:"]);
});
