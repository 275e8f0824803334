import { computed, type ReadonlySignal, type Signal } from "@preact/signals-core";
import type { Tag } from "../element.ts";
import type { FailurePolicy, PlanNode } from "../plan.ts";
import { WorkflowReactiveRoot } from "../reactive/workflow_reactive_root.ts";
import type { CallResult } from "../schema/attributes.ts";
import type { NodeStatus } from "../schema/enums.ts";
import { childrenOf } from "../template/plan_to_template.ts";
import type { OperationLookup } from "./graphology_host.ts";
import type { HostConfig } from "./host_config.ts";
import { compileMounted, type Mounted, refuseText } from "./mounted.ts";
import { templateDag } from "./template_dag.ts";

/** What a template's reactive state is rendered from. */
export interface ReactiveContainer {
  readonly operationRegistry?: OperationLookup;
  readonly failurePolicy?: FailurePolicy;
}

/**
 * A node or container of a rendered template. A node's `status` is the very signal of the root's `statusMap`; a container's
 * is projected from the nodes below it.
 */
export interface WorkflowNode {
  readonly key: string;
  readonly type: PlanNode["kind"];
  readonly status: ReadonlySignal<NodeStatus>;
  readonly preconditions: ReadonlySignal<boolean>;
  readonly blockedByFailure: ReadonlySignal<boolean>;
  readonly operationId?: string;
  readonly output?: ReadonlySignal<unknown>;
  readonly children: readonly WorkflowNode[];
}

/** State of one rendering. All but `mounted` is filled when it is over. */
export interface ReactiveContext extends ReactiveContainer {
  readonly mounted: Mounted[];
  root: WorkflowReactiveRoot | null;
  readonly nodes: Map<string, WorkflowNode>;
  readonly statusSignals: Map<string, Signal<NodeStatus>>;
  readonly preconditions: Map<string, ReadonlySignal<boolean>>;
  readonly blockedByFailure: Map<string, ReadonlySignal<boolean>>;
  readonly results: Map<string, ReadonlySignal<CallResult | null>>;
  /** Key of each child's parent. */
  readonly parentMap: Map<string, string>;
  /** Keys of each node's siblings, itself included, in order. */
  readonly siblingMap: Map<string, readonly string[]>;
}

/** Renders a template to reactive statuses. Maps and Loops stand in it with one instance of their body. */
export const ReactiveHostConfig: HostConfig<Tag, Mounted, ReactiveContext, ReactiveContainer> = {
  name: "reactive",
  createRootContext: (container) => ({
    ...container,
    mounted: [],
    root: null,
    nodes: new Map(),
    statusSignals: new Map(),
    preconditions: new Map(),
    blockedByFailure: new Map(),
    results: new Map(),
    parentMap: new Map(),
    siblingMap: new Map(),
  }),
  createInstance(tag, props, ctx, parent) {
    const instance: Mounted = { tag, props, children: [] };
    if (parent === undefined) ctx.mounted.push(instance);
    return instance;
  },
  createTextInstance: refuseText,
  appendChild(parent, child) {
    parent.children.push(child);
  },
  finalizeRoot(ctx) {
    const compiled = compileMounted(ctx.mounted);
    const dag = templateDag(compiled, (id) => ctx.operationRegistry?.getSpec(id));
    const failurePolicy = ctx.failurePolicy ?? compiled.plan.failurePolicy;
    const root = ctx.root = new WorkflowReactiveRoot(dag, { failurePolicy });
    const { nodes } = compiled.plan;
    // Children stand behind their parent: going backwards, they are made first.
    for (let i = nodes.length - 1; i >= 0; i--) addNode(ctx, root, nodes, i);
  },
};

function addNode(ctx: ReactiveContext, root: WorkflowReactiveRoot, nodes: readonly PlanNode[], index: number): void {
  const node = nodes[index];
  if (!node) return;
  const keys = childrenOf(nodes, index).map((child) => nodes[child]?.key ?? "");
  for (const key of keys) {
    ctx.parentMap.set(key, node.key);
    ctx.siblingMap.set(key, keys);
  }
  const status = root.statusMap.get(node.key);
  if (status) ctx.nodes.set(node.key, leaf(ctx, root, node, status));
  else {
    const children = keys.flatMap((key) => ctx.nodes.get(key) ?? []);
    const below = nodes.slice(index + 1, node.end).flatMap(({ key }) => root.statusMap.get(key) ?? []);
    ctx.nodes.set(node.key, {
      key: node.key,
      type: node.kind,
      status: computed(() => aggregate(below.map(({ value }) => value))),
      preconditions: computed(() => children.map((child) => child.preconditions.value).some(Boolean)),
      blockedByFailure: computed(() => children.map((child) => child.blockedByFailure.value).some(Boolean)),
      children,
    });
  }
}

function leaf(
  ctx: ReactiveContext,
  root: WorkflowReactiveRoot,
  node: PlanNode,
  status: Signal<NodeStatus>,
): WorkflowNode {
  const { key, kind: type } = node;
  const preconditions = root.preconditions(key);
  const blockedByFailure = root.blockedByFailure(key);
  const result = root.result(key);
  ctx.statusSignals.set(key, status);
  ctx.preconditions.set(key, preconditions);
  ctx.blockedByFailure.set(key, blockedByFailure);
  ctx.results.set(key, result);
  const operation = node.kind === "operation" ? { operationId: node.operationId } : {};
  const output = computed(() => result.value?.output ?? null);
  return { key, type, status, preconditions, blockedByFailure, ...operation, output, children: [] };
}

/** A container's status from those of the nodes below it; one without any is completed. */
function aggregate(statuses: readonly NodeStatus[]): NodeStatus {
  const seen = new Set(statuses);
  if (seen.has("failed")) return "failed";
  if (seen.has("aborted")) return "aborted";
  if (statuses.every((status) => status === "skipped") && statuses.length > 0) return "skipped";
  if (statuses.every((status) => status === "completed" || status === "skipped")) return "completed";
  if (seen.has("running") || seen.has("completed")) return "running";
  return seen.has("ready") ? "ready" : seen.has("waiting") ? "waiting" : "idle";
}
