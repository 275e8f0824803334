import {
  compileExpression,
  type FlowControl,
  type FlowKey,
  type Json,
  parseDuration,
  resolveReference,
} from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import { type GateLine, type Ids, rankOf, type RunGate } from "../../engine/mod.ts";
import type { GatedStart, PassedStart, StartGate } from "../runs/mod.ts";
import type { KnownRules } from "./flow_rules.ts";
import type { TicketDesk } from "./ticket_desk.ts";

/** Longest text of a key's value, in UTF-16 units. */
const MAX_VALUE = 200;

export interface StartGateOptions {
  readonly rules: KnownRules;
  readonly desk: TicketDesk;
  readonly ids: Pick<Ids, "runId">;
  readonly now: () => number;
}

/** Says what a new run has to pass: by its workflow's `flow`, the organization's limits and holds, and its own start time. */
export function createStartGate({ rules, desk, ids, now }: StartGateOptions): StartGate {
  return {
    of(start) {
      const { orgId, workflow } = start;
      const limited = rules.limit(orgId, workflowKey(workflow.name)) !== null;
      const isHeld = rules.hold(orgId, "workflow", workflow.name) !== null;
      if (workflow.flow === undefined && !limited && !isHeld && start.startAfter === null) return null;
      const lines = linesOf(workflow.name, workflow.flow ?? {}, start.input, limited);
      const { keysAbove } = start;
      if (keysAbove === undefined || !lines.some(({ key }) => isOfWorkflow(key))) return pass(start, lines);
      return (async () => {
        const above = await keysAbove();
        const left = lines.filter(({ key }) => !(isOfWorkflow(key) && above.has(key)));
        return left.length === 0 && !isHeld && start.startAfter === null ? null : await pass(start, left);
      })();
    },
  };

  function pass(start: GatedStart, lines: readonly GateLine[]): Promise<PassedStart> | PassedStart {
    const { workflow, startAfter } = start;
    const gate: RunGate = { startAfter, lines };
    const full = workflow.flow?.onConflict === "reject" ? lines.find(({ concurrency }) => concurrency) : undefined;
    return full === undefined ? { gate, runId: start.runId, cancel: () => {} } : takeNow(start, gate, full);
  }

  /** Takes the place before there is a run, so that of two starts at once only one is told that it was free. */
  async function takeNow(start: GatedStart, gate: RunGate, { key, ...line }: GateLine): Promise<PassedStart> {
    const { orgId, workflow, priority } = start;
    const runId = start.runId ?? ids.runId();
    const rank = rankOf(now(), priority);
    const ticket = { orgId, key, holder: runId, runId, nodeKey: null, priority, rank, line, fallback: null };
    if (await desk.tryNow(ticket)) return { gate, runId, cancel: () => desk.leave(ticket) };
    throw new CallError(
      "CONFLICT_REJECTED",
      `Cannot start workflow "${workflow.name}" now: "${key}" is used up, and its workflow refuses a start instead of queueing it`,
      { workflow: workflow.name, key },
    );
  }
}

/** The line of a workflow's runs. */
export function workflowKey(name: string): string {
  return `workflow:${name}`;
}

/** Whether a line is one of places, which a child has by its parent's: rates and delays are of each start. */
function isOfWorkflow(key: string): boolean {
  return key.startsWith("workflow:");
}

/** In the order in which all runs pass them: what only delays first, the rate of starts last. */
function linesOf(name: string, flow: FlowControl, input: Json, limited: boolean): readonly GateLine[] {
  const { concurrency, rate, debounce, onConflict } = flow;
  const lines: GateLine[] = [];
  if (debounce !== undefined) {
    lines.push({
      key: `debounce:${name}${suffix(name, debounce.key, input)}`,
      delayMs: parseDuration(debounce.per) ?? 0,
      ...(debounce.max !== undefined && { maxDelayMs: parseDuration(debounce.max) ?? 0 }),
      replaces: true,
    });
  }
  if (concurrency !== undefined) {
    lines.push({
      key: workflowKey(name) + suffix(name, concurrency.key, input),
      concurrency: concurrency.limit,
      ...(onConflict === "replace" && { replaces: true }),
    });
  }
  if (limited && !lines.some(({ key }) => key === workflowKey(name))) lines.push({ key: workflowKey(name) });
  if (rate !== undefined) {
    lines.push({
      key: `rate:${name}${suffix(name, rate.key, input)}`,
      rate: { limit: rate.limit, perMs: parseDuration(rate.per) ?? 1 },
    });
  }
  return lines;
}

/** @throws CallError VALIDATION_ERROR */
function suffix(workflow: string, key: FlowKey | undefined, input: Json): string {
  if (key === undefined) return "";
  const what = typeof key === "string" ? key : key.$ref;
  let value: unknown;
  try {
    value = typeof key === "string"
      ? compileExpression(key).evaluate({ input })
      : resolveReference(key.$ref, { input }) ?? null;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CallError("VALIDATION_ERROR", `Cannot start workflow "${workflow}": its flow key "${what}": ${why}`);
  }
  const text = typeof value === "string" ? value : typeof value === "bigint" ? String(value) : JSON.stringify(value);
  if (text !== undefined && text.length <= MAX_VALUE) return `:${text}`;
  throw new CallError(
    "VALIDATION_ERROR",
    `Cannot start workflow "${workflow}": its flow key "${what}" gives ${
      text?.length ?? 0
    } characters, the most is ${MAX_VALUE}`,
  );
}
