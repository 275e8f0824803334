/** Where a failure came from, and whether a Conditional's test has it in view. */
import { compileExpression } from "@alkdev/flowgraph";
import type { EventError } from "../events.ts";
import { abortedAround } from "./asks.ts";
import { keyOf } from "./keys.ts";
import { type Frame, Status } from "./frame.ts";
import type { RunState } from "./run_state.ts";

/** The failure that ended something: which node, and its error. */
export interface Origin {
  readonly key: string;
  readonly error: EventError;
  readonly endedSeq: number;
}

/**
 * The earliest failure behind a failed or aborted vertex, found by walking back over bad predecessors and into the frames of
 * failed Maps and Loops. Null when nothing failed (a run aborted as a whole).
 */
export function failureOrigin(state: RunState, frame: Frame, vertex: number): Origin | null {
  let first: Origin | null = null;
  const seen = new Map<Frame, Set<number>>();
  const work: [Frame, number][] = [[frame, vertex]];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    const [at, v] = next;
    const visited = seen.get(at) ?? new Set();
    if (visited.has(v)) continue;
    seen.set(at, visited.add(v));
    const aborted = abortedAround(state, at, v);
    const end = aborted < 0 ? v : state.program.exit[aborted]!;
    const cell = at.cells[end];
    if ((at.status[v] === Status.FAILED || aborted >= 0) && cell?.error) {
      if (first === null || cell.endedSeq < first.endedSeq) {
        first = { key: keyOf(state, at, end), error: cell.error, endedSeq: cell.endedSeq };
      }
      continue;
    }
    const owner = at.block.nodes[v]!;
    const enter = state.program.entry[owner]!;
    if (v !== enter && isBad(at, enter)) {
      work.push([at, enter]); // it never began: what its insides would have waited for has nothing to do with it
      continue;
    }
    for (const before of badPredecessors(at, v)) work.push([at, before]);
    const expansion = at.expansions?.get(state.program.entry[owner]!);
    if (expansion !== undefined && v === state.program.exit[owner]) {
      for (const inner of expansion.frames) {
        const end = state.program.exit[inner.block.root]!;
        if (isBad(inner, end)) work.push([inner, end]);
      }
    }
  }
  return first;
}

/**
 * True when every failure before a gate is one its test looks at: the test names (as `status.x`, `errors.x`, or `test: "x"`)
 * the failed node, a node aborted because of it, or a container around it. A function may look at anything.
 */
export function coversFailure(state: RunState, frame: Frame, gate: number): boolean {
  const { plan, entry, indexOf } = state.program;
  const node = plan.nodes[frame.block.nodes[gate]!]!;
  if (node.kind !== "conditional") return false;
  if ("$fn" in node.test) return true;
  const tested = "completed" in node.test ? [node.test.completed] : errorNames(node.test.when);
  if (tested === null) return true;
  const covering = new Set<number>();
  for (const key of tested) {
    for (let index = indexOf.get(key) ?? -1; index >= 0; index = -1) {
      // A node inside a Map or Loop stands for that Map or Loop.
      let at = index;
      while (state.program.blockOf[at] !== frame.block && state.program.blockOf[at]!.owner >= 0) {
        at = state.program.blockOf[at]!.owner;
      }
      if (state.program.blockOf[at] === frame.block) covering.add(at);
    }
  }
  const work = badPredecessors(frame, gate);
  const seen = new Set<number>();
  for (let vertex = work.pop(); vertex !== undefined; vertex = work.pop()) {
    if (seen.has(vertex)) continue;
    seen.add(vertex);
    const index = frame.block.nodes[vertex]!;
    if (covering.has(index)) continue;
    const aborted = abortedAround(state, frame, vertex);
    if (aborted >= 0) {
      // It was aborted as a whole: who looks at a node inside sees that too.
      const { end } = plan.nodes[aborted]!;
      if (![...covering].some((one) => one >= aborted && one < end)) return false;
      continue;
    }
    if (vertex !== entry[index] && isBad(frame, entry[index]!)) {
      // It never began: a node inside was aborted by the same failure, and nothing else inside has to do with it.
      const { end } = plan.nodes[index]!;
      if (![...covering].some((one) => one > index && one < end)) work.push(entry[index]!);
      continue;
    }
    const before = badPredecessors(frame, vertex);
    const isOrigin = before.length === 0 || (frame.status[vertex] === Status.FAILED && entry[index] === vertex);
    if (isOrigin) return false;
    work.push(...before);
  }
  return true;
}

/** Keys whose failure an expression looks at; null: all. */
function errorNames(source: string): readonly string[] | null {
  const { names } = compileExpression(source);
  if (names.whole.includes("status") || names.whole.includes("errors")) return null;
  return [...names.status, ...names.errors];
}

function isBad(frame: Frame, vertex: number): boolean {
  const status = frame.status[vertex];
  return status === Status.FAILED || status === Status.ABORTED;
}

const reversed = new WeakMap<object, readonly (readonly number[])[]>();

function badPredecessors(frame: Frame, vertex: number): number[] {
  let back = reversed.get(frame.block);
  if (back === undefined) {
    const lists: number[][] = frame.block.kinds.map(() => []);
    frame.block.successors.forEach((list, from) => list.forEach((to) => lists[to]!.push(from)));
    reversed.set(frame.block, back = lists);
  }
  return back[vertex]!.filter((before) => isBad(frame, before));
}
