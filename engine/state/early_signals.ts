/** Signals that have come before the run waited for them. */
import type { Json, SignalNode } from "@alkdev/flowgraph";
import type { EventOf } from "../events.ts";
import type { Program } from "../program.ts";
import { type Frame, isTerminal } from "./frame.ts";
import type { RunState } from "./run_state.ts";

/** Name or node key that somebody answered, with the answer. */
export type EarlySignal = EventOf<"signal.buffered">;

/** Kept at most, by one run. */
export const MAX_EARLY = 100;
/** Length of their payloads as JSON, together. */
export const MAX_EARLY_LENGTH = 262_144;

export function keepEarly(state: RunState, event: EarlySignal): void {
  (state.early ??= []).push(event);
}

/** The payload of an answer; one that had come early is used up. */
export function takeAnswer(state: RunState, { payload, early }: EventOf<"signal.received">): Json {
  if (early === undefined || state.early === null) return payload;
  const left = state.early.filter((one) => one.seq !== early);
  state.early = left.length === 0 ? null : left;
  return payload;
}

/** Whether an answer under this name is for the Signal `node`, in the frame where its key is `key`. */
export function answers(name: string, node: SignalNode, key: string): boolean {
  return node.signal === name || key === name;
}

/** The first that has come for a Signal. */
export function earliestFor(state: RunState, node: SignalNode, key: string): EarlySignal | null {
  return state.early?.find(({ name }) => answers(name, node, key)) ?? null;
}

/** How many more of a plan's Signals can take an answer under this name; Infinity while more of them may come into being. */
export function openFor(
  state: RunState,
  name: string,
): { readonly count: number; readonly nodes: readonly SignalNode[] } {
  let count = 0;
  const nodes: SignalNode[] = [];
  const { program } = state;
  const bracket = name.indexOf("[");
  const base = bracket < 0 ? name : name.slice(0, bracket);
  const indices = bracket < 0 ? [] : name.slice(bracket + 1, -1).split("][").map(Number);
  for (const [index, node] of program.plan.nodes.entries()) {
    if (node.kind !== "signal") continue;
    const byName = node.signal === name;
    const owners = ownersOf(program, index);
    if (!byName && (node.key !== base || indices.length !== owners.length)) continue;
    const open = openIn({ state, index, owners, indices: byName ? null : indices }, state.root, 0);
    if (open > 0) nodes.push(node);
    count += open;
  }
  return { count, nodes };
}

/** True when the plan has a Signal that this name can mean, ended or not. */
export function isKnown(state: RunState, name: string): boolean {
  const { program } = state;
  const base = name.replace(/\[.*$/s, "");
  return program.plan.nodes.some((node) => node.kind === "signal" && (node.signal === name || node.key === base));
}

function ownersOf(program: Program, index: number): number[] {
  const owners: number[] = [];
  for (let at = program.blockOf[index]!; at.outer !== null; at = at.outer) owners.unshift(at.owner);
  return owners;
}

interface Search {
  readonly state: RunState;
  readonly index: number;
  readonly owners: readonly number[];
  /** Of the one instance that is meant; null: all. */
  readonly indices: readonly number[] | null;
}

// Recurses over the Maps and Loops around one node, which the compiler bounds.
function openIn(search: Search, frame: Frame, depth: number): number {
  const { state: { program }, index, owners, indices } = search;
  const owner = owners[depth];
  if (owner === undefined) return isTerminal(frame.status[program.exit[index]!]!) ? 0 : 1;
  if (isTerminal(frame.status[program.exit[owner]!]!)) return 0;
  const expansion = frame.expansions?.get(program.entry[owner]!);
  const node = program.plan.nodes[owner]!;
  const most = node.kind === "loop" ? node.maxIterations : expansion?.count ?? Infinity;
  const frames = expansion?.frames ?? [];
  const wanted = indices?.[depth];
  if (wanted !== undefined) {
    const inner = frames[wanted];
    return inner !== undefined ? openIn(search, inner, depth + 1) : wanted < most ? 1 : 0;
  }
  if (frames.length < most) return Infinity;
  let sum = 0;
  for (const inner of frames) sum += openIn(search, inner, depth + 1);
  return sum;
}

/** How many of the kept answers one of the Signals that `name` means could use. */
export function keptFor(state: RunState, name: string, nodes: readonly SignalNode[]): number {
  const means = (other: string) =>
    other === name || nodes.some((node) => node.signal === other || node.key === other.replace(/\[.*$/s, ""));
  return state.early?.filter((one) => means(one.name)).length ?? 0;
}
