import assert from "node:assert/strict";
import fc from "fast-check";
import { layeredLayout } from "./layered_layout.ts";
import { toSvg } from "./to_svg.ts";

Deno.test("toSvg() draws every node and edge, coloured by status", () => {
  const svg = toSvg({
    nodes: [{ key: "a", operationId: "core.echo", status: "completed" }, {
      key: "b",
      kind: "signal",
      status: "waiting",
    }],
    edges: [
      { source: "a", target: "b", edgeType: "conditional", condition: "nodes.a.v > 3", negated: true },
      { source: "a", target: "nowhere" },
    ],
  });
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
  assert.equal(svg.match(/<rect /g)?.length, 2);
  assert.equal(svg.match(/marker-end/g)?.length, 1);
  assert.match(svg, /fill="#c8e6c9"/);
  assert.match(svg, /stroke-dasharray="5 3"/);
  assert.match(svg, />not \(nodes\.a\.v &gt; 3\)</);
});

Deno.test("toSvg() lets no text out of its place, whatever a graph holds", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom("<script>alert(1)</script>", '" onload="x', "]]>", "&#60;", "\u0000\ud800", "__proto__"),
  );
  const node = fc.record({ key: word, kind: word, operationId: word, status: word });
  fc.assert(fc.property(fc.array(node, { maxLength: 8 }), word, (nodes, condition) => {
    const keys = nodes.map(({ key }) => key);
    const edges = keys.map((source, i) => ({ source, target: keys[(i + 1) % keys.length]!, condition }));
    const svg = toSvg({ nodes, edges });
    // Without the tags and attributes that are its own, nothing is left that could be one.
    const own = /<\/?(?:svg|title|defs|marker|path|g|rect|text)(?: [a-zA-Z-]+="[^"<>&']*")*\/?>/g;
    assert.doesNotMatch(svg.replace(own, ""), /[<>"']/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(svg, /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}/u);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  }));
});

Deno.test("toSvg() of a huge graph stays small, and says what is missing", () => {
  const nodes = Array.from({ length: 50_000 }, (_, i) => ({ key: `n${i}` }));
  const edges = nodes.slice(1).map(({ key }, i) => ({ source: `n${i}`, target: key }));
  const svg = toSvg({ nodes, edges });
  assert.match(svg, /and 48000 more nodes/);
  assert.ok(svg.length < 2_000_000, `${svg.length} characters`);
});

Deno.test("layeredLayout() puts every box below all that it comes after, and none upon another", () => {
  const edgesOf = fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 60 });
  fc.assert(fc.property(edgesOf, (pairs) => {
    const edges = pairs.filter(([a, b]) => a < b);
    const boxes = Array.from({ length: 20 }, (_, i) => ({ width: 40 + i, height: 20 + i % 3 }));
    const { places, width, height } = layeredLayout(boxes, edges);
    for (const [from, to] of edges) assert.ok(places[from]!.y + boxes[from]!.height <= places[to]!.y);
    for (const [i, a] of places.entries()) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + boxes[i]!.width <= width && a.y + boxes[i]!.height <= height);
      for (const [j, b] of places.entries()) {
        if (i >= j || a.y !== b.y) continue;
        assert.ok(a.x + boxes[i]!.width <= b.x || b.x + boxes[j]!.width <= a.x, `${i} and ${j} overlap`);
      }
    }
  }));
  const ring = layeredLayout([{ width: 1, height: 1 }, { width: 1, height: 1 }], [[0, 1], [1, 0], [1, 1]]);
  assert.equal(ring.places.length, 2);
});
