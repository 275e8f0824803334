import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { Conditional, Loop, Map, Operation, Parallel, Sequential } from "../component/mod.ts";
import { itemRef, ref } from "../reference.ts";
import { defineWorkflow } from "../workflow.ts";
import { TemplateError } from "../template_error.ts";
import { compile, isStatic } from "./compile.ts";
import type { Plan } from "../plan.ts";
import type { Template } from "../element.ts";

function plan(template: Template): Plan {
  return compile({ name: "t", template }).plan;
}

function problems(template: unknown): string[] {
  try {
    compile({ name: "t", template: template as object });
  } catch (error) {
    assert(error instanceof TemplateError);
    return error.problems.map(({ code, path, message }) => `${code} ${path} ${message}`);
  }
  return [];
}

Deno.test("compile() lays elements out in pre-order when containers nest", () => {
  const { nodes } = plan(
    <Sequential>
      <Operation name="core.echo" input={{ value: 1 }} />
      <Parallel key="p">
        <Operation name="core.echo" />
        <Operation name="core.echo" key="last" />
      </Parallel>
    </Sequential>,
  );
  assert.deepEqual(nodes.map(({ key, parent, end }) => [key, parent, end]), [
    ["__sequential_1", -1, 5],
    ["core_echo", 0, 2],
    ["p", 0, 5],
    ["core_echo_2", 2, 4],
    ["last", 2, 5],
  ]);
});

Deno.test("compile() adds after only when structure does not order the nodes", () => {
  const { nodes } = plan(
    <Sequential>
      <Operation name="x.a" key="a" />
      <Parallel>
        <Operation name="x.b" key="b" input={{ v: ref("a").value }} />
        <Operation name="x.c" key="c" input={{ v: ref("b").value, w: ref("b").w }} />
      </Parallel>
    </Sequential>,
  );
  assert.deepEqual(nodes.map(({ key, after }) => [key, after]), [
    ["__sequential_1", undefined],
    ["a", undefined],
    ["__parallel_1", undefined],
    ["b", undefined],
    ["c", [3]],
  ]);
  assert.equal(
    JSON.stringify(nodes[4]),
    '{"key":"c","parent":2,"end":5,"kind":"operation","operationId":"x.c","input":{"v":{"$ref":"nodes.b.value"},"w":{"$ref":"nodes.b.w"}},"after":[3]}',
  );
});

Deno.test("compile() lifts both ends out of Map and Loop bodies to a common level", () => {
  const { nodes } = plan(
    <Parallel>
      <Map over={[1, 2]} as="n" key="m">
        <Operation name="x.a" key="a" input={{ n: itemRef("n") }} />
        <Operation name="x.b" key="b" input={{ a: ref("a") }} />
      </Map>
      <Loop while="nodes.c.more && i < 3" maxIterations={5} as="i" key="l">
        <Operation name="x.c" key="c" input={{ all: ref("a"), before: ref("l") }} />
      </Loop>
    </Parallel>,
  );
  assert.deepEqual(nodes.map(({ key, after }) => [key, after]), [
    ["__parallel_1", undefined],
    ["m", undefined],
    ["__steps_1", undefined],
    ["a", undefined],
    ["b", undefined],
    ["l", [1]],
    ["c", undefined],
  ]);
});

Deno.test("compile() names the nodes when data and structure make a cycle", () => {
  const found = problems(
    <Parallel>
      <Sequential>
        <Operation name="x.a" key="a" input={ref("d")} />
        <Operation name="x.b" key="b" />
      </Sequential>
      <Sequential>
        <Operation name="x.c" key="c" input={ref("b")} />
        <Operation name="x.d" key="d" />
      </Sequential>
      <Operation name="x.e" key="e" input={ref("d")} />
    </Parallel>,
  );
  assert.equal(found.length, 1);
  assert.match(
    found[0] ?? "",
    /^cycle .*wait for each other: (a -> b -> c -> d -> a|b -> c -> d -> a -> b|c -> d -> a -> b -> c|d -> a -> b -> c -> d)$/,
  );
});

Deno.test("compile() says where and what when references, keys, props or tags are wrong", () => {
  assert.deepEqual(
    problems({
      type: "sequential",
      children: [
        { type: "operation", props: { name: "x.a", key: "fetch", input: { v: { $ref: "nodes.fetc.body" } } } },
        { type: "operation", props: { name: "x.a", key: "fetch", inptu: 1, timeout: "soon" } },
        { type: "paralel" },
        { type: "conditional", props: { when: "nodes.fetch.x >" } },
        {
          type: "conditional",
          props: { test: "inner" },
          children: [{ type: "operation", props: { name: "x.i", key: "inner" } }],
        },
      ],
    }),
    [
      'unknown-prop /children/1/props/inptu Unknown prop "inptu" of operation: did you mean "input"?',
      'wrong-type /children/1/props/timeout "timeout" must be milliseconds or a duration such as "30s", not "soon"',
      'unknown-tag /children/2/type Unknown element type "paralel": did you mean "parallel"?',
      'duplicate-key /children/1/props/key Key "fetch" is taken by the operation at "/children/0": keys must be unique',
      'unknown-reference /children/0/props/input/v Unknown node "fetc": did you mean "fetch"?',
      'bad-expression /children/3/props/when Cannot read expression "nodes.fetch.x >" at character 16: Unexpected token: EOF',
      'test-inside-conditional /children/4/props/test The test names "inner", which stands inside the same Conditional',
    ],
  );
});

Deno.test("compile() keeps functions by mark when a template has them", () => {
  const { plan, functions } = compile(defineWorkflow({
    name: "f",
    template: (
      <Conditional
        key="c"
        test={(results) => results.a?.status === "completed"}
        else={<Operation name="x.b" />}
      >
        <Operation name="x.a" key="a" input={{ deep: [() => 7] }} />
      </Conditional>
    ),
  }));
  assert.deepEqual([...functions.keys()], ["c.test", "a.input.deep.0"]);
  assert.equal(functions.get("a.input.deep.0")?.({}), 7);
  assert.deepEqual(plan.nodes.map(({ key, branch }) => [key, branch]), [["c", undefined], ["a", "then"], [
    "x_b",
    "else",
  ]]);
});

Deno.test("compile() gives one empty sequential when the template is empty", () => {
  assert.deepEqual(plan(null).nodes.map(({ key, kind, parent, end }) => [key, kind, parent, end]), [
    ["__sequential_1", "sequential", -1, 1],
  ]);
});

Deno.test("compile() takes 100,000 operations in linear time", () => {
  const chain = (count: number): Template =>
    Array.from(
      { length: count },
      (_, i) => <Operation name="x.a" key={`k${i}`} input={{ v: ref(`k${Math.max(0, i - 1)}`) }} />,
    ).slice(1);
  const measure = (count: number): number => {
    const template = (
      <Parallel>
        <Operation name="x.a" key="k0" />
        {chain(count)}
      </Parallel>
    );
    const started = performance.now();
    const { nodes } = plan(template);
    assert.equal(nodes.length, count + 1);
    assert.deepEqual(nodes[count]?.after, [count - 1]);
    return performance.now() - started;
  };
  measure(1000);
  const small = measure(10_000);
  const large = measure(100_000);
  assert(large < 60 * small, `10,000 took ${small} ms, 100,000 took ${large} ms`);
});

Deno.test("compile() refuses values that are no JSON, hold themselves or look like its own marks", () => {
  const ring: Record<string, unknown> = {};
  ring.a = ring;
  ring.b = [ring];
  const values = {
    ring,
    big: 1n,
    nan: NaN,
    mark: { $fn: "a.test" },
    symbol: Symbol("s"),
    at: new Date(0),
    none: undefined,
  };
  assert.deepEqual(problems({ type: "operation", props: { name: "x.a", input: values } }), [
    'wrong-type /props/input/ring/a "input.ring.a" must be JSON, a reference or a function, not an object that holds itself',
    'wrong-type /props/input/ring/b/0 "input.ring.b.0" must be JSON, a reference or a function, not an object that holds itself',
    'wrong-type /props/input/big "input.big" must be JSON, a reference or a function, not a bigint',
    'wrong-type /props/input/nan "input.nan" must be JSON, a reference or a function, not NaN',
    'wrong-type /props/input/mark "input.mark" must be JSON, a reference or a function, not an object with "$fn", which is reserved',
    'wrong-type /props/input/symbol "input.symbol" must be JSON, a reference or a function, not a symbol',
  ]);
  const json = JSON.parse('{"type":"operation","props":{"name":"x.a","input":{"__proto__":{"polluted":true}}}}');
  const [node] = plan(json).nodes;
  assert.equal(JSON.stringify(node?.kind === "operation" && node.input), '{"__proto__":{"polluted":true}}');
});

Deno.test("compile() fills retry policies and reads durations", () => {
  const { nodes } = plan(
    <Parallel>
      <Operation name="x.a" timeout="1m30s" retry={{ maxAttempts: 3 }} />
      <Operation name="x.b" retry={{ maxAttempts: 2, backoff: 50, jitter: 0, on: ["TIMEOUT"] }} />
      <Operation name="x.c" retry={{ maxAttempts: 2, backoff: { initialMs: 60_000 } }} />
    </Parallel>,
  );
  assert.deepEqual(nodes.map((node) => node.kind === "operation" && [node.timeoutMs, node.retry]).slice(1), [
    [90_000, {
      maxAttempts: 3,
      backoff: { kind: "exponential", initialMs: 200, factor: 2, maxMs: 30_000 },
      jitter: 0.2,
    }],
    [undefined, {
      maxAttempts: 2,
      backoff: { kind: "fixed", initialMs: 50, factor: 1, maxMs: 30_000 },
      jitter: 0,
      on: ["TIMEOUT"],
    }],
    [undefined, {
      maxAttempts: 2,
      backoff: { kind: "exponential", initialMs: 60_000, factor: 2, maxMs: 60_000 },
      jitter: 0.2,
    }],
  ]);
});

Deno.test("compile() compiles a static definition once, and a function for every input", () => {
  const fixed = defineWorkflow({ name: "fixed", template: <Operation name="x.a" />, output: ref("x_a").v });
  assert.equal(compile(fixed), compile(fixed, { n: 1 }));
  assert.deepEqual(compile(fixed).plan.output, { $ref: "nodes.x_a.v" });
  const made = defineWorkflow({
    name: "made",
    input: Type.Object({ n: Type.Number() }),
    template: ({ n }) => Array.from({ length: n }, (_, i) => <Operation name="x.a" key={`k${i}`} />),
  });
  assert.deepEqual([1, 3].map((n) => compile(made, { n }).plan.nodes.length), [1, 4]);
  assert.deepEqual([isStatic(fixed), isStatic(made)], [true, false]);
});

Deno.test("compile() checks the output and names that nothing binds", () => {
  assert.deepEqual(
    problems({
      type: "sequential",
      props: { output: { $ref: "nodes.nope" } },
      children: [
        {
          type: "operation",
          props: { name: "x.a", input: [{ $ref: "file.path" }, { $ref: "inptu.n" }, { $ref: "a b" }] },
        },
        { type: "conditional", props: { when: "size(nodes) > 0 && x_a.v" } },
        { type: "conditional", props: { test: "x.b" } },
        {
          type: "conditional",
          props: { when: "true", else: { type: "operation", props: { name: "y", input: { $ref: "nodes.t" } } } },
          children: [{ type: "operation", props: { name: "t" } }],
        },
      ],
    }).map((line) => line.replace(/ (Unknown|Cannot|"test"|"t" stands).*$/, "")),
    [
      "bad-reference /children/0/props/input/2",
      "unknown-reference /children/0/props/input/0",
      "unknown-reference /children/0/props/input/1",
      "unknown-reference /children/1/props/when",
      'bad-expression /children/1/props/when "nodes" must be followed by a node\'s key, as in nodes.a',
      "unknown-reference /children/2/props/test",
      "unreachable-reference /children/3/props/else/props/input",
      "unknown-reference /props/output",
    ],
  );
});

Deno.test("compile() takes no Loop that is as good as endless", () => {
  const loop = (maxIterations: number) =>
    problems({
      type: "loop",
      props: { while: "true", maxIterations },
      children: [{ type: "operation", props: { name: "x.a" } }],
    });
  assert.deepEqual(loop(100_000), []);
  for (const turns of [0, 1.5, 100_001, 1e300]) {
    assert.deepEqual(loop(turns), [
      `wrong-type /props/maxIterations "maxIterations" must be a whole number from 1 to 100000, not ${turns}`,
    ]);
  }
});
