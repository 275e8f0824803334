import assert from "node:assert/strict";
import fc from "fast-check";
import { criticalPath } from "../../src/viewer/graph/critical_path.ts";
import { layoutOf } from "../../src/viewer/graph/layout.ts";
import {
  FOLD_FROM,
  type NodeState,
  type PlanPlace,
  type ShapeTree,
  shapeTree,
} from "../../src/viewer/graph/shape_tree.ts";

const node = (key: string, status = "completed", kind = "operation"): NodeState => ({
  key,
  kind,
  operationId: "a.b",
  title: null,
  status,
  attempts: 1,
});
const NONE: ReadonlySet<string> = new Set();
const MAPPED: readonly PlanPlace[] = [
  { key: "__sequential_1", kind: "sequential", parent: -1 },
  { key: "first", kind: "operation", parent: 0 },
  { key: "each", kind: "map", parent: 0 },
  { key: "inner", kind: "map", parent: 2 },
  { key: "work", kind: "operation", parent: 3 },
];

Deno.test("shapeTree() gives each Map item a body of its own, also in a Map within a Map", () => {
  const nodes = [
    node("first"),
    node("each", "running", "map"),
    node("work[0][0]"),
    node("work[0][1]"),
    node("work[1][0]", "failed"),
  ];
  const [, each] = shapeTree({ tree: MAPPED, nodes, toggled: NONE })!.children;
  assert.deepEqual(each!.children.map(({ key, bodies }) => [key, bodies]), [["inner[0]", 2], ["inner[1]", 1]]);
  assert.deepEqual(each!.children[0]!.children.map(({ key }) => key), ["work[0][0]", "work[0][1]"]);
  assert.equal(each!.children[1]!.status, "failed");
});

Deno.test("shapeTree() folds a Map of many items, and opens it when it is asked to", () => {
  const tree: readonly PlanPlace[] = [{ key: "each", kind: "map", parent: -1 }, {
    key: "work",
    kind: "operation",
    parent: 0,
  }];
  const nodes = Array.from({ length: FOLD_FROM }, (_, at) => node(`work[${at}]`, at === 3 ? "failed" : "completed"));
  const folded = shapeTree({ tree, nodes, toggled: NONE })!;
  assert.deepEqual([folded.children.length, folded.folded?.length, folded.folded?.[3]], [0, FOLD_FROM, "failed"]);
  const open = shapeTree({ tree, nodes, toggled: new Set(["each"]) })!;
  assert.deepEqual([open.children.length, open.folded], [FOLD_FROM, null]);
});

Deno.test("shapeTree() shows a plan's Map with its body once", () => {
  const [, each] = shapeTree({ tree: MAPPED, nodes: null, toggled: NONE })!.children;
  assert.deepEqual([each!.key, each!.children[0]!.key, each!.children[0]!.children[0]!.key], ["each", "inner", "work"]);
});

const KINDS = ["sequential", "parallel", "race", "conditional"] as const;
const trees = fc.letrec<{ shape: ShapeTree }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 5 },
    fc.constant(shapeOf("operation", [])),
    fc.tuple(fc.constantFrom(...KINDS), fc.array(tie("shape"), { maxLength: 9 })).map(([kind, children]) =>
      shapeOf(kind, children)
    ),
  ),
})).shape;

function shapeOf(kind: string, children: readonly ShapeTree[]): ShapeTree {
  const rest = { label: kind, status: "idle", attempts: 0, operationId: null, branch: null, folded: null, bodies: 0 };
  return { key: crypto.randomUUID(), kind, children, ...rest };
}

Deno.test("layoutOf() puts no two nodes over each other, and everything within the canvas and the frame around it", () => {
  fc.assert(
    fc.property(trees, (tree) => {
      const { width, height, boxes } = layoutOf(tree);
      const nodes = boxes.filter(({ isFrame }) => !isFrame);
      nodes.forEach((a, at) => {
        assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width + 0.001 && a.y + a.height <= height + 0.001);
        for (const b of nodes.slice(at + 1)) {
          const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
          assert.ok(apart, `${JSON.stringify(a)} ${JSON.stringify(b)}`);
        }
      });
    }),
    { numRuns: 200 },
  );
});

Deno.test("criticalPath() goes back from the last call through those that it waited for", () => {
  const call = (nodeKey: string, startedAt: number, completedAt: number) => ({ nodeKey, startedAt, completedAt });
  const path = criticalPath([call("a", 0, 10), call("slow", 11, 50), call("quick", 11, 20), call("join", 51, 55)]);
  assert.deepEqual([...path].sort(), ["a", "join", "slow"]);
});
