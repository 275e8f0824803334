import type { Json } from "../json.ts";
import type { OperationNode, Plan, PlanNode } from "../plan.ts";

/** An element as JSON. */
export interface TemplateJson {
  readonly [key: string]: Json;
  readonly type: string;
  readonly props: { readonly [key: string]: Json };
  readonly children: readonly TemplateJson[];
}

/**
 * The template that compiles to this plan, in canonical form: node keys written out (those of containers only where the
 * author gave one), durations in ms, retry policies in full, properties in fixed order. Compiling it gives the same plan,
 * byte for byte. Functions stay as `{"$fn": mark}`, which no template can have: see `toTemplateJson`.
 */
export function planToTemplate(plan: Plan): TemplateJson {
  const root = elementAt(plan.nodes, 0);
  return {
    ...root,
    props: {
      ...root.props,
      ...(plan.output && { output: { $ref: plan.output.$ref } }),
      ...(plan.failurePolicy !== "continue-running" && { failurePolicy: plan.failurePolicy }),
      ...(plan.budget && { budget: json(plan.budget) }),
    },
  };
}

// The compiler bounds the nesting, so recursion into depth is safe; breadth is a loop.
function elementAt(nodes: readonly PlanNode[], index: number): TemplateJson {
  const node = nodes[index];
  if (!node) throw new RangeError(`Cannot read node ${index} of the plan: it has ${nodes.length}`);
  const key = node.key.startsWith("__") ? {} : { key: node.key };
  const title = node.title === undefined ? {} : { title: node.title };
  const [type, own] = tagAndProps(node);
  const children = childrenOf(nodes, index);
  if (node.kind !== "conditional" && node.kind !== "map" && node.kind !== "loop") {
    return { type, props: { ...key, ...title, ...own }, children: children.map((child) => elementAt(nodes, child)) };
  }
  const [body, otherwise] = children;
  return {
    type,
    props: { ...key, ...title, ...own, ...(otherwise !== undefined && { else: single(nodes, otherwise) }) },
    children: body === undefined ? [] : bodyOf(nodes, body),
  };
}

/** A body's elements, without the `sequential` that the compiler put around several. */
function bodyOf(nodes: readonly PlanNode[], index: number): readonly TemplateJson[] {
  if (!isWrapper(nodes[index])) return [elementAt(nodes, index)];
  return childrenOf(nodes, index).map((child) => elementAt(nodes, child));
}

function single(nodes: readonly PlanNode[], index: number): Json {
  return isWrapper(nodes[index]) ? bodyOf(nodes, index) : elementAt(nodes, index);
}

function isWrapper(node: PlanNode | undefined): boolean {
  return node?.key.startsWith("__steps_") ?? false;
}

/** Indices of a node's children, in order. */
export function childrenOf(nodes: readonly PlanNode[], index: number): number[] {
  const children: number[] = [];
  const end = nodes[index]?.end ?? 0;
  for (let child = index + 1; child < end; child = nodes[child]?.end ?? end) children.push(child);
  return children;
}

function tagAndProps(node: PlanNode): readonly [string, { readonly [key: string]: Json }] {
  switch (node.kind) {
    case "operation":
      return ["operation", operationProps(node)];
    case "sequential":
    case "race":
      return [node.kind, {}];
    case "parallel":
      return ["parallel", defined({ maxConcurrency: node.maxConcurrency })];
    case "conditional": {
      const { test } = node;
      if ("when" in test) return ["conditional", { when: test.when }];
      return ["conditional", { test: "completed" in test ? test.completed : json(test) }];
    }
    case "map":
      return ["map", defined({ over: json(node.over), as: node.as, maxConcurrency: node.maxConcurrency })];
    case "loop":
      return ["loop", defined({ while: json(node.while), maxIterations: node.maxIterations, as: node.as })];
    case "sleep":
      return node.until === undefined
        ? ["sleep", { ms: json(node.ms ?? 0) }]
        : ["sleepuntil", { until: json(node.until) }];
    case "signal": {
      const { signal: name, timeoutMs: timeout, schema, question, answerers } = node;
      const props = { name, timeout, schema, question: question === undefined ? undefined : json(question), answerers };
      return [question === undefined ? "signal" : "approval", defined(props)];
    }
    case "workflow":
      return [
        "workflow",
        defined({
          name: node.workflow,
          version: node.version,
          input: inputOf(node.input),
          retry: node.retry && json(node.retry),
          timeout: node.timeoutMs,
          budget: node.budget && json(node.budget),
        }),
      ];
  }
}

function operationProps(node: OperationNode): { readonly [key: string]: Json } {
  return defined({
    name: node.operationId,
    input: inputOf(node.input),
    retry: node.retry && json(node.retry),
    timeout: node.timeoutMs,
    concurrencyKey: node.concurrencyKey === undefined ? undefined : json(node.concurrencyKey),
    priority: node.priority,
    spoke: node.spoke,
  });
}

/** An empty input is the default and is not written. */
function inputOf(input: unknown): Json | undefined {
  const empty = typeof input === "object" && input !== null && !Array.isArray(input) && Object.keys(input).length === 0;
  return empty ? undefined : json(input);
}

/** Everything in a plan is JSON; its interfaces lack the index signature that would tell the checker. */
function json(value: unknown): Json {
  return value as Json;
}

function defined(props: { readonly [key: string]: Json | undefined }): { readonly [key: string]: Json } {
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(props)) if (value !== undefined) kept[name] = value;
  return kept;
}
