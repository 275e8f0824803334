/** The legal moves: what each event asks of the run before it, and what it makes of it. */
import type { Json } from "@alkdev/flowgraph";
import type { EventOf, RunEvent } from "../../../engine/events.ts";
import { applyAsk, checkGivenUp } from "./apply_ask.ts";
import { applyOutcome, applyRequest, failInstance } from "./apply_call.ts";
import type { Instance } from "./instance.ts";
import { origins } from "./failure.ts";
import type { RunModel } from "./run_model.ts";
import { same, unborn } from "./same.ts";
import { fill, look, valueOf } from "./values.ts";

type NodeEvent = Exclude<RunEvent, { type: `run.${string}` | "signal.buffered" | "node.reused" }>;

/** Largest value the simulated engines take, in the units of ValueLimits. */
export const MAX_VALUE = 2_000;

/** Applies the next event of a run. @throws Violation when it may not stand there. */
export function applyEvent(model: RunModel, event: RunEvent): void {
  if (event.seq !== model.seq + 1) model.fail("log", `seq ${event.seq} follows ${model.seq}`);
  model.seq = event.seq;
  if (model.ended) model.fail("log", `${event.type} follows the run's end`);
  switch (event.type) {
    case "signal.buffered":
      checkEarly(model, event);
      model.early.push(event);
      return;
    case "run.created":
      return model.fail("log", "A second run.created");
    case "run.started":
      if (model.status !== "queued") model.fail("log", `run.started of a run that is ${model.status}`);
      model.start(event.at);
      return;
    case "run.paused":
    case "run.resumed": {
      const goes = model.started ? "running" : "queued";
      const [from, to] = event.type === "run.paused" ? [goes, "paused"] as const : ["paused", goes] as const;
      if (model.status !== from) model.fail("log", `${event.type} of a run that is ${model.status}`);
      if (event.type === "run.resumed" && (event.queued === true) === model.started) {
        model.fail("log", `run.resumed says queued ${event.queued}, started is ${model.started}`);
      }
      model.status = to;
      return;
    }
    case "run.migrated":
      return; // the checker has made a model of the new plan
    case "run.completed":
    case "run.failed":
    case "run.aborted":
      return applyEnd(model, event);
    case "node.reused":
      applyReused(model, event);
      return model.settle();
    default:
      applyToNode(model, model.at(event.key), event);
      model.settle();
  }
}

/** Kept until the node is reached; it may be already, and must not have begun. */
function applyReused(model: RunModel, event: EventOf<"node.reused">): void {
  if (model.created.lineage === undefined) model.fail("log", "node.reused of a run without lineage");
  if (model.offers.has(event.key)) model.fail("log", `A second node.reused of "${event.key}"`);
  const inst = model.byKey.get(event.key);
  if (inst !== undefined && (!inst.isLeaf || inst.touched)) {
    model.fail("I3", `node.reused of "${event.key}", which has begun or is no leaf`);
  }
  model.offers.set(event.key, event.data);
  if (inst?.status === "open") model.reuse(inst);
}

/** Whether a run ends as the time of a budget is over, and not by itself. */
export function isOverdue({ error }: EventOf<"run.failed">): boolean {
  return error.code === "BUDGET_EXCEEDED" && error.nodeKey === null;
}

function applyEnd(model: RunModel, event: EventOf<"run.completed" | "run.failed" | "run.aborted">): void {
  const { root } = model;
  if (event.type === "run.completed") {
    if (root.status !== "completed" && root.status !== "skipped") {
      model.fail("log", `run.completed, but the root is ${root.status}`);
    }
    const { output } = model.scope.plan;
    const wanted = output === null ? valueOf(root) : look(model.scope, model.scope.root, output.$ref);
    same(model, event.output, wanted, "The run's output");
  } else if (event.type === "run.failed" && isOverdue(event)) {
    const { deadline, budget } = model.created;
    if (budget === undefined) model.fail("log", "The time of a budget is over, and the run has none");
    if (deadline === null || event.at < deadline) model.fail("log", `Failed at ${event.at}, its time is ${deadline}`);
    model.abort(root);
  } else if (event.type === "run.failed") {
    const { nodeKey, ...error } = event.error;
    const tooLarge = error.code === "PAYLOAD_TOO_LARGE" && nodeKey === null;
    if (!root.bad && !tooLarge) model.fail("log", `run.failed, but the root is ${root.status}`);
    const first = tooLarge ? undefined : origins(root)[0];
    if (first !== undefined) {
      same(model, { nodeKey, ...error }, { nodeKey: first.key, ...first.error }, "The run's error");
    } else if (nodeKey !== null) model.fail("log", `run.failed names "${nodeKey}", which has no failure`);
  } else model.abort(root);
  const counts = { total: 0, completed: 0, failed: 0, aborted: 0, skipped: 0 };
  for (const leaf of model.leaves()) {
    counts.total++;
    if (leaf.status === "idle" || leaf.status === "open") {
      model.fail("I4", `The run ended with "${leaf.key}" ${leaf.status}`);
    } else counts[leaf.status]++;
  }
  counts.total -= unborn(model, counts.total - event.counts.total);
  counts.aborted = counts.total - counts.completed - counts.failed - counts.skipped;
  same(model, event.counts, counts, "The counts");
  model.status = event.type.slice(4) as "completed" | "failed" | "aborted";
}

function applyToNode(model: RunModel, inst: Instance, event: NodeEvent): void {
  switch (event.type) {
    case "call.requested":
      return applyRequest(model, inst, event);
    case "call.responded":
    case "call.error":
    case "call.aborted":
      return applyOutcome(model, inst, event);
    case "node.failed":
      return applyNodeFailed(model, inst, event);
    case "branch.taken":
      return applyBranch(model, inst, event);
    case "map.expanded":
      return applyExpansion(model, inst, event);
    case "loop.turned":
      return applyTurn(model, inst, event);
    case "node.aborted":
    case "node.paused":
    case "node.resumed":
    case "node.nudged":
      return applyAsk(model, inst, event);
    default:
      return applyWait(model, inst, event);
  }
}

function applyNodeFailed(model: RunModel, inst: Instance, event: EventOf<"node.failed">): void {
  const { node } = inst;
  if (event.error.code === "GIVEN_UP") {
    checkGivenUp(model, inst, event);
    return failInstance(inst, event);
  }
  const isTurn = model.awaitsTurn(inst);
  if (!isTurn) model.touch(inst, "node.failed");
  if (node.kind === "conditional" || node.kind === "loop") {
    if (model.condition(inst) !== null) model.fail("data", `The condition of "${inst.key}" can be evaluated`);
  } else if (node.kind === "map") {
    if (itemsOf(model, inst) !== null) model.fail("data", `The list of "${inst.key}" is one`);
  } else if (node.kind === "operation") {
    const size = JSON.stringify(fill(model.scope, inst.frame, node.input)).length;
    if (size < MAX_VALUE / 4) model.fail("data", `The input of "${inst.key}" of ${size} units can be made`);
  } else if (node.kind === "sleep" && sleepDue(model, inst, event.at) !== null) {
    model.fail("data", `The sleep of "${inst.key}" can be set`);
  }
  for (const child of inst.children) model.abort(child);
  failInstance(inst, event);
}

function applyBranch(model: RunModel, inst: Instance, event: EventOf<"branch.taken">): void {
  model.touch(inst, "branch.taken");
  if (inst.node.kind !== "conditional" || inst.branch !== null) model.fail("log", `A second branch of "${inst.key}"`);
  const result = model.condition(inst);
  const otherwise = inst.children.some((child) => child.node.branch === "else") ? "else" : "none";
  const wanted = result === null ? "a failure" : result ? "then" : otherwise;
  if (event.branch !== wanted) {
    model.fail("data", `"${inst.key}" took "${event.branch}", its condition gives ${wanted}`);
  }
  inst.branch = event.branch;
}

function applyExpansion(model: RunModel, inst: Instance, event: EventOf<"map.expanded">): void {
  model.touch(inst, "map.expanded");
  if (inst.node.kind !== "map" || inst.expanded) model.fail("log", `A second expansion of "${inst.key}"`);
  const items = itemsOf(model, inst);
  if (items?.length !== event.count) {
    model.fail("data", `"${inst.key}" has ${event.count} items, its list has ${items?.length ?? "no"}`);
  }
  inst.expanded = true;
  for (const item of items ?? []) model.addBody(inst, item);
}

function itemsOf(model: RunModel, inst: Instance): readonly Json[] | null {
  const items = inst.node.kind === "map" ? fill(model.scope, inst.frame, inst.node.over) : null;
  return Array.isArray(items) ? items : null;
}

function applyTurn(model: RunModel, inst: Instance, event: EventOf<"loop.turned">): void {
  const turns = inst.children.length;
  if (!model.awaitsTurn(inst)) {
    model.fail("log", `loop.turned of "${inst.key}", whose turn ${turns} has not ended well`);
  }
  if (event.turns !== turns) {
    model.fail("log", `loop.turned of "${inst.key}" counts ${event.turns} turns, there are ${turns}`);
  }
  const wanted = model.condition(inst);
  if (event.again !== wanted) {
    model.fail("data", `"${inst.key}" goes on: ${event.again}; its condition gives ${wanted}`);
  }
  if (event.again) model.addBody(inst, turns);
  else inst.over = true;
}

function applyWait(
  model: RunModel,
  inst: Instance,
  event: EventOf<"timer.set" | "timer.fired" | "signal.awaited" | "signal.received" | "signal.timedout">,
): void {
  const { node } = inst;
  if (node.kind !== (event.type.startsWith("timer") ? "sleep" : "signal")) {
    return model.fail("log", `${event.type} of "${inst.key}", a ${node.kind}`);
  }
  const early = earliestFor(model, inst);
  if (event.type === "signal.received" && event.early !== undefined) {
    // It came before it was asked for, and is used at once.
    model.touch(inst, event.type);
    if (inst.waiting) model.fail("log", `"${inst.key}" uses an early answer while it waits`);
    if (early?.seq !== event.early || JSON.stringify(early.payload) !== JSON.stringify(event.payload)) {
      model.fail("I1", `"${inst.key}" uses answer ${event.early}, the first for it is ${early?.seq ?? "none"}`);
    }
    model.early = model.early.filter((one) => one !== early);
    inst.data = event.payload;
    inst.status = "completed";
    return;
  }
  if (event.type === "timer.set" || event.type === "signal.awaited") {
    if (early !== null) model.fail("I1", `"${inst.key}" waits though answer ${early.seq} has come for it`);
    model.touch(inst, event.type);
    if (inst.waiting) model.fail("log", `${event.type} of "${inst.key}", which waits already`);
    const due = node.kind === "sleep" ? sleepDue(model, inst, event.at) : dueOf(node, event.at);
    if (event.due !== due) model.fail("data", `"${inst.key}" waits until ${event.due}, wanted ${due}`);
    inst.waiting = true;
    inst.due = event.due;
    return;
  }
  if (!inst.waiting || inst.status !== "open") {
    model.fail("log", `${event.type} of "${inst.key}", which is ${inst.status} and waits for nothing`);
  }
  if (event.type !== "signal.received" && (inst.due === null || event.at < inst.due)) {
    model.fail("data", `${event.type} of "${inst.key}" at ${event.at}, it is due at ${inst.due}`);
  }
  inst.waiting = false;
  if (event.type === "signal.timedout") {
    inst.status = "failed";
    inst.failedSeq = event.seq;
    inst.error = { code: "TIMEOUT", message: "No answer came in time" };
  } else {
    inst.data = event.type === "signal.received" ? event.payload : null;
    inst.status = "completed";
  }
}

function earliestFor(model: RunModel, { node, key }: Instance): EventOf<"signal.buffered"> | null {
  if (node.kind !== "signal") return null;
  return model.early.find(({ name }) => name === node.signal || name === key) ?? null;
}

/** Somebody must be left who could use it: a Signal of this name or key that neither waits nor has ended, or may yet be. */
function checkEarly(model: RunModel, { name }: EventOf<"signal.buffered">): void {
  const base = name.replace(/\[.*/, "");
  const meant = ({ node, key }: Instance) => node.kind === "signal" && (node.signal === name || key === name);
  const all = [...model.byKey.values()];
  if (all.some((inst) => meant(inst) && inst.status === "open" && inst.waiting)) {
    model.fail("I1", `The answer to "${name}" is kept though the run waits for it`);
  }
  const isLeft = (inst: Instance) => !inst.ended || (inst.status === "aborted" && mayBeInLine(inst));
  if (all.some((inst) => meant(inst) && isLeft(inst))) return;
  const known = model.scope.plan.nodes.some((node) =>
    node.kind === "signal" && (node.signal === name || node.key === base)
  );
  const more = all.some((inst) => (inst.node.kind === "map" || inst.node.kind === "loop") && isLeft(inst));
  if (!known || !more) model.fail("I1", `The answer to "${name}" is kept, and nobody is left who could use it`);
}

/** In what may still wait for a place in a limited Parallel: the model takes it to have begun, the engine has not looked at it. */
function mayBeInLine(inst: Instance): boolean {
  for (let at = inst; at.parent !== null; at = at.parent) {
    const { node } = at.parent;
    if (node.kind === "parallel" && node.maxConcurrency !== undefined && !at.touched) return true;
  }
  return false;
}

function dueOf(node: { readonly timeoutMs?: number }, at: number): number | null {
  return node.timeoutMs === undefined ? null : at + node.timeoutMs;
}

function sleepDue(model: RunModel, inst: Instance, at: number): number | null {
  const { node } = inst;
  if (node.kind !== "sleep") return null;
  const value = fill(model.scope, inst.frame, node.until ?? node.ms ?? 0);
  if (typeof value !== "number" || (node.until === undefined && value < 0)) return null;
  return node.until === undefined ? at + value : value;
}
