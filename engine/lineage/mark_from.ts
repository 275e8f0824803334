import { CallError } from "@alkdev/operations";
import { nearestName } from "@alkdev/flowgraph";
import type { Program } from "../program.ts";
import type { Frame } from "../state/frame.ts";
import type { RunState } from "../state/run_state.ts";
import type { InvalidPlaces } from "./invalid_places.ts";

const KEY = /^([A-Za-z_][A-Za-z0-9_-]*)((?:\[[0-9]{1,9}\])*)$/;

/**
 * Marks what a key names: `measure` (in every item where it stands in a Map), `measure[3]`, a container, or one item of a Map or
 * turn of a Loop by the Map's own key, `files[3]`.
 *
 * @throws CallError VALIDATION_ERROR at `path` when there is nothing of that name
 */
export function markFrom(state: RunState, invalid: InvalidPlaces, key: string, path: string): void {
  const { program } = state;
  const parts = KEY.exec(key);
  const index = parts === null ? undefined : program.indexOf.get(parts[1]!);
  if (parts === null || index === undefined) throw unknown(program, key, parts?.[1] ?? key, path);
  const indices = (parts[2]!.match(/[0-9]+/g) ?? []).map(Number);
  const owners = ownersOf(program, index);
  const { kind } = program.plan.nodes[index]!;
  const isItem = indices.length === owners.length + 1 && (kind === "map" || kind === "loop");
  if (indices.length > owners.length && !isItem) {
    throw invalidFrom(
      path,
      `Node "${parts[1]}" stands in ${owners.length} Maps or Loops, "${key}" has ${indices.length} indices`,
    );
  }
  const levels = isItem ? [...owners, index] : owners;
  let frames: Frame[] = [state.root];
  for (const [depth, owner] of levels.entries()) {
    frames = frames.flatMap((frame) => innerFrames(program, { frame, owner, at: indices[depth], key, path }));
  }
  for (const frame of frames) {
    if (isItem) invalid.addFrame(frame);
    else invalid.addNode(frame, index);
  }
}

/** Indices of the Maps and Loops around a node, outermost first. */
function ownersOf(program: Program, index: number): number[] {
  const owners: number[] = [];
  for (let block = program.blockOf[index]!; block.outer !== null; block = block.outer) owners.unshift(block.owner);
  return owners;
}

function innerFrames(
  program: Program,
  { frame, owner, at, key, path }: {
    readonly frame: Frame;
    readonly owner: number;
    readonly at: number | undefined;
    readonly key: string;
    readonly path: string;
  },
): readonly Frame[] {
  const frames = frame.expansions?.get(program.entry[owner]!)?.frames;
  if (frames === undefined) return []; // it has not got there: nothing is to be done again
  if (at === undefined) return frames;
  const inner = frames[at];
  if (inner !== undefined) return [inner];
  const name = program.plan.nodes[owner]!.key + frame.suffix;
  throw invalidFrom(path, `There is no "${key}": "${name}" has ${frames.length} items, numbered from 0`);
}

function unknown(program: Program, key: string, base: string, path: string): CallError {
  const near = nearestName(base, [...program.indexOf.keys()].filter((name) => !name.startsWith("__")));
  return invalidFrom(
    path,
    `There is no node "${key}" in the run${near === undefined ? "" : `; did you mean "${near}"?`}`,
  );
}

function invalidFrom(path: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", `Cannot start from there: ${message}`, { errors: [{ path, message }] });
}
