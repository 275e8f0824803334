import { keyOf, leaves, type RunState, STATUS_NAMES } from "../../engine/mod.ts";
import type { WhyEntry } from "./ports.ts";

/** Predecessors named in one entry at most. */
const MAX_KEYS = 20;

/** For every leaf that has not ended: what it waits for. */
export function whyOf(state: RunState): readonly WhyEntry[] {
  if (state.terminal !== null) return [];
  const entries: WhyEntry[] = [];
  for (const { frame, vertex } of leaves(state)) {
    const status = STATUS_NAMES[frame.status[vertex]!];
    const cell = frame.cells[vertex];
    const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
    const head = { key: keyOf(state, frame, vertex), status, until: cell?.dueAt ?? null };
    if (status === "running") {
      const message = `Attempt ${cell?.attempt ?? 1} of "${
        node.kind === "operation" ? node.operationId : node.kind
      }" is under way`;
      entries.push({ ...head, waitsFor: "call", message, keys: [] });
    } else if (status === "ready") {
      const waitsFor = state.status === "paused" ? "paused" : "slot";
      const message = waitsFor === "paused" ? "The run is paused" : "It is about to be dispatched";
      entries.push({ ...head, waitsFor, message, keys: [] });
    } else if (status === "waiting") {
      entries.push({ ...head, ...waiting(node.kind, cell?.attempt ?? 0, head.until), keys: [] });
    } else if (status === "idle") {
      const keys = openPredecessors(state, { frame, vertex });
      const message = keys.length === 0 ? "Its container has not started" : `Waits for ${keys.join(", ")}`;
      entries.push({ ...head, waitsFor: "predecessors", message, keys });
    }
  }
  return entries;
}

function waiting(kind: string, attempt: number, until: number | null): Pick<WhyEntry, "waitsFor" | "message"> {
  const at = until === null ? "" : ` until ${timeOf(until)}`;
  if (kind === "sleep") return { waitsFor: "timer", message: `Sleeps${at}` };
  if (kind === "signal") return { waitsFor: "signal", message: `Waits for an answer${at}` };
  if (attempt > 0) {
    return {
      waitsFor: "retry",
      message: `Attempt ${attempt} failed; the next one is due${at.replace(" until", " at")}`,
    };
  }
  return { waitsFor: "slot", message: "Waits for a place among its container's maxConcurrency" };
}

/** A sleep may be longer than dates go. */
function timeOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "the end of time" : date.toISOString();
}

/** The leaves that stand directly or through containers before a place and have not ended. */
function openPredecessors(state: RunState, place: { frame: RunState["root"]; vertex: number }): string[] {
  const { frame } = place;
  const back: number[][] = frame.block.kinds.map(() => []);
  frame.block.successors.forEach((list, from) => list.forEach((to) => back[to]!.push(from)));
  const keys = new Set<string>();
  const seen = new Set<number>();
  const work = [...back[place.vertex]!];
  for (let vertex = work.pop(); vertex !== undefined && keys.size < MAX_KEYS; vertex = work.pop()) {
    if (seen.has(vertex) || frame.status[vertex]! >= 4) continue;
    seen.add(vertex);
    const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
    const isContainerExit = frame.block.kinds[vertex] === 2 || frame.block.kinds[vertex] === 6;
    if (isContainerExit && back[vertex]!.some((before) => frame.status[before]! < 4)) work.push(...back[vertex]!);
    else keys.add(node.key + frame.suffix);
  }
  return [...keys];
}
