import assert from "node:assert/strict";
import fc from "fast-check";
import { compile } from "../compile/compile.ts";
import { Conditional, Loop, Map, Operation, Parallel, Sequential, Signal } from "../component/mod.ts";
import type { Template } from "../element.ts";
import { ref } from "../reference.ts";
import { templateArbitrary } from "../template/template_arbitrary.ts";
import { TemplateError } from "../template_error.ts";
import { planEdges, planGraph } from "./plan_graph.ts";

function edges(template: Template): string[] {
  return planEdges(compile({ name: "t", template }).plan).map(({ source, target, dataFlow, condition, negated }) =>
    `${source}${dataFlow ? " => " : " -> "}${target}${
      condition === undefined ? "" : ` ${negated ? "!" : ""}${condition}`
    }`
  );
}

const op = (key: string, input?: ReturnType<typeof ref>): Template => (
  <Operation name="x.y" key={key} {...(input && { input })} />
);

Deno.test("planEdges() joins the ends of one step to the beginnings of the next", () => {
  assert.deepEqual(
    edges(
      <Sequential>
        {op("a")}
        <Parallel>
          {op("b", ref("a").v)}
          <Sequential>{op("c")}{op("d")}</Sequential>
        </Parallel>
        <Sequential />
        <Parallel>
          {op("e", ref("d"))}
          <Signal name="go" />
        </Parallel>
      </Sequential>,
    ),
    ["a => b", "a -> c", "b -> e", "b -> go", "d => e", "d -> go", "c -> d"],
  );
});

Deno.test("planEdges() marks the branches of a Conditional and lets both lead on", () => {
  assert.deepEqual(
    edges(
      <Sequential>
        {op("a")}
        <Conditional when="nodes.a.v > 3" else={op("n")}>
          <Conditional test="a">{op("y")}</Conditional>
          {op("z")}
        </Conditional>
        {op("end")}
      </Sequential>,
    ),
    ['a => y status.a == "completed"', "a => n !nodes.a.v > 3", "z -> end", "n -> end", "y -> z"],
  );
});

Deno.test("planEdges() contracts Map and Loop, and draws what only data orders", () => {
  assert.deepEqual(
    edges(
      <Parallel>
        <Map over={ref("list").items} as="i">{op("m")}{op("n")}</Map>
        {op("list")}
        <Loop while="true" maxIterations={2}>{op("l", ref("n"))}</Loop>
      </Parallel>,
    ),
    ["list => m", "m -> n", "n => l"],
  );
});

Deno.test("planGraph() sends a join of more than 10,000 pairs through a container's key", () => {
  const branches = (name: string, count: number): Template =>
    Array.from({ length: count }, (_, i) => op(`${name}${i}`));
  const { plan } = compile({
    name: "t",
    template: (
      <Sequential>
        <Parallel key="p">{branches("a", 101)}</Parallel>
        <Parallel>{branches("b", 100)}</Parallel>
      </Sequential>
    ),
  });
  const graph = planGraph(plan);
  assert.deepEqual([graph.nodes.length, graph.edges.length], [202, 201]);
  assert.deepEqual(graph.nodes[0], { key: "p", kind: "join" });
});

Deno.test("planGraph() has no cycle and only edges between its nodes, whatever the template", () => {
  fc.assert(fc.property(templateArbitrary(), (template) => {
    let plan;
    try {
      ({ plan } = compile({ name: "t", template }));
    } catch (error) {
      assert(error instanceof TemplateError);
      return;
    }
    const { nodes, edges } = planGraph(plan);
    const left = new globalThis.Map(nodes.map(({ key }) => [key, 0]));
    for (const { target, source } of edges) {
      assert(left.has(source));
      left.set(target, (left.get(target) ?? NaN) + 1);
    }
    const ready = [...left].filter(([, count]) => count === 0).map(([key]) => key);
    let taken = 0;
    for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
      taken++;
      for (const { source, target } of edges) {
        if (source !== key) continue;
        left.set(target, (left.get(target) ?? NaN) - 1);
        if (left.get(target) === 0) ready.push(target);
      }
    }
    assert.equal(taken, nodes.length);
  }));
});
