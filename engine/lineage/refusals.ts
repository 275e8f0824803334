/** Whether a run may go on under another plan: it must stand there as it stands under its own. Pure over both states. */
import { diffPlans, type NodeChange, type Plan } from "@alkdev/flowgraph";
import { isLeaf, VertexKind } from "../program.ts";
import { openFor } from "../state/early_signals.ts";
import { type Frame, isTerminal, type Place, Status, STATUS_NAMES } from "../state/frame.ts";
import { keyOf, locate } from "../state/keys.ts";
import type { RunState } from "../state/run_state.ts";
import { awaitsSlot } from "../state/slots.ts";

/** What speaks against a migration. */
export interface Refusal {
  readonly key: string;
  readonly reason: string;
}

/** Told at most: who has a thousand has seen enough. */
const MAX_REFUSALS = 100;

/**
 * `before` is a run's state under its plan, `after` the fold of the same log under the other. Every node that has begun must be
 * there, unchanged, in the same items and turns, with the same status, and with nothing before it that has still to happen.
 */
export function refusals(
  before: RunState,
  after: RunState,
  options: { readonly sameFunctions: boolean },
): readonly Refusal[] {
  const diff = diffPlans(before.program.plan, after.program.plan, options);
  const changed = new Map(diff.changed.filter(({ affectsResult }) => affectsResult).map((one) => [one.key, one]));
  const found: Refusal[] = [...lostAnswers(before, after)];
  for (const { frame, vertex, hasBegun } of concerned(before)) {
    const reason = lostAsk(before, after, frame, vertex) ??
      (hasBegun ? reasonAgainst({ before, after, changed, frame, vertex }) : null);
    if (reason === null) continue;
    found.push({ key: keyOf(before, frame, vertex), reason });
    if (found.length >= MAX_REFUSALS) break;
  }
  return found;
}

/**
 * Every place whose node has begun, as far as it is a leaf, a gate, a Map or a Loop: other containers do nothing of their own. And
 * every place of a frame in which something was asked of a node.
 */
function* concerned(
  state: RunState,
): Generator<{ readonly frame: Frame; readonly vertex: number; readonly hasBegun: boolean }> {
  const { program } = state;
  const frames = [state.root];
  for (let frame = frames.pop(); frame !== undefined; frame = frames.pop()) {
    for (let vertex = 0; vertex < frame.status.length; vertex++) {
      const index = frame.block.nodes[vertex]!;
      if (program.entry[index] !== vertex) continue;
      const acts = decides(frame, vertex) || isLeaf(program.plan.nodes[index]!);
      const hasBegun = acts && frame.status[vertex] !== Status.IDLE;
      if (hasBegun || frame.asks !== null) yield { frame, vertex, hasBegun };
    }
    for (const expansion of frame.expansions?.values() ?? []) {
      frames.push(...expansion.frames, ...expansion.ahead?.values() ?? []);
    }
  }
}

/** A node that is paused, or was or is to be aborted, must not get away. */
function lostAsk(before: RunState, after: RunState, frame: Frame, vertex: number): string | null {
  const { asks } = frame;
  const index = frame.block.nodes[vertex]!;
  if (asks === null || before.program.entry[index] !== vertex) return null;
  const wasAborted = asks.aborted.has(before.program.exit[index]!);
  if (!asks.paused.has(index) && !asks.doomed.has(vertex) && !wasAborted) return null;
  const there = locate(after, keyOf(before, frame, vertex));
  const kept = there?.frame.asks ?? null;
  const now = there === null ? -1 : there.frame.block.nodes[there.vertex]!;
  const isKept = kept !== null && asks.paused.has(index) === kept.paused.has(now) &&
    wasAborted === kept.aborted.has(after.program.exit[now]!);
  // A container that was given no key is named by its place: it must hold the same nodes.
  if (isKept && namesInside(before.program.plan, index) === namesInside(after.program.plan, now)) return null;
  return `It ${wasAborted ? "was aborted" : "is paused or to be aborted"}, and the new version does not have it there`;
}

function namesInside({ nodes }: Plan, index: number): string {
  return nodes.slice(index, nodes[index]!.end).map(({ key }) => key).filter((key) => !key.startsWith("__")).join(" ");
}

/** Answers that came early and were acknowledged must find their Signal. */
function lostAnswers(before: RunState, after: RunState): readonly Refusal[] {
  return (before.early ?? []).filter(({ name }) => openFor(after, name).count === 0).map(({ name }) => ({
    key: name,
    reason: "An answer to it has come early, and the new version has no Signal that could take it",
  }));
}

function decides(frame: Frame, vertex: number): boolean {
  const kind = frame.block.kinds[vertex]!;
  return kind === VertexKind.GATE || kind === VertexKind.EXPAND || kind === VertexKind.LOOP;
}

function reasonAgainst(
  { before, after, changed, frame, vertex }: {
    readonly before: RunState;
    readonly after: RunState;
    readonly changed: ReadonlyMap<string, NodeChange>;
    readonly frame: Frame;
    readonly vertex: number;
  },
): string | null {
  const planKey = before.program.plan.nodes[frame.block.nodes[vertex]!]!.key;
  const status = frame.status[vertex]!;
  const has = `has begun (it is ${STATUS_NAMES[status]})`;
  if (!after.program.indexOf.has(planKey)) return `It ${has}, and the new version does not have it`;
  const change = changed.get(planKey);
  if (change !== undefined) {
    return `It ${has}, and is another in the new version: ${
      change.fields.map(({ field }) => field).join(", ")
    } changed`;
  }
  const there = locate(after, keyOf(before, frame, vertex));
  if (there === null) return `It ${has}, and the new version does not get to it by what has been decided so far`;
  const now = there.frame.status[there.vertex]!;
  if (now !== status && !(isQueued(frame, vertex) && isQueued(there.frame, there.vertex))) {
    return `It ${has}, and would be ${STATUS_NAMES[now]} in the new version`;
  }
  const isCut = status === Status.ABORTED || status === Status.SKIPPED;
  if (!isCut && there.frame.pending[there.vertex]! > 0) {
    return `It ${has}, and comes after nodes in the new version that have not ended`;
  }
  if (lacksSlot(after, there)) return `It ${has}, and would have to wait for a slot in the new version`;
  if (frame.taken?.get(vertex) !== there.frame.taken?.get(there.vertex)) {
    return `It ${has}, and would take another branch in the new version`;
  }
  return null;
}

/** A child of a limited Parallel that is at work and holds none of its slots: others would be let in beside it. */
function lacksSlot({ program }: RunState, { frame, vertex }: Place): boolean {
  const enter = frame.block.slotOf[vertex]!;
  if (enter < 0 || isQueued(frame, vertex)) return false;
  const hasEnded = isTerminal(frame.status[program.exit[frame.block.nodes[vertex]!]!]!);
  return !hasEnded && frame.groups?.get(enter)?.held.has(vertex) !== true;
}

/** Ready, or in line for a slot: nothing has been done for it yet. */
function isQueued(frame: Frame, vertex: number): boolean {
  return frame.status[vertex] === Status.READY || awaitsSlot({ frame, vertex });
}
