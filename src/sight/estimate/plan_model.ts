import { type Json, parseReference, type Plan, type PlanNode, walkPath } from "@alkdev/flowgraph";
import { childrenOf } from "../../../engine/mod.ts";
import { nodeSubject, type Subject } from "../history/ports.ts";
import type { SubjectStats } from "../history/subject_stats.ts";

type Sampler = ((random: () => number) => number) | null;

/** What is known of an operation, a child run or a wait, ready to draw from. */
export interface CallModel {
  readonly stats: SubjectStats;
  readonly ok: Sampler;
  readonly failed: Sampler;
  readonly cost: Sampler;
  readonly tokens: Sampler;
  readonly count: Sampler;
}

/** A plan beside the history of its parts. */
export interface PlanModel {
  readonly plan: Plan;
  readonly children: readonly (readonly number[])[];
  /** Of operations, child runs and Signals by index; null: no history. */
  readonly calls: ReadonlyMap<number, CallModel | null>;
  /** Of Conditionals: what was taken how often; null: no history. */
  readonly branches: ReadonlyMap<number, ReadonlyMap<string, number> | null>;
  /** Of Maps and Loops: items or turns; null: no history. */
  readonly counts: ReadonlyMap<number, Sampler | number>;
  /** Of Sleeps, ms; null: only a run knows. */
  readonly sleeps: ReadonlyMap<number, number | null>;
  /** Nodes whose failure a Conditional looks at. */
  readonly caught: ReadonlySet<number>;
}

/** The subjects whose history a plan's estimate needs. */
export function subjectsOf(orgId: string, plan: Plan): readonly Subject[] {
  const found = new Map<string, Subject>();
  for (const node of plan.nodes) {
    const subject = subjectOf(orgId, plan.workflow, node);
    if (subject !== null) found.set(subject.kind + subject.name, subject);
  }
  return [...found.values()];
}

function subjectOf(orgId: string, workflow: string, node: PlanNode): Subject | null {
  switch (node.kind) {
    case "operation":
      return { orgId, kind: "operation", name: node.operationId };
    case "workflow":
      return { orgId, kind: "workflow", name: node.workflow };
    case "conditional":
      return { orgId, kind: "branch", name: nodeSubject(workflow, node.key) };
    case "map":
    case "loop":
      return { orgId, kind: "count", name: nodeSubject(workflow, node.key) };
    case "signal":
      return { orgId, kind: "wait", name: nodeSubject(workflow, node.key) };
    default:
      return null;
  }
}

export function modelOf(
  params: {
    readonly orgId: string;
    readonly plan: Plan;
    readonly input: Json;
    readonly now: number;
    readonly known: ReadonlyMap<string, SubjectStats>;
  },
): PlanModel {
  const { orgId, plan, input, now, known } = params;
  const calls = new Map<number, CallModel | null>();
  const branches = new Map<number, ReadonlyMap<string, number> | null>();
  const counts = new Map<number, Sampler | number>();
  const sleeps = new Map<number, number | null>();
  const models = new Map<SubjectStats, CallModel>();
  for (const [index, node] of plan.nodes.entries()) {
    const subject = subjectOf(orgId, plan.workflow, node);
    const stats = subject === null ? undefined : known.get(subject.kind + subject.name);
    if (node.kind === "operation" || node.kind === "workflow" || node.kind === "signal") {
      if (stats !== undefined && !models.has(stats)) models.set(stats, callModel(stats));
      calls.set(index, stats === undefined || stats.total === 0 ? null : models.get(stats) ?? null);
    } else if (node.kind === "conditional") branches.set(index, stats === undefined ? null : stats.by);
    else if (node.kind === "map") counts.set(index, itemsOf(node.over, input) ?? stats?.count.sampler() ?? null);
    else if (node.kind === "loop") counts.set(index, stats?.count.sampler() ?? null);
    else if (node.kind === "sleep") sleeps.set(index, sleepOf(node, input, now));
  }
  const children = plan.nodes.map((_, index) => [...childrenOf(plan, index)]);
  return { plan, children, calls, branches, counts, sleeps, caught: caughtOf(plan) };
}

function callModel(stats: SubjectStats): CallModel {
  const { duration, failedDuration, cost, tokens, count } = stats;
  return {
    stats,
    ok: duration.sampler() ?? failedDuration.sampler(),
    failed: failedDuration.sampler() ?? duration.sampler(),
    cost: cost.sampler(),
    tokens: tokens.sampler(),
    count: count.sampler(),
  };
}

/** The items of a Map, where the input or the template says them; null: a node's result does. */
function itemsOf(over: unknown, input: Json): number | null {
  if (Array.isArray(over)) return over.length;
  const value = ofInput(over, input);
  return value === undefined ? null : Array.isArray(value) ? value.length : 0;
}

function sleepOf(node: Extract<PlanNode, { kind: "sleep" }>, input: Json, now: number): number | null {
  const bindable = node.until ?? node.ms ?? 0;
  const value = typeof bindable === "object" ? ofInput(bindable, input) : bindable;
  if (node.until === undefined) return typeof value === "number" ? Math.max(0, value) : null;
  const instant = typeof value === "string" ? Date.parse(value) : value;
  return typeof instant === "number" && Number.isFinite(instant) ? Math.max(0, instant - now) : null;
}

/** The value of a reference to the input; undefined: it is none. */
function ofInput(bindable: unknown, input: Json): unknown {
  if (typeof bindable !== "object" || bindable === null || !("$ref" in bindable)) return undefined;
  const parsed = typeof bindable.$ref === "string" ? parseReference(bindable.$ref) : null;
  return parsed?.root === "input" ? walkPath(input, parsed.path) : undefined;
}

/** Failures that a Conditional looks at do not end the run: an approximation of the engine's rule, by names alone. */
function caughtOf(plan: Plan): ReadonlySet<number> {
  const byKey = new Map(plan.nodes.map(({ key }, index) => [key, index]));
  const caught = new Set<number>();
  const catchAll = (first: number, end: number): void => {
    for (let index = first; index < end; index++) caught.add(index);
  };
  for (const [index, node] of plan.nodes.entries()) {
    if (node.kind !== "conditional") continue;
    if ("$fn" in node.test) catchAll(0, index); // it may look at anything before it
    else {
      const names = "completed" in node.test
        ? [node.test.completed]
        : [...node.test.when.matchAll(/\b(?:status|errors)\.([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = ""]) => name);
      for (const name of names) {
        const at = byKey.get(name);
        if (at !== undefined) catchAll(at, plan.nodes[at]!.end);
      }
    }
  }
  return caught;
}
