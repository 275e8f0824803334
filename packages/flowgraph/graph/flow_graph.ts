import { operationId, type OperationSpec } from "@alkdev/operations";
import { DirectedGraph } from "graphology";
import { isUnknownSchema } from "../analysis/json_schema.ts";
import { typeCompat } from "../analysis/type_compat.ts";
import {
  CycleError,
  DuplicateEdgeError,
  DuplicateNodeError,
  InvalidInputError,
  NodeNotFoundError,
} from "../error/construction_error.ts";
import { InvalidTransitionError } from "../error/invalid_transition_error.ts";
import type {
  CallNodeAttrs,
  OperationEdgeAttrs,
  OperationNodeAttrs,
  TemplateEdgeAttrs,
  TemplateNodeAttrs,
} from "../schema/attributes.ts";
import type { CallEventMapValue } from "../schema/call_event.ts";
import type { CallStatus, EdgeType } from "../schema/enums.ts";
import type { SerializedGraph } from "../schema/serialized_graph.ts";
import { callChange, isCallTransition } from "./call_transition.ts";
import { type GraphData, isGraphData } from "./graph_data.ts";
import { cycles, generations, reach } from "./walk.ts";

/** What every edge has. */
export type EdgeBase = { readonly edgeType: EdgeType };
/** An edge between operations. */
export type TypedEdge = OperationEdgeAttrs & { readonly edgeType: "typed" };
/** An edge between calls. */
export type CallEdge = { readonly edgeType: "triggered" | "depends_on" };

/** Operations, and whose output can be whose input. */
export type OperationGraph = FlowGraph<OperationNodeAttrs, TypedEdge>;
/** Calls, and who called whom. */
export type CallGraph = FlowGraph<CallNodeAttrs, CallEdge>;
/** The steps of a template, and who waits for whom. */
export type TemplateDAG = FlowGraph<TemplateNodeAttrs, TemplateEdgeAttrs>;

/** Options of {@linkcode FlowGraph.fromSpecs}. */
export interface FlowGraphOptions {
  /**
   * What to do when compatible operations form a cycle (two that take what the other gives are enough): `throw` a CycleError,
   * the default, or `skip` the edge that would close it.
   */
  readonly onCycle?: "throw" | "skip";
}

/**
 * A directed acyclic graph of operations, calls or template steps: at most one edge each way, no loops. Keys of edges are
 * `source->target`, of `depends_on` edges `source->target:depends_on`. Edges that say `compatible: false` are findings, no
 * connections: they count for no cycle and no traversal.
 */
export class FlowGraph<NodeAttrs extends object, EdgeAttrs extends EdgeBase> {
  readonly #graph: DirectedGraph<{ attrs: NodeAttrs }, { attrs: EdgeAttrs }> = new DirectedGraph({
    multi: false,
    allowSelfLoops: false,
  });

  /** A graph of operations with an edge for every ordered pair whose schemas are known. */
  static fromSpecs(specs: Iterable<OperationSpec>, options: FlowGraphOptions = {}): OperationGraph {
    const graph: OperationGraph = new FlowGraph();
    const list = [...specs];
    for (const spec of list) graph.addOperation(spec);
    for (const source of list) {
      if (isUnknownSchema(source.outputSchema)) continue;
      for (const target of list) {
        if (source === target || isUnknownSchema(target.inputSchema)) continue;
        const compat = typeCompat(source.outputSchema, target.inputSchema);
        const [from, to] = [operationId(source), operationId(target)];
        if (options.onCycle === "skip" && compat.compatible && graph.#closes(from, to)) continue;
        graph.addTypedEdge(from, to, compat);
      }
    }
    return graph;
  }

  /** A graph of calls from their events. */
  static fromCallEvents(events: Iterable<CallEventMapValue>): CallGraph {
    const graph: CallGraph = new FlowGraph();
    for (const event of events) graph.updateFromEvent(event);
    return graph;
  }

  /**
   * A graph from what {@linkcode FlowGraph.toJSON} gave; keys of edges are made anew.
   *
   * @throws InvalidInputError, CycleError, DuplicateNodeError, DuplicateEdgeError, NodeNotFoundError
   */
  static fromJSON<NodeAttrs extends object, EdgeAttrs extends EdgeBase>(
    data: GraphData<NodeAttrs, EdgeAttrs>,
  ): FlowGraph<NodeAttrs, EdgeAttrs> {
    if (!isGraphData(data)) {
      throw new InvalidInputError([{ path: "", message: "want nodes and edges with attributes" }]);
    }
    const graph = new FlowGraph<NodeAttrs, EdgeAttrs>();
    for (const { key, attributes } of data.nodes) graph.addNode(key, attributes);
    for (const { source, target, attributes } of data.edges) graph.#connect(source, target, attributes);
    graph.#refuseCycles();
    return graph;
  }

  /** @throws DuplicateNodeError */
  addNode(key: string, attributes: NodeAttrs): void {
    if (this.#graph.hasNode(key)) throw new DuplicateNodeError(key);
    this.#graph.addNode(key, { attrs: attributes });
  }

  /** @throws NodeNotFoundError, DuplicateEdgeError, CycleError, the graph being as before */
  addEdge(source: string, target: string, attributes: EdgeAttrs): void {
    if (source === target && this.hasNode(source)) throw new CycleError([[source]]);
    this.#connect(source, target, attributes);
    if (isFinding(attributes)) return;
    const back = reach([target], (key) => this.successors(key));
    if (!back.has(source)) return;
    const found = cycles([source], (key) => this.successors(key).filter((next) => back.has(next)));
    this.#graph.dropEdge(source, target);
    throw new CycleError(found.filter((cycle) => cycle.includes(source)).slice(0, 1));
  }

  /** Drops the node and its edges. @throws NodeNotFoundError */
  removeNode(key: string): void {
    this.#require(key);
    this.#graph.dropNode(key);
  }

  removeEdge(source: string, target: string): void {
    if (this.#graph.hasEdge(source, target)) this.#graph.dropEdge(source, target);
  }

  hasNode(key: string): boolean {
    return this.#graph.hasNode(key);
  }

  hasEdge(source: string, target: string): boolean {
    return this.#graph.hasEdge(source, target);
  }

  /** @throws NodeNotFoundError */
  getNodeAttributes(key: string): NodeAttrs {
    this.#require(key);
    return this.#graph.getNodeAttribute(key, "attrs");
  }

  /** @throws NodeNotFoundError when there is no such edge, naming `source->target` */
  getEdgeAttributes(source: string, target: string): EdgeAttrs {
    if (!this.hasEdge(source, target)) throw new NodeNotFoundError(`${source}->${target}`);
    return this.#graph.getEdgeAttribute(source, target, "attrs");
  }

  /** @throws NodeNotFoundError */
  mergeNodeAttributes(key: string, attributes: Partial<NodeAttrs>): void {
    this.#graph.setNodeAttribute(key, "attrs", { ...this.getNodeAttributes(key), ...attributes });
  }

  /** Keys of nodes, in order of adding. */
  nodes(): string[] {
    return this.#graph.nodes();
  }

  /** Edges, in order of adding. */
  edges(): { key: string; source: string; target: string; attributes: EdgeAttrs }[] {
    return this.#graph.mapEdges((key, { attrs }, source, target) => ({ key, source, target, attributes: attrs }));
  }

  /** Number of nodes. */
  get order(): number {
    return this.#graph.order;
  }

  /** Number of edges. */
  get size(): number {
    return this.#graph.size;
  }

  /** @throws NodeNotFoundError */
  predecessors(key: string): string[] {
    this.#require(key);
    return this.#graph.filterInNeighbors(key, (other) => !isFinding(this.getEdgeAttributes(other, key)));
  }

  /** @throws NodeNotFoundError */
  successors(key: string): string[] {
    this.#require(key);
    return this.#graph.filterOutNeighbors(key, (other) => !isFinding(this.getEdgeAttributes(key, other)));
  }

  /** @throws NodeNotFoundError */
  ancestors(key: string): string[] {
    return [...reach([key], (at) => this.predecessors(at))];
  }

  /** @throws NodeNotFoundError */
  descendants(key: string): string[] {
    return [...reach([key], (at) => this.successors(at))];
  }

  /** The given nodes and all behind them. @throws NodeNotFoundError */
  reachableFrom(keys: Iterable<string>): Set<string> {
    const starts = [...keys];
    return new Set([...starts, ...reach(starts, (key) => this.successors(key))]);
  }

  hasCycles(): boolean {
    return this.findCycles().length > 0;
  }

  findCycles(): string[][] {
    return cycles(this.nodes(), (key) => this.successors(key));
  }

  /** Each key after all its predecessors. @throws CycleError */
  topologicalOrder(): string[] {
    const order = generations(this.nodes(), (key) => this.successors(key)).flat();
    if (order.length < this.order) this.#refuseCycles();
    return order;
  }

  /** Nodes without predecessors. */
  getRoots(): string[] {
    return this.nodes().filter((key) => this.predecessors(key).length === 0);
  }

  toJSON(): SerializedGraph<NodeAttrs, EdgeAttrs> {
    return {
      attributes: {},
      options: { type: "directed", multi: false, allowSelfLoops: false },
      nodes: this.nodes().map((key) => ({ key, attributes: this.getNodeAttributes(key) })),
      edges: this.edges(),
    };
  }

  /** The same as {@linkcode FlowGraph.toJSON}. */
  export(): SerializedGraph<NodeAttrs, EdgeAttrs> {
    return this.toJSON();
  }

  /** @throws DuplicateNodeError */
  addOperation(this: OperationGraph, spec: OperationSpec): void {
    const { name, namespace, type, inputSchema, outputSchema, version, description } = spec;
    this.addNode(operationId(spec), { name, namespace, type, inputSchema, outputSchema, version, description });
  }

  /** @throws CycleError when the edge is compatible and closes a cycle */
  addTypedEdge(this: OperationGraph, source: string, target: string, compat: OperationEdgeAttrs): void {
    this.addEdge(source, target, { edgeType: "typed", ...compat });
  }

  /** Adds a call, and an edge from its parent if that is there. @throws DuplicateNodeError */
  addCall(this: CallGraph, attributes: CallNodeAttrs): void {
    const { requestId, parentRequestId } = attributes;
    this.addNode(requestId, attributes);
    // A node just added leads nowhere, so this edge closes no cycle.
    if (parentRequestId !== undefined && parentRequestId !== requestId && this.hasNode(parentRequestId)) {
      this.#connect(parentRequestId, requestId, { edgeType: "triggered" });
    }
  }

  /** For looking at only. @throws CycleError, DuplicateEdgeError, NodeNotFoundError */
  addDependency(this: CallGraph, source: string, target: string): void {
    this.addEdge(source, target, { edgeType: "depends_on" });
  }

  /** Sets a call's status. @throws InvalidTransitionError, NodeNotFoundError */
  updateStatus(this: CallGraph, requestId: string, status: CallStatus, extra: Partial<CallNodeAttrs> = {}): void {
    const { status: from } = this.getNodeAttributes(requestId);
    if (!isCallTransition(from, status)) throw new InvalidTransitionError(requestId, from, status);
    this.mergeNodeAttributes(requestId, { ...extra, status });
  }

  /** Sets anything but key and status. @throws NodeNotFoundError */
  updateCall(this: CallGraph, requestId: string, partial: Omit<Partial<CallNodeAttrs>, "requestId" | "status">): void {
    this.mergeNodeAttributes(requestId, partial);
  }

  /** @throws NodeNotFoundError */
  removeCall(this: CallGraph, requestId: string): void {
    this.removeNode(requestId);
  }

  /**
   * Applies one event. The same event twice changes nothing, and neither does an end after the first one. Ends of unknown
   * calls are passed over. No event says "running", so a call goes from pending straight to its end.
   */
  updateFromEvent(this: CallGraph, event: CallEventMapValue): void {
    if (event.type === "call.requested") {
      if (this.hasNode(event.requestId)) return;
      const { type: _type, timestamp, ...attributes } = event;
      this.addCall({ ...attributes, status: "pending", startedAt: timestamp });
      return;
    }
    if (!this.hasNode(event.requestId)) return;
    const change = callChange(this.getNodeAttributes(event.requestId), event);
    if (change) this.mergeNodeAttributes(event.requestId, change);
  }

  /** Request ids of calls with this status. Linear. */
  filterByStatus(this: CallGraph, status: CallStatus): string[] {
    return this.nodes().filter((key) => this.getNodeAttributes(key).status === status);
  }

  /** Request ids of the calls that this one made. @throws NodeNotFoundError */
  children(this: CallGraph, requestId: string): string[] {
    return this.successors(requestId).filter((key) => this.getEdgeAttributes(requestId, key).edgeType === "triggered");
  }

  /** From the root call to this one. @throws NodeNotFoundError */
  lineage(this: CallGraph, requestId: string): string[] {
    const line = [requestId];
    for (let at: string | undefined = requestId; at !== undefined;) {
      const child: string = at;
      at = this.predecessors(child).find((key) => this.getEdgeAttributes(key, child).edgeType === "triggered");
      if (at !== undefined) line.push(at);
    }
    return line.reverse();
  }

  /** Milliseconds from start to end; null while it has not ended. @throws NodeNotFoundError */
  duration(this: CallGraph, requestId: string): number | null {
    const { startedAt, completedAt } = this.getNodeAttributes(requestId);
    if (startedAt === undefined || completedAt === undefined) return null;
    return Date.parse(completedAt) - Date.parse(startedAt);
  }

  #closes(source: string, target: string): boolean {
    return reach([target], (key) => this.successors(key)).has(source);
  }

  #connect(source: string, target: string, attributes: EdgeAttrs): void {
    this.#require(source);
    this.#require(target);
    if (source === target) throw new CycleError([[source]]);
    if (this.#graph.hasEdge(source, target)) throw new DuplicateEdgeError(source, target);
    const suffix = attributes.edgeType === "depends_on" ? ":depends_on" : "";
    this.#graph.addEdgeWithKey(`${source}->${target}${suffix}`, source, target, { attrs: attributes });
  }

  #refuseCycles(): void {
    const found = this.findCycles();
    if (found.length > 0) throw new CycleError(found);
  }

  #require(key: string): void {
    if (!this.#graph.hasNode(key)) throw new NodeNotFoundError(key);
  }
}

function isFinding(attributes: object): boolean {
  return "compatible" in attributes && attributes.compatible === false;
}
