import assert from "node:assert/strict";
import { compile } from "../compile/compile.ts";
import type { Plan } from "../plan.ts";
import { diffPlans } from "./diff_plans.ts";

interface Tree {
  readonly type: string;
  readonly props: Readonly<Record<string, unknown>>;
  readonly children: readonly Tree[];
}

const tree = (type: string, props: Tree["props"], ...children: readonly Tree[]): Tree => ({ type, props, children });
const op = (key: string, props: Tree["props"] = {}) => tree("operation", { name: "t.step", key, ...props });
const plan = (...children: readonly Tree[]): Plan =>
  compile({ name: "test", template: tree("sequential", {}, ...children) }, {}).plan;

Deno.test("diffPlans() tells nodes added, removed and changed by key, with what changed and the edges", () => {
  const before = plan(op("a", { input: { x: 1, y: 2 } }), op("b"), op("c", { timeout: 1000 }));
  const after = plan(op("a", { input: { y: 2, x: 1 } }), op("c", { timeout: 2000, input: 3 }), op("d"));
  const diff = diffPlans(before, after, { sameFunctions: true });
  assert.deepEqual(diff.added, [{ key: "d", kind: "operation", operationId: "t.step" }]);
  assert.deepEqual(diff.removed.map(({ key }) => key), ["b"]);
  assert.deepEqual(
    diff.changed.map(({ key, affectsResult, fields }) => [key, affectsResult, fields.map((f) => f.field)]),
    [
      ["c", true, ["input", "timeoutMs"]],
    ],
  );
  assert.equal(diff.unchanged, 2); // the root, and "a": the order of keys says nothing
  assert.deepEqual(diff.edges, {
    added: [{ source: "a", target: "c" }, { source: "c", target: "d" }],
    removed: [{ source: "a", target: "b" }, { source: "b", target: "c" }],
  });
});

Deno.test("diffPlans() tells a change of policy or container from one that affects the result", () => {
  const one = (before: Tree, after: Tree) => {
    const { changed } = diffPlans(plan(before), plan(after), { sameFunctions: true });
    return changed.filter(({ key }) => key === "a").map((
      { affectsResult, fields },
    ) => [affectsResult, fields[0]?.field]);
  };
  assert.deepEqual(one(op("a"), op("a", { retry: { maxAttempts: 3 } })), [[false, "retry"]]);
  assert.deepEqual(one(op("a"), tree("parallel", { key: "p" }, op("a"))), [[false, "within"]]);
  const mapped = tree("map", { key: "m", over: [1], as: "i" }, op("a"));
  assert.deepEqual(one(op("a"), mapped), [[true, "within"]]); // and "inside", which is what counts
});

Deno.test("diffPlans() counts a node with a function as changed, unless the functions are the same", () => {
  const made = plan(tree("conditional", { key: "c", test: () => true }, op("a")));
  const keys = (sameFunctions: boolean) => diffPlans(made, made, { sameFunctions }).changed.map(({ key }) => key);
  assert.deepEqual([keys(true), keys(false)], [[], ["c"]]);
});
