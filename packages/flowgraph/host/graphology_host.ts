import type { OperationSpec } from "@alkdev/operations";
import type { Tag } from "../element.ts";
import { FlowGraph, type TemplateDAG } from "../graph/flow_graph.ts";
import type { TemplateNodeAttrs } from "../schema/attributes.ts";
import type { HostConfig } from "./host_config.ts";
import { compileMounted, type Mounted, refuseText } from "./mounted.ts";
import { templateDag } from "./template_dag.ts";

/** Where operations are looked up; an OperationRegistry is one. */
export interface OperationLookup {
  getSpec(id: string): OperationSpec | undefined;
}

/** What a template's DAG is rendered from and into. */
export interface GraphologyContainer {
  /** An empty graph to fill. Default: a new one. */
  readonly graph?: TemplateDAG;
  readonly operationRegistry?: OperationLookup;
}

/** An element of a rendered template. Operations and the like are nodes under their key, containers have `__<tag>_<n>`. */
export interface GraphologyInstance extends Mounted {
  readonly key: string;
  readonly attributes: TemplateNodeAttrs | null;
}

/** State of one rendering; `graph` is complete when it is over. */
export interface GraphologyContext {
  readonly graph: TemplateDAG;
  readonly parentStack: GraphologyInstance[];
  readonly roots: GraphologyInstance[];
  readonly operationRegistry?: OperationLookup;
  readonly counts: Map<string, number>;
}

/**
 * Renders a template to its DAG. Edges come when all is mounted, from the compiled plan: a step's ends to the next one's
 * beginnings, branches of a Conditional under its condition, whatever data flow adds.
 */
export const GraphologyHostConfig: HostConfig<Tag, GraphologyInstance, GraphologyContext, GraphologyContainer> = {
  name: "graphology",
  createRootContext({ graph = new FlowGraph(), operationRegistry }) {
    const ctx = { graph, parentStack: [], roots: [], counts: new Map<string, number>() };
    return operationRegistry ? { ...ctx, operationRegistry } : ctx;
  },
  createInstance(tag, props, ctx, parent) {
    const count = (ctx.counts.get(tag) ?? 0) + 1;
    ctx.counts.set(tag, count);
    const spec = typeof props.name === "string" ? ctx.operationRegistry?.getSpec(props.name) : undefined;
    const key = typeof props.key === "string" ? props.key : `__${tag}_${count}`;
    const instance: GraphologyInstance = {
      tag,
      props,
      children: [],
      key,
      attributes: spec ? attributesOf(spec) : null,
    };
    if (parent === undefined) ctx.roots.push(instance);
    ctx.parentStack.push(instance);
    return instance;
  },
  createTextInstance: refuseText,
  appendChild(parent, child) {
    parent.children.push(child);
  },
  removeChild(parent, child) {
    const at = parent.children.indexOf(child);
    if (at >= 0) parent.children.splice(at, 1);
  },
  finalizeInstance(_instance, ctx) {
    ctx.parentStack.pop();
  },
  finalizeRoot({ graph, roots, operationRegistry }) {
    const dag = templateDag(compileMounted(roots), (id) => operationRegistry?.getSpec(id));
    for (const key of dag.nodes()) graph.addNode(key, dag.getNodeAttributes(key));
    for (const { source, target, attributes } of dag.edges()) graph.addEdge(source, target, attributes);
  },
};

function attributesOf({ name, namespace, type, inputSchema, outputSchema }: OperationSpec): TemplateNodeAttrs {
  return { name, namespace, type, inputSchema, outputSchema };
}
