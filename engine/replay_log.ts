/**
 * Folds a recorded log on another plan, and tells where that plan would not have written it: each event is held against what
 * the state asked for when it was written. Pure, and without a clock: times are taken from the log.
 */
import type { Json, PlanNode } from "@alkdev/flowgraph";
import { closing, decide } from "./decide.ts";
import { type EventOf, isTerminalType, type RunEvent } from "./events.ts";
import { DEFAULT_VALUE_LIMITS } from "./json_value.ts";
import { callInput, wantInstant, wantMs, workflowOperation } from "./node_values.ts";
import type { Program } from "./program.ts";
import { nextAttemptAt } from "./retry.ts";
import { type Place, Status, STATUS_NAMES } from "./state/frame.ts";
import { keyOf, leaves, locate, locateAhead } from "./state/keys.ts";
import { RunState } from "./state/run_state.ts";
import { bind } from "./state/values.ts";

/** A place where a plan and a log part. */
export interface Divergence {
  /** Of the recorded event. */
  readonly seq: number;
  readonly type: RunEvent["type"];
  /** The node concerned; null: the run. */
  readonly key: string | null;
  readonly message: string;
  /** What the log says, and what the plan gives; absent where there is nothing to compare. */
  readonly recorded?: unknown;
  readonly present?: unknown;
}

type Finding = Omit<Divergence, "seq" | "type">;

/** Where they part; empty: the plan would have written this log. What can only follow from the first parting is left out. */
export function replayLog(program: Program, events: readonly RunEvent[]): readonly Divergence[] {
  const state = new RunState(program);
  const found: Divergence[] = [];
  for (const event of events) {
    const finding = isTerminalType(event.type)
      ? checkEnd(state, event)
      : "key" in event
      ? checkNode(state, event)
      : null;
    if (finding !== null) {
      const { lost = false, ...rest } = finding;
      found.push({ seq: event.seq, type: event.type, ...rest });
      if (lost) break;
    }
    state.apply(event);
  }
  return found;
}

/** `lost`: the log cannot be followed any further. */
type Check = (Finding & { readonly lost?: boolean }) | null;

function checkNode(state: RunState, event: Extract<RunEvent, { readonly key: string }>): Check {
  const { key } = event;
  if (event.type === "node.reused" || event.type === "call.aborted") return null;
  const isAsked = event.type === "node.aborted" || event.type === "node.paused" || event.type === "node.resumed";
  const place = isAsked ? locateAhead(state, key) : locate(state, key);
  if (place === null) return { key, message: `There is no node "${key}" now`, lost: true };
  const node = state.program.plan.nodes[place.frame.block.nodes[place.vertex] ?? 0];
  if (node === undefined) return null;
  switch (event.type) {
    case "call.requested":
      return checkRequest(state, place, node, event);
    case "call.responded":
    case "call.error":
      return wrongStatus(state, place, [Status.RUNNING], "was called") ?? checkRetry(node, event);
    case "branch.taken":
    case "map.expanded":
    case "loop.turned":
      return checkDecision(state, place, event);
    case "timer.set":
      return checkTimer(state, place, node, event);
    case "signal.awaited":
      return checkWait(state, place, node, event);
    case "timer.fired":
    case "signal.received":
    case "signal.timedout":
      return wrongStatus(state, place, [Status.WAITING], "waited");
    case "node.failed":
      return checkFailure(state, place, node, event);
    default:
      return null;
  }
}

function checkRequest(state: RunState, place: Place, node: PlanNode, event: EventOf<"call.requested">): Check {
  const { key } = event;
  const calls = node.kind === "operation"
    ? node.operationId
    : node.kind === "workflow"
    ? workflowOperation(node)
    : null;
  if (calls === null || (node.kind !== "operation" && node.kind !== "workflow")) {
    return { key, message: `"${key}" was a call, and is a ${node.kind} now`, lost: true };
  }
  if (calls !== event.operationId) {
    return {
      key,
      message: `"${key}" calls another operation now`,
      recorded: event.operationId,
      present: calls,
      lost: true,
    };
  }
  const status = wrongStatus(state, place, [Status.READY, Status.WAITING], "started");
  if (status !== null) return status;
  const input = attempt(() => callInput(state, place.frame, node, DEFAULT_VALUE_LIMITS).recorded);
  return differs(key, `"${key}" is given another input now`, event.input, input);
}

function checkRetry(node: PlanNode, event: EventOf<"call.responded"> | EventOf<"call.error">): Check {
  if (event.type === "call.responded" || (node.kind !== "operation" && node.kind !== "workflow")) return null;
  const { key, attempt, error, retryAt, at } = event;
  const next = nextAttemptAt({ policy: node.retry, attempt, error, now: at, random: () => 0 });
  if ((next === null) === (retryAt === null)) return null;
  const message = next === null
    ? `"${key}" is not tried again after attempt ${attempt} now (${error.code})`
    : `"${key}" is tried again after attempt ${attempt} now (${error.code})`;
  return { key, message, lost: true };
}

function checkDecision(
  state: RunState,
  place: Place,
  event: EventOf<"branch.taken"> | EventOf<"map.expanded"> | EventOf<"loop.turned">,
): Check {
  const { runId: _run, seq: _seq, at: _at, ...recorded } = event;
  const present = decide(state, place, DEFAULT_VALUE_LIMITS);
  if (present === null) return { key: event.key, message: `"${event.key}" is not to be decided yet now`, lost: true };
  const check = differs(event.key, `"${event.key}" is decided otherwise now`, recorded, present);
  return check === null ? null : { ...check, lost: true };
}

function checkTimer(state: RunState, place: Place, node: PlanNode, event: EventOf<"timer.set">): Check {
  const { key, due, at } = event;
  if (node.kind !== "sleep") return { key, message: `"${key}" was a sleep, and is a ${node.kind} now`, lost: true };
  const status = wrongStatus(state, place, [Status.READY], "began to sleep");
  if (status !== null) return status;
  const present = attempt(() =>
    node.until === undefined
      ? at + wantMs(bind(state, place.frame, node.ms ?? 0), key)
      : wantInstant(bind(state, place.frame, node.until), key)
  );
  return differs(key, `"${key}" sleeps until another time now`, due, present);
}

function checkWait(state: RunState, place: Place, node: PlanNode, event: EventOf<"signal.awaited">): Check {
  const { key, name, due, at, question } = event;
  if (node.kind !== "signal") return { key, message: `"${key}" was a signal, and is a ${node.kind} now`, lost: true };
  const status = wrongStatus(state, place, [Status.READY], "began to wait");
  if (status !== null) return status;
  const present = attempt(() => ({
    name: node.signal,
    timeoutMs: node.timeoutMs ?? null,
    question: node.question === undefined ? null : bind(state, place.frame, node.question),
  }));
  const recorded = { name, timeoutMs: due === null ? null : due - at, question: question ?? null };
  return differs(key, `"${key}" waits for something else now`, recorded, present);
}

function checkFailure(state: RunState, place: Place, node: PlanNode, event: EventOf<"node.failed">): Check {
  const { key, error: { code } } = event;
  if (node.kind === "operation" || node.kind === "workflow") {
    const input = attempt(() => callInput(state, place.frame, node, DEFAULT_VALUE_LIMITS).recorded);
    if (isFailure(input)) return null;
    return { key, message: `"${key}" could not start (${code}), and starts now`, present: input, lost: true };
  }
  if (node.kind === "sleep" || node.kind === "signal") return null;
  const present = decide(state, place, DEFAULT_VALUE_LIMITS);
  if (present?.type === "node.failed") return null;
  return { key, message: `"${key}" failed (${code}), and does not now`, present, lost: true };
}

function checkEnd(state: RunState, event: RunEvent): Check {
  if (event.type === "run.aborted" || (event.type !== "run.completed" && event.type !== "run.failed")) return null;
  if (!state.finished) {
    const open = [...leaves(state)].filter(({ frame, vertex }) => isOpen(frame.status[vertex]))
      .map(({ frame, vertex }) => keyOf(state, frame, vertex));
    const waits = open.length === 0 ? "a decision" : open.slice(0, 10).map((key) => `"${key}"`).join(", ");
    return { key: open[0] ?? null, message: `The run ended here, and now goes on with ${waits}`, lost: true };
  }
  // A run that ends for a reason of its own (a deadline, a budget) says so itself; the fold cannot.
  const present = closing(state, DEFAULT_VALUE_LIMITS);
  if (event.type === "run.failed") {
    if (present.type === "run.failed") return null;
    return { key: event.error.nodeKey, message: `The run failed (${event.error.code}), and completes now` };
  }
  if (present.type !== "run.completed") return { key: null, message: "The run completed, and fails now", present };
  return differs(null, "The run has another output now", event.output, present.output);
}

function isOpen(status: Status | undefined): boolean {
  return status === Status.READY || status === Status.WAITING || status === Status.RUNNING;
}

function wrongStatus(state: RunState, { frame, vertex }: Place, wanted: readonly Status[], did: string): Check {
  const status = frame.status[vertex] ?? Status.IDLE;
  if (wanted.includes(status)) return null;
  const key = keyOf(state, frame, vertex);
  return { key, message: `"${key}" ${did} here, and is ${STATUS_NAMES[status]} now`, lost: true };
}

function differs(key: string | null, message: string, recorded: unknown, present: unknown): Check {
  return canonical(recorded) === canonical(present) ? null : { key, message, recorded, present };
}

interface Failure {
  readonly failure: string;
}

function attempt(make: () => Json): Json | Failure {
  try {
    return make();
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function isFailure(value: Json | Failure): boolean {
  return typeof value === "object" && value !== null && "failure" in value;
}

/** JSON text that does not depend on the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  ) ?? "nothing";
}
