import assert from "node:assert/strict";
import { toDot } from "./to_dot.ts";
import { toMermaid } from "./to_mermaid.ts";

const graph = {
  nodes: [
    { key: "a", kind: "operation", operationId: "core.echo", status: "completed" },
    { key: 'b"]\n;x', kind: "signal", status: "<script>" },
    { key: "c" },
  ],
  edges: [
    {
      source: "a",
      target: 'b"]\n;x',
      edgeType: "conditional",
      dataFlow: true,
      condition: 'nodes.a.v > "3"',
      negated: true,
    },
    { source: "a", target: "c", edgeType: "sequential", dataFlow: true },
    { source: 'b"]\n;x', target: "c", edgeType: "sequential", dataFlow: false },
    { source: "a", target: "nowhere", edgeType: "sequential", dataFlow: false },
  ],
};

Deno.test("toMermaid() escapes keys, conditions and statuses", () => {
  assert.equal(
    toMermaid(graph),
    `flowchart TD
  n0["a<br/>core.echo<br/>completed"]:::completed
  n1{{"b#34;] #59;x<br/>#60;script#62;"}}
  n2["c"]
  n0 -.->|"not (nodes.a.v #62; #34;3#34;)"| n1
  n0 ==> n2
  n1 --> n2
  classDef completed fill:#c8e6c9
`,
  );
});

Deno.test("toDot() escapes keys, conditions and statuses", () => {
  assert.equal(
    toDot(graph),
    String.raw`digraph plan {
  rankdir=TB;
  node [shape=box, fontname="sans-serif"];
  "a" [label="a\ncore.echo\ncompleted", style=filled, fillcolor="#c8e6c9"];
  "b\"]\n;x" [label="b\"]\n;x\n<script>", shape=hexagon];
  "c" [label="c"];
  "a" -> "b\"]\n;x" [style=dashed, label="not (nodes.a.v > \"3\")"];
  "a" -> "c" [style=bold];
  "b\"]\n;x" -> "c";
}
`,
  );
});
