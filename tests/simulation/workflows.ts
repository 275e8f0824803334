/** Random templates over every component, nested at random, whose references always make sense. */
import { compile, type Json, type Plan } from "@alkdev/flowgraph";
import { START } from "./schedule.ts";
import type { Chance } from "./random.ts";

interface Tree {
  readonly type: string;
  readonly props: Readonly<Record<string, unknown>>;
  readonly children: readonly Tree[];
}

interface Growth {
  readonly chance: Chance;
  leavesLeft: number;
  nextKey: number;
  /** Keys of what stands before, not in another branch: these may be referred to. */
  known: string[];
  /** Those among them that are operations giving lists. */
  lists: string[];
  /** Names that Maps and Loops around bind. */
  bound: string[];
}

export interface SimulatedWorkflow {
  readonly name: string;
  readonly plan: Plan;
  readonly planHash: string;
  /** The template, for people. */
  readonly template: string;
  /** Other versions: with a node more at its end or its beginning, or with one that gets another input. */
  readonly variants: readonly { readonly version: string; readonly plan: Plan; readonly planHash: string }[];
}

/** A workflow of up to `leaves` leaves. */
export function randomWorkflow(chance: Chance, name: string, leaves: number): SimulatedWorkflow {
  const growth: Growth = {
    chance,
    leavesLeft: leaves,
    nextKey: 0,
    known: [],
    lists: [],
    bound: [],
  };
  const root = leaves === 1 ? leaf(growth) : container(growth, 0);
  const output = chance.is(0.3) && growth.known.length > 0 ? { $ref: `nodes.${chance.pick(growth.known)}` } : null;
  const planOf = (template: Tree) => compile({ name, template, ...(output !== null && { result: output }) }).plan;
  const more = (key: string) => tree("operation", { key, name: "local.ok", input: { a: 1 } }, []);
  const variants = Object.entries({
    longer: tree("sequential", {}, [root, more("last")]),
    later: tree("sequential", {}, [more("first"), root]),
    other: withOtherInput(root, `n${chance.int(0, growth.nextKey)}`),
  }).map(([version, template]) => ({ version, plan: planOf(template), planHash: `plan-${name}-${version}` }));
  return { name, plan: planOf(root), planHash: `plan-${name}`, template: JSON.stringify(root), variants };
}

/** The template with another input for the operation of this key, if it is one. */
function withOtherInput({ type, props, children }: Tree, key: string): Tree {
  const changed = type === "operation" && props.key === key ? { ...props, input: { changed: true } } : props;
  const { else: otherwise } = changed;
  return tree(
    type,
    otherwise === undefined ? changed : { ...changed, else: withOtherInput(otherwise as Tree, key) },
    children.map((child) => withOtherInput(child, key)),
  );
}

function grow(growth: Growth, depth: number): Tree {
  if (growth.leavesLeft <= 1 || depth > 4 || growth.chance.is(0.35)) return leaf(growth);
  return container(growth, depth);
}

function children(growth: Growth, depth: number, least: number, one: (growth: Growth) => Tree): Tree[] {
  if (depth > 0 && least === 0 && growth.chance.is(0.03)) return [];
  const made: Tree[] = [];
  const most = growth.chance.int(Math.max(least, 1), 4);
  while (made.length < most && (growth.leavesLeft > 0 || made.length < least)) made.push(one(growth));
  return made;
}

function container(growth: Growth, depth: number): Tree {
  const { chance } = growth;
  const child = (inner: Growth) => grow(inner, depth + 1);
  switch (
    chance.weighted({ sequential: 30, parallel: 25, conditional: 18, map: 14, race: 6, loop: 8 })
  ) {
    case "sequential":
      return tree("sequential", {}, children(growth, depth, 0, child));
    case "parallel": {
      const props = chance.is(0.5) ? { maxConcurrency: chance.int(1, 3) } : {};
      return named(growth, "parallel", props, children(growth, depth, 0, child));
    }
    case "race": {
      const before = { known: growth.known, lists: growth.lists };
      return named(growth, "race", {}, children(growth, depth, 1, (inner) => racer(inner, depth + 1, before)));
    }
    case "conditional":
      return conditional(growth, depth);
    case "map":
      return mapped(growth, depth);
    case "loop":
      return looped(growth, depth);
  }
}

/**
 * A child of a Race begins with a leaf, so that no two of them can end by one and the same event, and reads nothing of its
 * rivals: whether that would still begin when a rival wins is nobody's promise.
 */
function racer(growth: Growth, depth: number, before: Pick<Growth, "known" | "lists">): Tree {
  const { chance } = growth;
  const others = { known: growth.known.slice(before.known.length), lists: growth.lists.slice(before.lists.length) };
  growth.known = [...before.known];
  growth.lists = [...before.lists];
  const first = leaf(growth);
  const made = chance.is(0.6) || growth.leavesLeft === 0
    ? first
    : tree("sequential", {}, [first, ...children(growth, depth, 1, (inner) => grow(inner, depth + 1))]);
  growth.known = [...growth.known, ...others.known];
  growth.lists = [...growth.lists, ...others.lists];
  return made;
}

function conditional(growth: Growth, depth: number): Tree {
  const { chance, known, lists } = growth;
  const key = newKey(growth);
  const watched = known.length > 0 ? chance.pick(known) : null;
  const props = watched !== null && chance.is(0.2) ? { key, test: watched } : { key, when: condition(growth, watched) };
  const before = { known: [...known], lists: [...lists] };
  const then = grow(growth, depth + 1);
  const afterThen = { known: growth.known, lists: growth.lists };
  let otherwise: Tree | null = null;
  if (chance.is(0.5) && growth.leavesLeft > 0) {
    growth.known = [...before.known];
    growth.lists = [...before.lists];
    otherwise = grow(growth, depth + 1);
    const added = growth.known.slice(before.known.length);
    growth.known = [...afterThen.known, ...added];
    growth.lists = afterThen.lists;
  }
  growth.known.push(key);
  return tree("conditional", otherwise === null ? props : { ...props, else: otherwise }, [then]);
}

function condition(growth: Growth, watched: string | null): string {
  const { chance } = growth;
  if (watched === null || chance.is(0.3)) return chance.pick(["true", "false", "input.flag", "input.flag"]);
  switch (chance.weighted({ completed: 3, not: 3, number: 3 })) {
    case "completed":
      return `status.${watched} == "completed"`;
    case "not":
      return `status.${watched} != "completed"`;
    case "number":
      return `nodes.${watched}.n > ${chance.int(0, 9)}`;
  }
}

function mapped(growth: Growth, depth: number): Tree {
  const { chance } = growth;
  const key = newKey(growth);
  const as = `i${key}`;
  const list = growth.lists.length > 0 && chance.is(0.6)
    ? { $ref: `nodes.${chance.pick(growth.lists)}` }
    : chance.is(0.15)
    ? { $ref: "input.items" }
    : chance.is(0.05) && growth.known.length > 0
    ? { $ref: `nodes.${chance.pick(growth.known)}` }
    : Array.from({ length: chance.int(0, 4) }, (_, i) => chance.is(0.5) ? i : { n: i });
  const props = { key, as, over: list, ...(chance.is(0.5) && { maxConcurrency: chance.int(1, 2) }) };
  return inScope(growth, as, key, () => tree("map", props, [grow(growth, depth + 1)]));
}

function looped(growth: Growth, depth: number): Tree {
  const { chance } = growth;
  const key = newKey(growth);
  const as = `i${key}`;
  return inScope(growth, as, key, () => {
    const before = growth.known.length;
    const body = grow(growth, depth + 1);
    const inside = growth.known.slice(before);
    const condition = inside.length > 0 && chance.is(0.3)
      ? `nodes.${chance.pick(inside)}.n > ${chance.int(0, 9)}`
      : chance.is(0.5)
      ? `${as} < ${chance.int(0, 2)}`
      : chance.pick(["true", "false"]);
    return tree("loop", { key, as, while: condition, maxIterations: chance.int(1, 3) }, [body]);
  });
}

/** What stands inside may refer to what is bound; outside, the whole is known by its key, and its insides as lists. */
function inScope(growth: Growth, as: string, key: string, make: () => Tree): Tree {
  const { known, lists } = growth;
  growth.bound = [...growth.bound, as];
  growth.known = [...known];
  growth.lists = [...lists];
  const made = make();
  growth.bound = growth.bound.slice(0, -1);
  growth.lists = [...lists, key];
  growth.known = growth.chance.is(0.3) ? [...growth.known, key] : [...known, key];
  return made;
}

function leaf(growth: Growth): Tree {
  growth.leavesLeft--;
  const key = newKey(growth);
  const made = leafOf(growth, key);
  growth.known.push(key);
  return made;
}

function leafOf(growth: Growth, key: string): Tree {
  const { chance } = growth;
  switch (chance.weighted({ operation: 82, sleep: 9, signal: 9 })) {
    case "sleep":
      return sleeping(growth, key);
    case "signal": {
      const props = chance.is(0.5) ? { timeout: chance.int(1, 900) } : {};
      return chance.is(0.7)
        ? tree("signal", { key, name: chance.is(0.3) ? "shared" : `s-${key}`, ...props }, [])
        : tree("approval", { key, question: value(growth), ...props }, []);
    }
    default:
      return operation(growth, key);
  }
}

function sleeping(growth: Growth, key: string): Tree {
  const { chance } = growth;
  if (chance.is(0.2)) return tree("sleepuntil", { key, until: START + chance.int(0, 2_000) }, []);
  const ms = chance.is(0.15) && growth.known.length > 0
    ? { $ref: `nodes.${chance.pick(growth.known)}.n` }
    : chance.int(0, 600);
  return tree("sleep", { key, ms }, []);
}

function operation(growth: Growth, key: string): Tree {
  const { chance } = growth;
  const where = chance.is(0.5) ? "spoke" : "local";
  const what = chance.weighted({ ok: 44, list: 14, flaky: 22, fail: 8, odd: 8, slow: 8 });
  if (what === "list") growth.lists.push(key);
  const backoff = chance.is(0.5)
    ? chance.int(0, 80)
    : { kind: "exponential", initialMs: chance.int(1, 40), factor: chance.pick([1, 2, 3]), maxMs: chance.int(20, 200) };
  const retry = {
    maxAttempts: chance.int(1, 4),
    backoff,
    jitter: chance.pick([0, 0.5, 1]),
    ...(chance.is(0.1) && {
      perCode: {
        FLAKY: chance.pick([false, { maxAttempts: chance.int(1, 5) }, { backoff: chance.int(0, 30) }]),
        ...(chance.is(0.3) && { VALIDATION_ERROR: { maxAttempts: 2 } }),
      },
    }),
    ...(chance.is(0.15) && { on: chance.pick([["FLAKY"], ["FLAKY", "TIMEOUT"], ["VALIDATION_ERROR", "FLAKY"]]) }),
  };
  return tree("operation", {
    key,
    name: `${where}.${what}`,
    input: value(growth),
    ...(chance.is(0.55) && { retry }),
    ...(chance.is(what === "slow" ? 0.7 : 0.15) && { timeout: chance.int(5, 150) }),
  }, []);
}

/** An input, perhaps with references in it. */
function value(growth: Growth): Json {
  const { chance } = growth;
  const part = (): Json => {
    const { known } = growth;
    switch (
      chance.weighted({ plain: 3, node: known.length > 0 ? 5 : 0, item: growth.bound.length > 0 ? 3 : 0, input: 1 })
    ) {
      case "plain":
        return chance.int(0, 99);
      case "item":
        return { $ref: chance.pick(growth.bound) + (chance.is(0.3) ? ".n" : "") };
      case "input":
        return { $ref: chance.pick(["input.n", "input.items", "input.nothing"]) };
      case "node": {
        const key = chance.pick(known);
        return {
          $ref: chance.pick([
            `nodes.${key}`,
            `nodes.${key}.n`,
            `nodes.${key}.0`,
            `status.${key}`,
            `errors.${key}.code`,
          ]),
        };
      }
    }
  };
  return chance.is(0.6) ? { a: part() } : chance.is(0.5) ? part() : { a: part(), b: [part(), { c: part() }] };
}

function named(growth: Growth, type: string, props: Readonly<Record<string, unknown>>, inner: readonly Tree[]): Tree {
  if (!growth.chance.is(0.4)) return tree(type, props, inner);
  const key = newKey(growth);
  growth.known.push(key);
  return tree(type, { ...props, key }, inner);
}

function tree(type: string, props: Readonly<Record<string, unknown>>, inner: readonly Tree[]): Tree {
  return { type, props, children: inner };
}

function newKey(growth: Growth): string {
  return `n${growth.nextKey++}`;
}
