/** What a reference gives, by docs/concepts.md, over the model's instances. */
import type { Json, Plan } from "@alkdev/flowgraph";
import { type Instance, type ModelFrame } from "./instance.ts";
import { origins } from "./failure.ts";

export interface Scope {
  readonly plan: Plan;
  readonly input: Json;
  readonly root: ModelFrame;
}

/** A template's JSON with its references resolved as seen from `frame`. */
export function fill(scope: Scope, frame: ModelFrame, template: unknown): Json {
  if (typeof template !== "object" || template === null) return template as Json;
  if (Array.isArray(template)) return template.map((part) => fill(scope, frame, part));
  const entries = Object.entries(template);
  const only = entries[0];
  if (entries.length === 1 && only![0] === "$ref" && typeof only![1] === "string") return look(scope, frame, only![1]);
  return Object.fromEntries(entries.map(([name, part]) => [name, fill(scope, frame, part)]));
}

/** The value of `nodes.a.x`, `status.a`, `errors.a.code`, `input.x` or `<as>.x`. The simulation writes no other forms. */
export function look(scope: Scope, frame: ModelFrame, text: string): Json {
  const [head = "", ...path] = text.split(".");
  const [key = "", ...rest] = path;
  if (head === "nodes") return walk(valueOfKey(scope, frame, key), rest);
  if (head === "status") return statusOfKey(scope, frame, key);
  if (head === "errors") return walk(errorOfKey(scope, frame, key), rest);
  if (head === "input") return walk(scope.input, path);
  return walk(bound(frame, head), path);
}

function walk(value: Json, path: readonly string[]): Json {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return null;
    at = (at as Record<string, Json>)[part] ?? null;
  }
  return at;
}

/** What the innermost Map or Loop with this name binds; null for none. */
export function bound(frame: ModelFrame, name: string): Json {
  for (let at: ModelFrame | null = frame; at !== null; at = at.owner?.frame ?? null) {
    const node = at.owner?.node;
    if (node?.kind === "map" && node.as === name) return at.item;
    if (node?.kind === "loop" && node.as === name) return at.index;
  }
  return null;
}

function indexOf(scope: Scope, key: string): number {
  return scope.plan.nodes.findIndex((node) => node.key === key);
}

/** The instance of a plan node in `frame` or the nearest frame around it. */
export function nearest(frame: ModelFrame, index: number): Instance | null {
  for (let at: ModelFrame | null = frame; at !== null; at = at.owner?.frame ?? null) {
    const inst = at.byIndex.get(index);
    if (inst !== undefined) return inst;
  }
  return null;
}

/** Plan index of the innermost Map or Loop around a node; -1 for none. */
export function scopeOwner(plan: Plan, index: number): number {
  for (let at = plan.nodes[index]!.parent; at >= 0; at = plan.nodes[at]!.parent) {
    const { kind } = plan.nodes[at]!;
    if (kind === "map" || kind === "loop") return at;
  }
  return -1;
}

function valueOfKey(scope: Scope, frame: ModelFrame, key: string): Json {
  const index = indexOf(scope, key);
  if (index < 0) return null;
  const direct = nearest(frame, index);
  return direct !== null ? valueOf(direct) : spread(scope, frame, index);
}

/** From outside: a list over the items, a list of lists over items of items. */
function spread(scope: Scope, frame: ModelFrame, index: number): Json {
  const chain: number[] = [];
  let owner = scopeOwner(scope.plan, index);
  while (nearest(frame, owner) === null) {
    chain.unshift(owner);
    owner = scopeOwner(scope.plan, owner);
  }
  const inside = (inst: Instance | undefined, depth: number): Json =>
    (inst?.children ?? []).map((body) => {
      const inner = body.frame.byIndex;
      return depth === chain.length ? valueOf(inner.get(index)!) : inside(inner.get(chain[depth]!), depth + 1);
    });
  return inside(nearest(frame, owner)!, 0);
}

export function valueOf(inst: Instance): Json {
  const { kind } = inst.node;
  const { children } = inst;
  if (inst.isLeaf) return inst.status === "completed" ? inst.data : null;
  switch (kind) {
    case "sequential":
      return children.length === 0 ? null : valueOf(children[children.length - 1]!);
    case "conditional": {
      const taken = children.find((child) => child.node.branch === inst.branch);
      return taken === undefined ? null : valueOf(taken);
    }
    case "race": {
      const winner = children.find((child) => child.status === "completed");
      return winner === undefined ? null : valueOf(winner);
    }
    default:
      return children.map(valueOf);
  }
}

/** The instance a key's status and error are read from: what holds it, when it stands in another Map or Loop. */
function visible(scope: Scope, frame: ModelFrame, key: string): Instance | null {
  for (let index = indexOf(scope, key); index >= 0; index = scopeOwner(scope.plan, index)) {
    const inst = nearest(frame, index);
    if (inst !== null) return inst;
  }
  return null;
}

export function statusOfKey(scope: Scope, frame: ModelFrame, key: string): string | null {
  return visible(scope, frame, key)?.status ?? null;
}

function errorOfKey(scope: Scope, frame: ModelFrame, key: string): Json {
  const inst = visible(scope, frame, key);
  if (inst === null || (inst.status !== "failed" && !inst.selfAborted)) return null;
  return (inst.error ?? origins(inst)[0]?.error ?? null) as Json;
}
