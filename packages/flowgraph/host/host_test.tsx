import assert from "node:assert/strict";
import { OperationType } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { Conditional, Operation, Parallel, Sequential } from "../component/mod.ts";
import type { Template } from "../element.ts";
import { ref } from "../reference.ts";
import { TemplateError } from "../template_error.ts";
import { createRoot } from "./create_root.ts";
import { GraphologyHostConfig } from "./graphology_host.ts";
import { ReactiveHostConfig } from "./reactive_host.ts";

function Steps(): Template {
  return (
    <Sequential>
      <Operation name="x.a" key="a" />
      <Parallel key="both">
        <Operation name="x.b" key="b" input={ref("a")} />
        <Conditional key="maybe" when="nodes.a.go" else={<Operation name="x.n" key="n" />}>
          <Operation name="x.y" key="y" />
        </Conditional>
      </Parallel>
      <Operation name="x.end" key="end" />
    </Sequential>
  );
}

Deno.test("GraphologyHostConfig renders a template to its DAG", () => {
  const spec = {
    name: "a",
    namespace: "x",
    version: "1.0.0",
    type: OperationType.QUERY,
    description: "",
    inputSchema: Type.Object({}),
    outputSchema: Type.Object({ go: Type.Boolean() }),
    accessControl: { requiredScopes: [] },
  };
  const root = createRoot(GraphologyHostConfig, {
    operationRegistry: { getSpec: (id) => id === "x.a" ? spec : undefined },
  });
  const { graph, parentStack } = root.render(<Steps />);
  assert.deepEqual(parentStack, []);
  assert.deepEqual(graph.nodes(), ["a", "b", "y", "n", "end"]);
  assert.equal(graph.getNodeAttributes("a").outputSchema, spec.outputSchema);
  assert.deepEqual(graph.getEdgeAttributes("a", "b"), { edgeType: "sequential", dataFlow: true });
  assert.deepEqual(graph.getEdgeAttributes("a", "n"), {
    edgeType: "conditional",
    dataFlow: true,
    condition: "nodes.a.go",
    negated: true,
  });
  assert.deepEqual(graph.predecessors("end"), ["b", "y", "n"]);
  root.unmount();
  assert.equal(root.context, null);
});

Deno.test("GraphologyHostConfig refuses templates that do not compile", () => {
  const root = createRoot(GraphologyHostConfig, {});
  assert.throws(() => root.render(<Operation name="x.a" input={ref("nobody")} />), TemplateError);
});

Deno.test("ReactiveHostConfig gives nodes the root's own status signals, and containers projected ones", () => {
  const { root, nodes, parentMap, siblingMap } = createRoot(ReactiveHostConfig, {}).render(<Steps />);
  assert(root);
  assert.equal(nodes.get("a")?.status, root.statusMap.get("a"));
  const timestamp = "2026-01-01T00:00:00.000Z";
  const call = (key: string, output: unknown): void => {
    root.nodeKeyToRequestId.set(key, key);
    root.append({ type: "call.requested", requestId: key, operationId: key, input: null, timestamp });
    root.append({ type: "call.responded", requestId: key, output, timestamp });
  };
  assert.equal(nodes.get("both")?.status.value, "idle");
  call("a", { go: true });
  assert.deepEqual(["b", "y", "n", "both", "maybe"].map((key) => nodes.get(key)?.status.value), [
    "ready",
    "ready",
    "skipped",
    "ready",
    "ready",
  ]);
  call("b", 1);
  call("y", 2);
  assert.deepEqual(["both", "maybe", "end"].map((key) => nodes.get(key)?.status.value), [
    "completed",
    "completed",
    "ready",
  ]);
  assert.deepEqual([nodes.get("y")?.output?.value, nodes.get("y")?.operationId], [2, "x.y"]);
  assert.deepEqual([parentMap.get("y"), siblingMap.get("b")], ["maybe", ["b", "maybe"]]);
});
