/**
 * Owns the statuses of a template's nodes as signals. It executes nothing: a coordinator watches for `ready`, calls, records
 * the call under `nodeKeyToRequestId` and appends its events.
 *
 * R1  A status changes only through {@linkcode WorkflowReactiveRoot} methods; no effect of ours writes a signal.
 * R2  Every change queues the node's successors; one loop drains the queue, all in one batch.
 * R3  No computed reads another node's computed, so that depth does not grow with the graph.
 * R4  A node under limited Parallels becomes ready only with a place for its branch in each of them.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals-core";
import { NodeNotFoundError } from "../error/construction_error.ts";
import type { TemplateDAG } from "../graph/flow_graph.ts";
import { reach } from "../graph/walk.ts";
import type { FailurePolicy } from "../plan.ts";
import type { CallResult } from "../schema/attributes.ts";
import type { CallEventMapValue } from "../schema/call_event.ts";
import type { NodeStatus } from "../schema/enums.ts";
import type { EventLogProjection } from "./event_log_projection.ts";
import { type Guard, guardsOf, test } from "./guard.ts";
import { RequestMap } from "./request_map.ts";
import { type Limit, limitsOf, Slots } from "./slots.ts";

/** Options of {@linkcode WorkflowReactiveRoot}. */
export interface WorkflowReactiveRootOptions {
  /** Default `"continue-running"`. */
  readonly failurePolicy?: FailurePolicy;
}

interface NodeState {
  readonly key: string;
  readonly status: Signal<NodeStatus>;
  readonly result: Signal<CallResult | null>;
  readonly preconditions: ReadonlySignal<boolean>;
  readonly blockedByFailure: ReadonlySignal<boolean>;
  /** Predecessors that must be completed or skipped. */
  readonly needed: readonly string[];
  /** Predecessors of a conditional edge: ended is enough, the test sees how. */
  readonly tested: readonly string[];
  readonly successors: readonly string[];
  readonly guards: readonly Guard[];
  readonly limits: readonly Limit[];
  /** Aborted because a predecessor failed, never having run. */
  abortedByFailure: boolean;
}

/** The reactive state of one execution of a template. */
export class WorkflowReactiveRoot implements EventLogProjection {
  /** Status of every node, starting as idle; roots are ready at once. */
  readonly statusMap: Map<string, Signal<NodeStatus>> = new Map();
  /** The current call of each node. Set it before appending that call's events. */
  readonly nodeKeyToRequestId: Map<string, string>;
  readonly #requests = new RequestMap();
  readonly #failurePolicy: FailurePolicy;
  readonly #states = new Map<string, NodeState>();
  readonly #log: CallEventMapValue[] = [];
  readonly #seen = new Set<string>();
  readonly #tests = new Map<string, boolean>();
  readonly #slots = new Slots();
  readonly #queue: string[] = [];
  #dag: TemplateDAG;
  #draining = false;

  constructor(dag: TemplateDAG, options: WorkflowReactiveRootOptions = {}) {
    this.nodeKeyToRequestId = this.#requests;
    this.#failurePolicy = options.failurePolicy ?? "continue-running";
    this.#dag = dag;
    this.render(dag);
  }

  /** Takes another graph: the log stays and is projected on it; events of nodes that are gone are kept, without effect. */
  render(dag: TemplateDAG): void {
    this.#dag = dag;
    this.#states.clear();
    this.#tests.clear();
    this.#slots.clear();
    this.statusMap.clear();
    for (const key of dag.nodes()) {
      const state = this.#makeState(key);
      this.#states.set(key, state);
      this.#slots.add(key, state.limits);
      this.statusMap.set(key, state.status);
    }
    this.#change(() => {
      this.#enqueue(dag.getRoots());
      for (const event of this.#log) this.#project(event);
    });
  }

  append(event: CallEventMapValue): void {
    const identity = `${event.type} ${event.requestId} ${event.timestamp}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#log.push(event);
    this.#change(() => this.#project(event));
  }

  getStatus(nodeKey: string): NodeStatus {
    return this.#state(nodeKey).status.peek();
  }

  getResult(nodeKey: string): CallResult | null {
    return this.#state(nodeKey).result.peek();
  }

  getEvents(nodeKey: string): readonly CallEventMapValue[] {
    return this.#log.filter(({ requestId }) => this.#requests.nodeOf(requestId) === nodeKey);
  }

  /** The node's result as a signal. */
  result(nodeKey: string): ReadonlySignal<CallResult | null> {
    return this.#state(nodeKey).result;
  }

  /** True when every predecessor is completed or skipped, those of a test have ended, and the tests hold. */
  preconditions(nodeKey: string): ReadonlySignal<boolean> {
    return this.#state(nodeKey).preconditions;
  }

  /** True when a predecessor that no test looks at has failed or was aborted. */
  blockedByFailure(nodeKey: string): ReadonlySignal<boolean> {
    return this.#state(nodeKey).blockedByFailure;
  }

  /** Aborts every node that is not completed or failed. */
  abortAll(): void {
    this.#change(() => {
      for (const state of this.#states.values()) {
        const status = state.status.peek();
        if (status !== "completed" && status !== "failed") this.#set(state, "aborted");
      }
    });
  }

  /** Aborts a node that has not ended. Its dependents follow by the failure policy. */
  abortNode(nodeKey: string): void {
    this.#change(() => {
      const state = this.#state(nodeKey);
      if (!isEnded(state.status.peek())) this.#set(state, "aborted");
    });
  }

  /** Has every node ended? */
  isComplete(): boolean {
    return [...this.#states.values()].every(({ status }) => isEnded(status.peek()));
  }

  /** Failed or aborted if any node is; completed when all are or are skipped; running once anything has begun; else idle. */
  getAggregateStatus(): NodeStatus {
    const statuses = new Set([...this.#states.values()].map(({ status }) => status.peek()));
    if (statuses.has("failed")) return "failed";
    if (statuses.has("aborted")) return "aborted";
    if (this.isComplete()) return "completed";
    return statuses.has("running") || statuses.has("completed") ? "running" : "idle";
  }

  /** Lets everything go. The root takes no event after it. */
  dispose(): void {
    this.#states.clear();
    this.statusMap.clear();
    this.#requests.clear();
    this.#log.length = 0;
  }

  #makeState(key: string): NodeState {
    const sources = this.#dag.predecessors(key);
    const isTested = (source: string): boolean => this.#dag.getEdgeAttributes(source, key).edgeType === "conditional";
    const needed = sources.filter((source) => !isTested(source));
    const tested = sources.filter(isTested);
    const guards = guardsOf(this.#dag, key);
    const limits = limitsOf(this.#dag, key);
    const statusOf = (source: string): NodeStatus => this.#states.get(source)?.status.value ?? "idle";
    return {
      key,
      needed,
      tested,
      guards,
      limits,
      successors: this.#dag.successors(key),
      status: signal<NodeStatus>("idle"),
      result: signal<CallResult | null>(null),
      // Both read every status, so that a change of any is noticed.
      preconditions: computed(() => {
        const satisfied = needed.map(statusOf).every((status) => status === "completed" || status === "skipped");
        const ended = tested.map(statusOf).every(isEnded);
        return satisfied && ended && untracked(() => this.#guardsHold(guards));
      }),
      blockedByFailure: computed(() =>
        needed.map(statusOf).some((status) => status === "failed" || status === "aborted")
      ),
      abortedByFailure: false,
    };
  }

  #project(event: CallEventMapValue): void {
    const key = this.#requests.nodeOf(event.requestId);
    const state = key === undefined ? undefined : this.#states.get(key);
    // An earlier attempt's late event is history, no news.
    if (!state || this.#requests.get(state.key) !== event.requestId) return;
    const status = state.status.peek();
    if (event.type === "call.requested") {
      if (status === "completed" || status === "skipped") return;
      state.result.value = null;
      if (status === "failed" || status === "aborted") this.#revive(state);
      this.#set(state, "running");
      return;
    }
    if (isEnded(status)) return;
    const result = resultOf(event);
    state.result.value = result;
    this.#set(state, result.status);
  }

  /** A retry: those that fell with this node and never ran are as before. */
  #revive(state: NodeState): void {
    for (const key of reach([state.key], (at) => this.#states.get(at)?.successors ?? [])) {
      const fallen = this.#states.get(key);
      if (!fallen?.abortedByFailure) continue;
      fallen.abortedByFailure = false;
      for (const { id } of fallen.guards) this.#tests.delete(id);
      fallen.status.value = "idle";
    }
  }

  #set(state: NodeState, status: NodeStatus): void {
    state.status.value = status;
    this.#enqueue(state.successors);
    if (state.limits.length === 0) return;
    if (status === "running") this.#slots.occupy(state.limits);
    if (isEnded(status)) this.#enqueue(this.#slots.release(state.limits, (key) => isEnded(this.getStatus(key))));
  }

  /** Those named first are looked at first: the queue is read from its end. */
  #enqueue(keys: readonly string[]): void {
    for (let at = keys.length - 1; at >= 0; at--) this.#queue.push(keys[at] ?? "");
  }

  #change(apply: () => void): void {
    batch(() =>
      untracked(() => {
        apply();
        this.#drain();
      })
    );
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let key = this.#queue.pop(); key !== undefined; key = this.#queue.pop()) {
        const state = this.#states.get(key);
        if (state) this.#advance(state);
      }
    } finally {
      this.#draining = false;
    }
  }

  #advance(state: NodeState): void {
    const status = state.status.peek();
    if (isEnded(status)) return;
    const begun = status === "ready" || status === "running";
    if (begun && this.#failurePolicy === "continue-running") return;
    if (state.blockedByFailure.value) {
      state.abortedByFailure = status !== "running";
      this.#set(state, "aborted");
      return;
    }
    if (begun) return;
    const statuses = [...state.needed, ...state.tested].map((key) => this.#states.get(key)?.status.peek() ?? "idle");
    if (!statuses.every(isEnded)) {
      if (statuses.some((other) => other === "running" || isEnded(other))) state.status.value = "waiting";
      return;
    }
    const next = this.#decide(state);
    if (next === "ready" && !this.#slots.take(state.key, state.limits)) state.status.value = "waiting";
    else this.#set(state, next);
  }

  #decide(state: NodeState): NodeStatus {
    try {
      return this.#guardsHold(state.guards) ? "ready" : "skipped";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      state.result.value = { status: "failed", output: null, error: { code: "EXECUTION_ERROR", message } };
      return "failed";
    }
  }

  #guardsHold(guards: readonly Guard[]): boolean {
    return guards.every(({ id, condition, negated }) => {
      let holds = this.#tests.get(id);
      if (holds === undefined) this.#tests.set(id, holds = test(condition, this.#dag, this.#results()));
      return holds !== negated;
    });
  }

  #results(): Record<string, CallResult> {
    const results: Record<string, CallResult> = {};
    for (const [key, { status, result }] of this.#states) {
      if (isEnded(status.peek())) results[key] = result.peek() ?? { status: status.peek(), output: null };
    }
    return results;
  }

  #state(key: string): NodeState {
    const state = this.#states.get(key);
    if (!state) throw new NodeNotFoundError(key);
    return state;
  }
}

function resultOf(event: Exclude<CallEventMapValue, { type: "call.requested" }>): CallResult {
  switch (event.type) {
    case "call.responded":
      return { status: "completed", output: event.output };
    case "call.completed":
      return { status: "completed", output: event.output ?? null };
    case "call.error":
      return { status: "failed", output: null, error: event.error };
    case "call.aborted":
      return { status: "aborted", output: null };
  }
}

function isEnded(status: NodeStatus): boolean {
  return status === "completed" || status === "failed" || status === "aborted" || status === "skipped";
}
