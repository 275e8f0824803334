/**
 * A run as its log tells it: a naive interpreter of docs/concepts.md and docs/state-machines.md that walks the whole tree after
 * every event. Knows nothing of the engine's code. `apply` throws a {@linkcode Violation} at the first event that should not be
 * there.
 */
import type { Json, Plan } from "@alkdev/flowgraph";
import { type EventOf, isTerminalType, type RunEvent, type RunStatus } from "../../../engine/events.ts";
import { Violation } from "../history.ts";
import { holds, watched } from "./conditions.ts";
import { catches } from "./failure.ts";
import { type Instance, instantiate, type ModelFrame, type ModelStatus, predecessors } from "./instance.ts";
import { nearest, type Scope, scopeOwner } from "./values.ts";

export class RunModel {
  readonly id: string;
  readonly scope: Scope;
  readonly root: Instance;
  readonly byKey: Map<string, Instance> = new Map();
  /** Results of another run, for leaves by key. */
  readonly offers: Map<string, Json> = new Map();
  readonly created: Extract<RunEvent, { type: "run.created" }>;
  status: RunStatus = "running";
  started = true;
  seq = 1;
  /** Answers that came early and are not used yet, in order. */
  early: EventOf<"signal.buffered">[] = [];
  /** Request ids seen, with the attempt they stand for. */
  readonly requests: Map<string, string> = new Map();

  constructor(plan: Plan, created: Extract<RunEvent, { type: "run.created" }>) {
    this.id = created.runId;
    this.created = created;
    const frame: ModelFrame = { owner: null, index: 0, item: null, suffix: "", byIndex: new Map() };
    this.scope = { plan, input: created.input, root: frame };
    this.root = instantiate(plan, 0, null, frame, this.byKey);
    this.started = created.gate === undefined;
    if (this.started) this.settle();
    else this.status = "queued";
  }

  /** It has passed its gate. */
  start(at: number): void {
    const { gate } = this.created;
    if (gate?.startAfter !== null && gate?.startAfter !== undefined && at < gate.startAfter) {
      this.fail("gate", `run.started at ${at}, it was not to start before ${gate.startAfter}`);
    }
    this.started = true;
    this.status = "running";
    this.settle();
  }

  get ended(): boolean {
    return isTerminalStatus(this.status);
  }

  fail(invariant: string, message: string): never {
    throw new Violation(invariant, message, this.id);
  }

  at(key: string): Instance {
    return this.byKey.get(key) ?? this.fail("log", `An event names "${key}", which is no node there is yet`);
  }

  /** Nodes that somebody has paused, and that have not ended. */
  get pausedNodes(): readonly Instance[] {
    return [...this.byKey.values()].filter((inst) => inst.paused && !inst.ended);
  }

  /** Leaves that exist so far. */
  *leaves(): Generator<Instance> {
    for (const inst of this.byKey.values()) if (inst.isLeaf) yield inst;
  }

  /**
   * Notes that something of `inst` starts. It must be allowed to, and no container around it may be over its limit (I7).
   */
  touch(inst: Instance, what: string): void {
    if (inst.status !== "open") {
      const why = predecessors(inst).filter((before) => !before.ended).map((before) => `"${before.key}"`);
      this.fail(
        inst.status === "completed" ? "I3" : "order",
        `${what} of "${inst.key}", which is ${inst.status} by the log${why.length > 0 ? `: ${why} has not ended` : ""}`,
      );
    }
    for (let at: Instance = inst; at.parent !== null && !at.touched; at = at.parent) {
      at.touched = true;
      const { node } = at.parent;
      if ((node.kind !== "parallel" && node.kind !== "map") || node.maxConcurrency === undefined) continue;
      const active = at.parent.children.filter((child) => child.touched && !child.ended).length;
      if (active > node.maxConcurrency) {
        this.fail(
          "I7",
          `${what} of "${inst.key}": ${active} children of "${at.parent.key}" are at work, the limit is ${node.maxConcurrency}`,
        );
      }
    }
  }

  /** Works out what has begun and ended by now: nothing before the gate. */
  settle(): void {
    if (!this.started) return;
    while (this.#visit(this.root)) { /* until nothing changes */ }
  }

  #visit(inst: Instance): boolean {
    if (inst.ended) return false;
    let changed = false;
    if (inst.status === "idle") {
      const before = predecessors(inst);
      if (!before.every((one) => one.ended)) return false;
      if (before.some((one) => one.bad) && !this.#catches(inst)) return this.abort(inst);
      if (inst.doom !== null) return this.abortSelf(inst, inst.doom);
      inst.status = "open";
      inst.began = true;
      changed = true;
      if (inst.isLeaf && this.offers.has(inst.key)) this.reuse(inst);
    }
    return this.#advance(inst) || changed;
  }

  /** Ends a leaf with another run's result: it never starts (I3). */
  reuse(inst: Instance): void {
    inst.data = this.offers.get(inst.key) ?? null;
    inst.status = "completed";
  }

  #catches(inst: Instance): boolean {
    const { node } = inst;
    if (node.kind !== "conditional" || "$fn" in node.test) return false;
    const keys = "completed" in node.test ? [node.test.completed] : watched(node.test.when);
    const tested = new Set<number>();
    for (const key of keys) {
      let index = this.scope.plan.nodes.findIndex((one) => one.key === key);
      while (index >= 0 && !inst.frame.byIndex.has(index) && nearest(inst.frame, index) === null) {
        index = scopeOwner(this.scope.plan, index);
      }
      if (index >= 0) tested.add(index);
    }
    return catches(inst, tested);
  }

  #advance(inst: Instance): boolean {
    if (inst.isLeaf) return false;
    const { node, children } = inst;
    if (node.kind === "conditional" && inst.branch === null) return false;
    if (node.kind === "map" && !inst.expanded) return false;
    let changed = false;
    const most = node.kind === "map" ? node.maxConcurrency ?? Infinity : Infinity;
    let launched = 0;
    for (const child of children) {
      if (launched >= most) break;
      if (node.kind === "conditional" && child.node.branch !== inst.branch) changed = this.#skip(child) || changed;
      else changed = this.#visit(child) || changed;
      if (!child.ended) launched++;
    }
    const winner = node.kind === "race" ? children.find((child) => child.status === "completed") : undefined;
    if (winner !== undefined) {
      for (const child of children) if (child !== winner) this.abort(child);
      return this.end(inst, "completed");
    }
    if (node.kind === "loop") return this.#advanceLoop(inst) || changed;
    if (!children.every((child) => child.ended)) return changed;
    const last = children[children.length - 1];
    const bad = node.kind === "sequential" ? last?.bad === true : children.some((child) => child.bad);
    return this.end(inst, bad || (node.kind === "race" && children.length > 0) ? "failed" : "completed");
  }

  #advanceLoop(inst: Instance): boolean {
    const { node, children } = inst;
    if (node.kind !== "loop") return false;
    if (children.length === 0) {
      this.addBody(inst, 0);
      return true;
    }
    const last = children[children.length - 1]!;
    if (!last.ended) return false;
    if (last.bad) return this.end(inst, "failed");
    return inst.over || children.length >= node.maxIterations ? this.end(inst, "completed") : false;
  }

  /** A Loop has a turn behind it, and whether there is another is not recorded yet. */
  awaitsTurn(inst: Instance): boolean {
    const { node, children } = inst;
    const last = children[children.length - 1];
    return node.kind === "loop" && inst.status === "open" && last !== undefined && last.ended && !last.bad;
  }

  addBody(owner: Instance, item: Json): void {
    const index = owner.children.length;
    const frame = { owner, index, item, suffix: `${owner.frame.suffix}[${index}]`, byIndex: new Map() };
    owner.children.push(instantiate(this.scope.plan, owner.index + 1, owner, frame, this.byKey));
  }

  end(inst: Instance, status: ModelStatus): true {
    inst.status = status;
    return true;
  }

  abort(inst: Instance): boolean {
    if (inst.ended) return false;
    inst.status = "aborted";
    this.#forgetUnlaunched(inst);
    for (const child of inst.children) this.abort(child);
    return true;
  }

  abortSelf(inst: Instance, { reason, seq }: { readonly reason: string; readonly seq: number }): true {
    this.abort(inst);
    inst.selfAborted = true;
    inst.error = { code: "ABORTED", message: reason };
    inst.failedSeq = seq;
    return true;
  }

  /** Items that a Map's limit still kept waiting never become nodes. */
  #forgetUnlaunched(inst: Instance): void {
    const { node, children } = inst;
    if (node.kind !== "map" || node.maxConcurrency === undefined) return;
    const launched = children.filter((child) => child.status !== "idle").length;
    for (const body of children.splice(launched)) this.#forget(body);
  }

  #forget(inst: Instance): void {
    this.byKey.delete(inst.key);
    for (const child of inst.children) this.#forget(child);
  }

  #skip(inst: Instance): boolean {
    if (inst.ended) return false;
    inst.status = "skipped";
    for (const child of inst.children) this.#skip(child);
    return true;
  }

  /** What a condition gives as seen by a Conditional, or by a Loop from its last turn. */
  condition(inst: Instance): boolean | null {
    const { node } = inst;
    if (node.kind === "conditional" && !("$fn" in node.test)) {
      const text = "when" in node.test ? node.test.when : `status.${node.test.completed} == "completed"`;
      return holds(this.scope, inst.frame, text);
    }
    if (node.kind === "loop" && typeof node.while === "string") {
      return holds(this.scope, inst.children[inst.children.length - 1]!.frame, node.while);
    }
    return null;
  }
}

export function isTerminalStatus(status: RunStatus): boolean {
  return status !== "paused" && isTerminalType(`run.${status}` as RunEvent["type"]);
}
