/**
 * Plays one run of a plan in the mind: draws what each part did before, and adds it up through the containers. Sequences follow
 * each other, Parallels and Maps fill their places, a Race ends with its first success, a Loop turns as often as it used to.
 * References between siblings hold back what reads them; how a failure spreads is simplified (`PlanModel.caught`).
 */
import type { PlanNode, RetryPolicy } from "@alkdev/flowgraph";
import type { CallModel, PlanModel } from "./plan_model.ts";
import type { Missing } from "./ports.ts";

/** Items of a Map that are played; what more there are is like them. */
const MAX_ITEMS = 64;
const MAX_TURNS = 64;

/** What one play used, and whether something unknown stood in its way. */
export class Played {
  calls = 0;
  cost = 0;
  tokens = 0;
  /** Nodes played. */
  work = 0;
  failed = false;
  durationMs = 0;
  readonly missing: Map<string, Missing> = new Map();
}

interface End {
  readonly at: number;
  readonly failed: boolean;
}

export function play(model: PlanModel, random: () => number): Played {
  const played = new Played();
  const end = new Player(model, random, played).node(0, 0);
  played.durationMs = end.at;
  played.failed = end.failed;
  return played;
}

class Player {
  readonly #model: PlanModel;
  readonly #random: () => number;
  readonly #played: Played;
  /** When each node ended, for siblings that wait for it. */
  readonly #ends: number[] = [];
  /** Maps and Loops around. */
  #depth = 0;

  constructor(model: PlanModel, random: () => number, played: Played) {
    this.#model = model;
    this.#random = random;
    this.#played = played;
  }

  node(index: number, from: number): End {
    this.#played.work++;
    const node = this.#model.plan.nodes[index]!;
    let start = from;
    for (const before of node.after ?? []) start = Math.max(start, this.#ends[before] ?? 0);
    const end = this.#by(node, index, start);
    this.#ends[index] = end.at;
    return end.failed && this.#model.caught.has(index) ? { at: end.at, failed: false } : end;
  }

  #by(node: PlanNode, index: number, start: number): End {
    const children = this.#model.children[index]!;
    switch (node.kind) {
      case "operation":
      case "workflow":
        return this.#call(node, index, start);
      case "signal":
        return this.#wait(node.key, index, start);
      case "sleep": {
        const ms = this.#model.sleeps.get(index) ?? null;
        if (ms === null) this.#miss(node.key, "wait");
        return { at: start + (ms ?? 0), failed: false };
      }
      case "sequential": {
        let at = start;
        for (const child of children) {
          const end = this.node(child, at);
          at = end.at;
          if (end.failed) return end;
        }
        return { at, failed: false };
      }
      case "parallel":
        return this.#many(children.length, node.maxConcurrency, start, (i, from) => this.node(children[i]!, from));
      case "race":
        return this.#race(children, start);
      case "conditional":
        return this.#choose(node.key, index, start);
      case "map":
        return this.#map(node, index, start);
      case "loop":
        return this.#loop(node, index, start);
    }
  }

  #call(node: Extract<PlanNode, { kind: "operation" | "workflow" }>, index: number, start: number): End {
    const model = this.#model.calls.get(index) ?? null;
    if (model === null) {
      this.#played.calls++;
      this.#miss(node.key, "operation");
      return { at: start, failed: false };
    }
    const { retry, timeoutMs = Infinity } = node;
    let at = start;
    for (let attempt = 1;; attempt++) {
      this.#use(model);
      const isBad = this.#random() * model.stats.total < model.stats.failed;
      const took = this.#draw(isBad ? model.failed : model.ok);
      at += Math.min(took, timeoutMs);
      if (!isBad && took <= timeoutMs) return { at, failed: false };
      if (attempt >= (retry?.maxAttempts ?? 1)) return { at, failed: true };
      at += delayOf(retry!, attempt, this.#random);
    }
  }

  #use(model: CallModel): void {
    this.#played.calls += 1 + (model.count === null ? 0 : Math.round(this.#draw(model.count)));
    this.#played.cost += this.#draw(model.cost);
    this.#played.tokens += this.#draw(model.tokens);
  }

  #wait(key: string, index: number, start: number): End {
    const model = this.#model.calls.get(index) ?? null;
    if (model === null) {
      this.#miss(key, "wait");
      return { at: start, failed: false };
    }
    const failed = this.#random() * model.stats.total < model.stats.failed;
    return { at: start + this.#draw(failed ? model.failed : model.ok), failed };
  }

  #choose(key: string, index: number, start: number): End {
    const shares = this.#model.branches.get(index) ?? null;
    const total = shares === null ? 0 : [...shares.values()].reduce((sum, count) => sum + count, 0);
    let branch = "then";
    if (total === 0) this.#miss(key, "branch");
    else {
      let left = this.#random() * total;
      for (const [name, count] of shares!) {
        branch = name;
        if ((left -= count) < 0) break;
      }
    }
    const child = this.#model.children[index]!.find((at) => this.#model.plan.nodes[at]!.branch === branch);
    return child === undefined ? { at: start, failed: false } : this.node(child, start);
  }

  #race(children: readonly number[], start: number): End {
    let best: End | null = null;
    let last = start;
    for (const child of children) {
      const end = this.node(child, start);
      last = Math.max(last, end.at);
      if (!end.failed && (best === null || end.at < best.at)) best = end;
    }
    return best ?? { at: last, failed: children.length > 0 };
  }

  #map(node: Extract<PlanNode, { kind: "map" }>, index: number, start: number): End {
    const count = this.#count(node.key, index);
    const body = this.#model.children[index]![0];
    if (body === undefined || count === 0) return { at: start, failed: false };
    const shown = Math.min(count, Math.max(4, MAX_ITEMS >> (3 * this.#depth)));
    this.#depth++;
    const before = { calls: this.#played.calls, cost: this.#played.cost, tokens: this.#played.tokens };
    const times: number[] = [];
    let failed = false;
    const { maxConcurrency = Infinity } = node;
    const one = (_i: number, from: number): End => {
      const end = this.node(body, from);
      times.push(end.at - from);
      failed ||= end.failed;
      return end;
    };
    const end = this.#many(shown, shown === count ? maxConcurrency : Infinity, start, one);
    this.#depth--;
    if (shown === count) return end;
    const scale = count / shown;
    for (const name of ["calls", "cost", "tokens"] as const) {
      this.#played[name] = before[name] + (this.#played[name] - before[name]) * scale;
    }
    const mean = times.reduce((sum, ms) => sum + ms, 0) / shown;
    const waves = mean * count / Math.min(maxConcurrency, count);
    return { at: Math.max(end.at, start + waves), failed };
  }

  #loop(node: Extract<PlanNode, { kind: "loop" }>, index: number, start: number): End {
    const count = Math.min(Math.max(1, this.#count(node.key, index)), node.maxIterations);
    const body = this.#model.children[index]![0];
    if (body === undefined) return { at: start, failed: false };
    const shown = Math.min(count, Math.max(4, MAX_TURNS >> (3 * this.#depth)));
    const before = { calls: this.#played.calls, cost: this.#played.cost, tokens: this.#played.tokens };
    this.#depth++;
    let at = start;
    for (let turn = 0; turn < shown; turn++) {
      const end = this.node(body, at);
      at = end.at;
      if (end.failed) {
        this.#depth--;
        return end;
      }
    }
    this.#depth--;
    const scale = count / shown;
    for (const name of ["calls", "cost", "tokens"] as const) {
      this.#played[name] = before[name] + (this.#played[name] - before[name]) * scale;
    }
    return { at: start + (at - start) * scale, failed: false };
  }

  /** Children that begin as places become free. */
  #many(count: number, places = Infinity, start: number, one: (i: number, from: number) => End): End {
    const free: number[] = [];
    let last = start;
    let failed = false;
    for (let i = 0; i < count; i++) {
      let from = start;
      if (i >= places) from = free.shift() ?? start;
      const end = one(i, from);
      if (places < count) insert(free, end.at);
      last = Math.max(last, end.at);
      failed ||= end.failed;
    }
    return { at: last, failed };
  }

  #count(key: string, index: number): number {
    const known = this.#model.counts.get(index) ?? null;
    if (typeof known === "number") return known;
    if (known === null) {
      this.#miss(key, "count");
      return 1;
    }
    return Math.floor(this.#draw(known));
  }

  #draw(sampler: ((random: () => number) => number) | null): number {
    return sampler === null ? 0 : sampler(this.#random);
  }

  #miss(key: string, what: Missing["what"]): void {
    this.#played.missing.set(`${what} ${key}`, { key, what });
  }
}

function delayOf({ backoff, jitter }: RetryPolicy, attempt: number, random: () => number): number {
  const { kind, initialMs, factor, maxMs } = backoff;
  const full = Math.min(maxMs, kind === "fixed" ? initialMs : initialMs * factor ** (attempt - 1));
  return full * (1 - jitter * random());
}

/** Keeps the list ascending. */
function insert(list: number[], value: number): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! < value) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, value);
}
