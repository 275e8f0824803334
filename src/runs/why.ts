import type { PlanNode } from "@alkdev/flowgraph";
import { keyOf, leaves, pausedAround, type Place, type RunState, STATUS_NAMES } from "../../engine/mod.ts";
import type { RunDriver } from "./ports.ts";
import type { FlowWait, FlowWaits } from "./start_gate.ts";
import type { WaitingCall, Whereabouts, WhyEntry } from "./why_entry.ts";

/** Predecessors named in one entry at most. */
const MAX_KEYS = 20;

/** Who drives a run: this hub, another one that lives, or nobody. */
export type Driver = "here" | "nobody" | RunDriver;

/** For every leaf that has not ended: what it waits for. `whereabouts` are asked in their order. */
export function whyOf(
  state: RunState,
  { driver, whereabouts = [], gate = null }: {
    readonly driver: Driver;
    readonly whereabouts?: readonly Whereabouts[];
    /** What the run waits for at the gate; null: nothing. */
    readonly gate?: Awaited<ReturnType<FlowWaits>> | null;
  },
): readonly WhyEntry[] {
  if (state.terminal !== null) return [];
  if (!state.started) return [queuedEntry(state, gate?.run ?? null)];
  const entries: WhyEntry[] = [];
  for (const place of leaves(state)) {
    const entry = entryOf(
      state,
      place,
      (call) =>
        gate?.call(call.key, call.operationId) ??
          (driver === "here" ? ask(whereabouts, call) : elsewhere(driver, call)),
    );
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

type Ask = (call: WaitingCall) => ReturnType<Whereabouts> | FlowWait;

/** One entry for a run that has not started, in the name of its root. */
function queuedEntry(state: RunState, wait: FlowWait | null): WhyEntry {
  const { created } = state;
  const startAfter = created?.gate?.startAfter ?? null;
  const head = {
    key: state.program.plan.nodes[0]!.key,
    status: "idle",
    since: created?.at ?? null,
    until: null,
    keys: [],
    operationId: null,
    labels: null,
  } as const;
  if (state.status === "paused") return { ...head, waitsFor: "paused", message: "The run is paused" };
  if (wait !== null) return { ...head, ...wait };
  if (startAfter === null) return { ...head, waitsFor: "flow", message: "It is about to be put in line" };
  return { ...head, waitsFor: "timer", message: `It starts at ${timeOf(startAfter)}`, until: startAfter };
}

function entryOf(state: RunState, place: Place, askAfter: Ask): WhyEntry | null {
  const { frame, vertex } = place;
  const status = STATUS_NAMES[frame.status[vertex]!];
  const cell = frame.cells[vertex];
  const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
  const key = keyOf(state, frame, vertex);
  const operationId = operationOf(node);
  const labels = node.kind === "operation" ? node.spoke ?? null : null;
  const head = { key, status, since: null, until: cell?.dueAt ?? null, keys: [], operationId, labels };
  const call = operationId === null
    ? null
    : { runId: state.created?.runId ?? "", orgId: state.created?.caller.orgId ?? "", key, operationId, labels };
  const paused = pausedAround(state, frame, frame.block.nodes[vertex]!);
  if (status === "running") {
    const known = call && askAfter({ ...call, requestId: cell?.requestId ?? null });
    const message = `Attempt ${cell?.attempt ?? 1} of "${operationId ?? node.kind}" is under way`;
    const since = cell?.startedAt ?? null;
    const waitsFor = node.kind === "workflow" ? "child" : "call";
    const child = waitsFor === "child" ? `: child run ${cell?.requestId}` : "";
    return { ...head, since, waitsFor, message: message + child, ...known };
  }
  if (status === "ready") {
    if (state.status === "paused") return { ...head, waitsFor: "paused", message: "The run is paused" };
    if (paused !== null) return { ...head, waitsFor: "paused", message: `"${paused}" is paused` };
    const known = call && askAfter({ ...call, requestId: null });
    return { ...head, waitsFor: "slot", message: "It is about to be dispatched", ...known };
  }
  if (status === "waiting") {
    const attempt = cell?.attempt ?? 0;
    const entry = waiting(node.kind, attempt, head.until);
    const held = paused === null || entry.waitsFor !== "retry" ? "" : `, but "${paused}" is paused`;
    return { ...head, since: cell?.startedAt ?? null, ...entry, message: entry.message + held };
  }
  if (status !== "idle") return null;
  const keys = openPredecessors(state, { frame, vertex });
  const message = keys.length === 0 ? "Its container has not started" : `Waits for ${keys.join(", ")}`;
  const doomed = frame.asks?.doomed.has(vertex) ? "; it is to be aborted then" : "";
  return { ...head, waitsFor: "predecessors", message: message + doomed, keys };
}

function operationOf(node: PlanNode): string | null {
  return node.kind === "operation" ? node.operationId : node.kind === "workflow" ? `workflow.${node.workflow}` : null;
}

function ask(whereabouts: readonly Whereabouts[], call: WaitingCall): ReturnType<Whereabouts> {
  for (const one of whereabouts) {
    const known = one(call);
    if (known !== null) return known;
  }
  return null;
}

/** The run is driven elsewhere: of its calls only that is known. */
function elsewhere(driver: Exclude<Driver, "here">, { operationId, requestId }: WaitingCall): ReturnType<Whereabouts> {
  if (driver === "nobody") {
    return { waitsFor: "owner", message: "The hub that drove the run is gone: another one is about to take it up" };
  }
  if (requestId === null) return null;
  const where = `hub "${driver.hubId}"${driver.url === null ? "" : ` at ${driver.url}`}`;
  return { waitsFor: "call", message: `"${operationId}" is under way; the run is driven by ${where}` };
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
