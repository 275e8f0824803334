import { isLeaf } from "../program.ts";
import { Frame, type Place } from "./frame.ts";
import type { RunState } from "./run_state.ts";

/** The key of a place as the log and people write it: `measure[3]`. */
export function keyOf(state: RunState, frame: Frame, vertex: number): string {
  const key = state.program.plan.nodes[frame.block.nodes[vertex]!]!.key;
  return frame.outer === null ? key : key + frame.suffix;
}

/**
 * The place a key names: a leaf's vertex, or a container's enter vertex. The key of a Map or Loop with one index more names the
 * body of that item or turn. Null: no such node, or not there yet.
 */
export function locate(state: RunState, key: string): Place | null {
  return find(state, key, false);
}

/** As {@linkcode locate}, and also what is in an item that its Map's `maxConcurrency` still holds back: it begins as asked. */
export function locateAhead(state: RunState, key: string): Place | null {
  return find(state, key, true);
}

function find(state: RunState, key: string, ahead: boolean): Place | null {
  const { program } = state;
  const bracket = key.indexOf("[");
  const index = program.indexOf.get(bracket < 0 ? key : key.slice(0, bracket));
  if (index === undefined) return null;
  const block = program.blockOf[index]!;
  const owners: number[] = [];
  for (let at = block; at.outer !== null; at = at.outer) owners.unshift(at.owner);
  const indices = bracket < 0 ? [] : key.slice(bracket + 1, -1).split("][").map(Number);
  const { kind } = program.plan.nodes[index]!;
  const isItem = indices.length === owners.length + 1 && (kind === "map" || kind === "loop");
  if (isItem) owners.push(index);
  if (indices.length !== owners.length) return null;
  let frame = state.root;
  for (let depth = 0; depth < owners.length; depth++) {
    const expansion = frame.expansions?.get(program.entry[owners[depth]!]!);
    const at = indices[depth]!;
    const inner: Frame | undefined = expansion?.frames[at] ?? expansion?.ahead?.get(at);
    if (inner === undefined) {
      if (!ahead || expansion === undefined || !(at >= expansion.frames.length && at < expansion.count)) return null;
      if (!Number.isInteger(at)) return null;
      const made = new Frame(program.bodies.get(owners[depth]!)!, frame, at, expansion.items[at] ?? null);
      (expansion.ahead ??= new Map()).set(at, made);
      frame = made;
      continue;
    }
    frame = inner;
  }
  return { frame, vertex: program.entry[isItem ? index + 1 : index]! };
}

/** Every leaf that exists so far, in plan order, frames after their Map or Loop. */
export function* leaves(state: RunState): Generator<Place> {
  const frames = [state.root];
  for (let frame = frames.pop(); frame !== undefined; frame = frames.pop()) {
    for (let vertex = 0; vertex < frame.status.length; vertex++) {
      const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
      if (isLeaf(node)) yield { frame, vertex };
    }
    for (const expansion of frame.expansions?.values() ?? []) {
      for (let i = expansion.frames.length - 1; i >= 0; i--) frames.push(expansion.frames[i]!);
    }
  }
}
