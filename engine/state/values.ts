/** What a node sees of the run: data by reference, item bindings, statuses, errors. Read-only over the state. */
import {
  type Bindable,
  type Json,
  parseReference,
  type PlanResult,
  type PlanResults,
  type Reference,
  walkPath,
} from "@alkdev/flowgraph";
import { childrenOf, isLeaf } from "../program.ts";
import type { EventError } from "../events.ts";
import { failureOrigin } from "./failure.ts";
import { type Frame, isTerminal, Status, STATUS_NAMES } from "./frame.ts";
import type { RunState } from "./run_state.ts";

type Binder = (state: RunState, frame: Frame) => Json;

const binders = new WeakMap<object, Binder>();

/**
 * The value of a template's JSON with its references resolved, as seen from `frame`. A function mark gives what its function
 * returns. @throws what a template's function throws.
 */
export function bind(state: RunState, frame: Frame, template: Bindable | Reference | readonly Json[]): Json {
  if (typeof template !== "object" || template === null) return template;
  let binder = binders.get(template);
  if (binder === undefined) binders.set(template, binder = compileBinder(template));
  return binder(state, frame);
}

function compileBinder(template: object): Binder {
  const constant: Binder = () => template as Json;
  if (Array.isArray(template)) {
    const parts = template.map((part: Json) => typeof part === "object" && part !== null ? compileBinder(part) : null);
    if (parts.every((part, i) => part === null || isConstant(template[i]))) return constant;
    return (state, frame) => parts.map((part, i) => part === null ? template[i] : part(state, frame));
  }
  const entries = Object.entries(template as Record<string, Json>);
  if (entries.length === 1 && typeof entries[0]![1] === "string") {
    const [name, text] = entries[0]!;
    if (name === "$ref") return (state, frame) => resolve(state, frame, text as string);
    if (name === "$fn") return (state, frame) => callFunction(state, frame, text as string) as Json;
  }
  if (isConstant(template as Json)) return constant;
  const parts = entries.map(([name, part]) =>
    [name, typeof part === "object" && part !== null ? compileBinder(part) : null, part] as const
  );
  return (state, frame) => {
    const made: Record<string, Json> = {};
    for (const [name, part, value] of parts) made[name] = part === null ? value : part(state, frame);
    return made;
  };
}

function isConstant(template: Json): boolean {
  if (typeof template !== "object" || template === null) return true;
  if (Array.isArray(template)) return template.every(isConstant);
  const entries = Object.entries(template);
  if (entries.length === 1 && (entries[0]![0] === "$ref" || entries[0]![0] === "$fn")) return false;
  return entries.every(([, part]) => isConstant(part));
}

/** The value of one reference; null for what is not there. */
export function resolve(state: RunState, frame: Frame, text: string): Json {
  const parsed = parseReference(text);
  if (parsed === null) return null;
  const { root, path } = parsed;
  if (root === "nodes") {
    const key = path[0];
    return key === undefined ? null : walkPath(nodeValue(state, frame, key), path, 1) as Json;
  }
  if (root === "input") return walkPath(state.input, path) as Json;
  if (root === "status") return path[0] === undefined ? null : statusOf(state, frame, path[0]);
  if (root === "errors") {
    return path[0] === undefined ? null : walkPath(errorOf(state, frame, path[0]), path, 1) as Json;
  }
  const bound = boundItem(state, frame, root);
  return bound === undefined ? null : walkPath(bound, path) as Json;
}

/** What the innermost Map or Loop with `as: name` binds here; undefined without one. */
export function boundItem(state: RunState, frame: Frame, name: string): Json | undefined {
  for (let at: Frame | null = frame; at !== null && at.block.owner >= 0; at = at.outer) {
    const owner = state.program.plan.nodes[at.block.owner]!;
    if (owner.kind === "map" && owner.as === name) return at.item;
    if (owner.kind === "loop" && owner.as === name) return at.index;
  }
  return undefined;
}

/** The data of the node with this key: from inside its Map or Loop of the same item, from outside a list over all items. */
export function nodeValue(state: RunState, frame: Frame, key: string): Json {
  const index = state.program.indexOf.get(key);
  if (index === undefined) return null;
  const home = homeFrame(state, frame, index);
  return home !== null ? valueIn(state, home, index) : valuesFromOutside(state, frame, index);
}

/** The frame among `frame` and its outer ones in which a node lives; null when it is inside another Map or Loop. */
function homeFrame(state: RunState, frame: Frame, index: number): Frame | null {
  const block = state.program.blockOf[index]!;
  let at: Frame | null = frame;
  while (at !== null && at.block !== block) at = at.outer;
  return at;
}

function valuesFromOutside(state: RunState, frame: Frame, index: number): Json {
  const owners: number[] = [];
  let home: Frame | null = null;
  for (let at = index; home === null; home = homeFrame(state, frame, at)) {
    at = state.program.blockOf[at]!.owner;
    owners.push(at);
  }
  let values: Json[] = [];
  const collect = (inside: Frame, depth: number): Json[] => {
    const frames = inside.expansions?.get(state.program.entry[owners[depth]!]!)?.frames ?? [];
    return frames.map((inner) => depth === 0 ? valueIn(state, inner, index) : collect(inner, depth - 1));
  };
  values = collect(home, owners.length - 1);
  return values;
}

/** The data of a plan node in the frame it lives in. Containers: see docs/concepts.md, "value of a container". */
export function valueIn(state: RunState, frame: Frame, index: number): Json {
  const { plan, entry, exit } = state.program;
  const node = plan.nodes[index]!;
  if (isLeaf(node)) return frame.cells[entry[index]!]?.data ?? null;
  if (node.kind === "map" || node.kind === "loop") {
    return (frame.expansions?.get(entry[index]!)?.frames ?? []).map((inner) => valueIn(state, inner, index + 1));
  }
  const values: Json[] = [];
  let last = -1;
  for (const child of childrenOf(plan, index)) {
    last = child;
    if (node.kind === "parallel") values.push(valueIn(state, frame, child));
    if (node.kind === "conditional" && plan.nodes[child]!.branch === frame.taken?.get(entry[index]!)) break;
    if (node.kind === "race" && frame.status[exit[child]!] === Status.COMPLETED) break;
    if (node.kind === "conditional" || node.kind === "race") last = -1;
  }
  if (node.kind === "parallel") return values;
  return last < 0 ? null : valueIn(state, frame, last);
}

/** The list a Map goes over; null when what its reference names is no list. A function's list is not found here. */
export function mapItems(state: RunState, frame: Frame, vertex: number): readonly Json[] | null {
  const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
  if (node.kind !== "map") return null;
  const items = bind(state, frame, node.over);
  return Array.isArray(items) ? items : null;
}

/** The published name of a node's status, as seen from `frame`; null for an unknown key. */
export function statusOf(state: RunState, frame: Frame, key: string): string | null {
  const index = state.program.indexOf.get(key);
  if (index === undefined) return null;
  const home = homeFrame(state, frame, index);
  if (home === null) return statusOf(state, frame, outerKey(state, index));
  const { entry, exit } = state.program;
  const end = home.status[exit[index]!]!;
  if (isTerminal(end) || entry[index] === exit[index]) return STATUS_NAMES[end];
  return home.status[entry[index]!] === Status.IDLE ? "idle" : "running";
}

/** The error of a node, or the first one inside a container; null for none. */
export function errorOf(state: RunState, frame: Frame, key: string): Json {
  const index = state.program.indexOf.get(key);
  if (index === undefined) return null;
  const home = homeFrame(state, frame, index);
  if (home === null) return errorOf(state, frame, outerKey(state, index));
  const { entry, exit } = state.program;
  if (home.asks?.aborted.has(exit[index]!)) return (home.cells[exit[index]!]?.error ?? null) as Json;
  // The error of an attempt that another followed, or that a lost Race cut short, is not the node's.
  if (home.status[exit[index]!] !== Status.FAILED) return null;
  const own: EventError | null = home.cells[entry[index]!]?.error ?? null;
  return (own ?? failureOrigin(state, home, exit[index]!)?.error ?? null) as Json;
}

function outerKey(state: RunState, index: number): string {
  return state.program.plan.nodes[state.program.blockOf[index]!.owner]!.key;
}

/** The names an expression may use, filled in as far as it uses them. */
export function expressionScope(
  state: RunState,
  frame: Frame,
  names: { readonly [root in "nodes" | "status" | "errors" | "other" | "whole"]: readonly string[] },
): Record<string, unknown> {
  const all = state.program.plan.nodes.map((node) => node.key);
  const pick = (root: "nodes" | "status" | "errors", read: (key: string) => Json) =>
    Object.fromEntries((names.whole.includes(root) ? all : names[root]).map((key) => [key, read(key)]));
  const scope: Record<string, unknown> = {
    nodes: pick("nodes", (key) => nodeValue(state, frame, key)),
    status: pick("status", (key) => statusOf(state, frame, key)),
    errors: pick("errors", (key) => errorOf(state, frame, key)),
    input: state.input,
  };
  for (const name of names.other) {
    const bound = boundItem(state, frame, name);
    if (bound !== undefined) scope[name] = bound;
  }
  return scope;
}

/** Calls a template's function with the results so far. @throws what it throws, or an Error when it is not to be found. */
export function callFunction(state: RunState, frame: Frame, mark: string): unknown {
  const fn = state.program.functions.get(mark);
  if (fn === undefined) {
    throw new Error(`Cannot find the function "${mark}" of workflow "${state.program.plan.workflow}"`);
  }
  return fn(resultsFor(state, frame));
}

function resultsFor(state: RunState, frame: Frame): PlanResults {
  const read = (key: string): PlanResult => {
    const error = errorOf(state, frame, key) as PlanResult["error"] | null;
    const result = { status: statusOf(state, frame, key) ?? "idle", output: nodeValue(state, frame, key) };
    return error === null || error === undefined ? result : { ...result, error };
  };
  const known = (key: string | symbol): key is string => typeof key === "string" && state.program.indexOf.has(key);
  return new Proxy<Record<string, PlanResult>>({}, {
    get: (_, key) => known(key) ? read(key) : undefined,
    has: (_, key) => known(key),
    ownKeys: () => [...state.program.indexOf.keys()],
    getOwnPropertyDescriptor: (_, key) =>
      known(key) ? { configurable: true, enumerable: true, value: read(key) } : undefined,
  });
}
