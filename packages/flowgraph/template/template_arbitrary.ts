import fc from "fast-check";

/** For tests: templates as JSON of every tag, with keys, references to earlier nodes, and every optional prop. */
export function templateArbitrary(): fc.Arbitrary<RawElement> {
  return tree.map((element) => {
    const counter = { next: 0 };
    return finish(element, counter, []);
  });
}

/** For tests: an element as JSON, its props free. */
export interface RawElement {
  readonly type: string;
  readonly props: Record<string, unknown>;
  readonly children: readonly RawElement[];
}

const duration = fc.oneof(fc.nat(10_000), fc.constantFrom("5s", "1h30m", "20ms"));
const retry = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 5 }),
  backoff: fc.oneof(
    fc.nat(1000),
    fc.record({ kind: fc.constantFrom("fixed", "exponential"), initialMs: fc.nat(99_999) }, { requiredKeys: [] }),
  ),
  jitter: fc.constantFrom(0, 0.5, 1),
  on: fc.array(fc.constantFrom("TIMEOUT", "EXECUTION_ERROR")),
}, { requiredKeys: ["maxAttempts"] });
const input = fc.oneof(
  fc.constant(undefined),
  fc.constant("REF"),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant({ a: ["REF"] }),
);
const labelled = { keyed: fc.boolean(), title: fc.option(fc.string({ minLength: 1 }), { nil: undefined }) };

const leaf: fc.Arbitrary<RawElement> = fc.oneof(
  props("operation", {
    name: fc.constantFrom("core.echo", "core.sleep", "__removed__", "9a/b"),
    input,
    retry: fc.option(retry, { nil: undefined }),
    timeout: fc.option(duration, { nil: undefined }),
    priority: fc.option(fc.integer(), { nil: undefined }),
    concurrencyKey: fc.constantFrom(undefined, "k", "REF"),
    spoke: fc.constantFrom(undefined, { os: "linux" }),
  }),
  props("sleep", { ms: duration }),
  props("sleepuntil", { until: fc.constantFrom("2030-01-01T00:00:00Z", 1) }),
  props("signal", { name: fc.constantFrom("go", "stop"), timeout: fc.option(duration, { nil: undefined }) }),
  props("approval", {
    question: fc.string(),
    name: fc.constantFrom(undefined, "ok"),
    answerers: fc.constantFrom(undefined, ["a"]),
  }),
  props("workflow", {
    name: fc.constant("child"),
    version: fc.constantFrom(undefined, "2"),
    input,
    budget: fc.constantFrom(undefined, { calls: 3, wallMs: 10 }),
  }),
);

const { tree } = fc.letrec<{ tree: RawElement }>((tie) => {
  const children = fc.array(tie("tree"), { maxLength: 3 });
  const holding = (type: string, own: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<RawElement> =>
    fc.tuple(props(type, own), children).map(([element, children]) => ({ ...element, children }));
  return {
    tree: fc.oneof(
      { maxDepth: 4, depthIdentifier: "tree" },
      leaf,
      holding("sequential", {}),
      holding("parallel", { maxConcurrency: fc.constantFrom(undefined, 2) }),
      holding("race", {}),
      holding("conditional", {
        when: fc.constantFrom("input.n > 3", "1 < 2"),
        else: fc.oneof(fc.constant(undefined), tie("tree"), fc.array(tie("tree"), { maxLength: 2 })),
      }),
      holding("map", { over: fc.constantFrom([1, 2], "REF", { $ref: "input.items" }), as: fc.constant("item") }),
      holding("loop", {
        while: fc.constant("turn < 2"),
        as: fc.constant("turn"),
        maxIterations: fc.integer({ min: 1, max: 9 }),
      }),
    ),
  };
});

function props(type: string, own: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<RawElement> {
  return fc.record({ ...labelled, ...own }).map((props) => ({ type, props, children: [] }));
}

/** Numbers the keys, and points each "REF" at an earlier keyed node or the input. */
function finish(element: RawElement, counter: { next: number }, earlier: string[]): RawElement {
  const { keyed, ...own } = element.props;
  const key = keyed ? `k${counter.next++}` : undefined;
  const sources = [...earlier];
  const props: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ key, ...own })) {
    if (value !== undefined && name !== "else") props[name] = point(value, sources, counter.next);
  }
  const children = element.children.map((child) => finish(child, counter, earlier));
  const otherwise = own.else;
  if (Array.isArray(otherwise)) props.else = otherwise.map((child) => finish(child, counter, earlier));
  // The generator puts nothing but elements there.
  else if (otherwise !== undefined) props.else = finish(otherwise as RawElement, counter, earlier);
  if (key !== undefined) earlier.push(key);
  return { type: element.type, props, children };
}

function point(value: unknown, earlier: readonly string[], salt: number): unknown {
  if (value === "REF") {
    const key = earlier[salt % Math.max(1, earlier.length)];
    return { $ref: key === undefined ? "input.x" : `nodes.${key}.x` };
  }
  return Array.isArray(value) ? value.map((item) => point(item, earlier, salt)) : pointInside(value, earlier, salt);
}

function pointInside(value: unknown, earlier: readonly string[], salt: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, point(item, earlier, salt)]));
}
