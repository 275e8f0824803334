import type { Json, Plan, PlanNode } from "@alkdev/flowgraph";
import type { EventError } from "../../../engine/events.ts";

/** `open` is "may start": whether it has started is `touched`. */
export type ModelStatus = "idle" | "open" | "completed" | "failed" | "aborted" | "skipped";

/** The plan's own level, or one item of a Map or turn of a Loop. */
export interface ModelFrame {
  readonly owner: Instance | null;
  readonly index: number;
  readonly item: Json;
  readonly suffix: string;
  readonly byIndex: Map<number, Instance>;
}

/** One node of the plan in one frame, with what the log says of it. */
export class Instance {
  readonly index: number;
  readonly node: PlanNode;
  readonly parent: Instance | null;
  readonly frame: ModelFrame;
  readonly key: string;
  /** Of a Map or Loop: the bodies there are so far. */
  readonly children: Instance[] = [];
  status: ModelStatus = "idle";
  /** Whether its own entry was passed: what was aborted before never began. */
  began = false;
  /** Something of it has been seen to start. */
  touched = false;
  /** Highest attempt seen in the log. */
  attempt = 0;
  requestId: string | null = null;
  input: string | null = null;
  /** An attempt is under way by the log. */
  running = false;
  cancelLogged = false;
  retryAt: number | null = null;
  /** A wait has been recorded. */
  waiting = false;
  due: number | null = null;
  data: Json = null;
  error: EventError | null = null;
  /** Seq of its own failure, or of the wish that it be aborted. */
  failedSeq = 0;
  /** Somebody wants it aborted; it has not begun. */
  doom: { readonly reason: string; readonly seq: number } | null = null;
  /** Aborted by itself, not with what holds it. */
  selfAborted = false;
  paused = false;
  /** Of the last attempt that failed. */
  lastError: EventError | null = null;
  branch: "then" | "else" | "none" | null = null;
  expanded = false;
  over = false;

  constructor(index: number, node: PlanNode, parent: Instance | null, frame: ModelFrame) {
    this.index = index;
    this.node = node;
    this.parent = parent;
    this.frame = frame;
    this.key = node.key + frame.suffix;
  }

  get ended(): boolean {
    return this.status !== "idle" && this.status !== "open";
  }
  get bad(): boolean {
    return this.status === "failed" || this.status === "aborted";
  }
  get isLeaf(): boolean {
    const { kind } = this.node;
    return kind === "operation" || kind === "workflow" || kind === "sleep" || kind === "signal";
  }
}

/** Makes the instances of the subtree at `index`; Maps and Loops get their bodies later. */
export function instantiate(
  plan: Plan,
  index: number,
  parent: Instance | null,
  frame: ModelFrame,
  byKey: Map<string, Instance>,
): Instance {
  const node = plan.nodes[index];
  if (node === undefined) throw new Error(`Cannot instantiate node ${index}: the plan has ${plan.nodes.length}`);
  const made = new Instance(index, node, parent, frame);
  frame.byIndex.set(index, made);
  byKey.set(made.key, made);
  if (node.kind === "map" || node.kind === "loop") return made;
  for (let child = index + 1; child < node.end; child = plan.nodes[child]!.end) {
    made.children.push(instantiate(plan, child, made, frame, byKey));
  }
  return made;
}

/** The node around (or at) an aborted instance, in its own frame, that was aborted by itself. */
export function abortedAround(inst: Instance): Instance | null {
  if (inst.status !== "aborted") return null;
  for (let at: Instance | null = inst; at !== null && at.frame === inst.frame; at = at.parent) {
    if (at.selfAborted) return at;
  }
  return null;
}

/** The paused node around (or at) an instance. */
export function pausedAround(inst: Instance): Instance | null {
  for (let at: Instance | null = inst; at !== null; at = at.parent) if (at.paused) return at;
  return null;
}

/** What must have ended before it may start, its parent aside. */
export function predecessors(inst: Instance): Instance[] {
  const found: Instance[] = [];
  if (inst.parent?.node.kind === "sequential") {
    const at = inst.parent.children.indexOf(inst);
    if (at > 0) found.push(inst.parent.children[at - 1]!);
  }
  for (const index of inst.node.after ?? []) {
    const source = inst.frame.byIndex.get(index);
    if (source === undefined) {
      throw new Error(`"${inst.key}" comes after node ${index}, which is in no frame of its own`);
    }
    found.push(source);
  }
  return found;
}
