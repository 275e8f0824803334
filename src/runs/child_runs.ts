import type { Plan } from "@alkdev/flowgraph";
import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { DispatchedCall, Dispatcher, Engine, EventLog } from "../../engine/mod.ts";
import type { EventOf, Terminal } from "../../engine/mod.ts";
import type { FlowCheck } from "./flow_check.ts";
import { isTerminal, outcomeOf } from "./outcome.ts";
import type { RunOwners, WorkflowCatalog } from "./ports.ts";
import type { StartGate } from "./start_gate.ts";
import { abortBelow } from "./abort_cascade.ts";
import { levelBelow } from "./parent_run.ts";
import { type BudgetOfStart, budgetOfStart, tightest } from "./run_budget.ts";
import type { RunFeed } from "./run_feed.ts";
import { watchRun } from "./watch.ts";

const PREFIX = "workflow.";

export interface ChildRunPorts {
  readonly engine: () => Engine;
  readonly catalog: WorkflowCatalog;
  readonly log: EventLog;
  readonly feed: RunFeed;
  /** Absent: what flows between the child's nodes is not checked before it starts. */
  readonly flows?: FlowCheck;
  /** Absent: this hub is alone. */
  readonly owners?: RunOwners;
  /** Absent: every run starts at once. */
  readonly gate?: StartGate;
}

/**
 * Lets a Workflow node be dispatched like any operation: `workflow.<name>` (or `…@<version>`) starts a child run whose id is the
 * call's request id, so that a call sent again after a crash finds the child it had already started. That child may be driven by
 * another hub by then, or be about to be taken up: it is waited for, never started twice.
 */
export function withChildRuns(dispatcher: Dispatcher, ports: ChildRunPorts): Dispatcher {
  return {
    dispatch: (call) => call.operationId.startsWith(PREFIX) ? runChild(call, ports) : dispatcher.dispatch(call),
  };
}

async function runChild(call: DispatchedCall, ports: ChildRunPorts): Promise<ResponseEnvelope> {
  const engine = ports.engine();
  const [name = "", version] = call.operationId.slice(PREFIX.length).split("@");
  const workflow = await ports.catalog.get({ orgId: call.orgId, name, ...(version !== undefined && { version }) });
  if (workflow === null) {
    throw new CallError("WORKFLOW_NOT_FOUND", `Cannot start workflow "${name}": there is none of that name`, {
      workflow: name,
    });
  }
  const created = engine.live(call.runId)?.state.created;
  const depth = levelBelow(created ?? null, name);
  const input = workflow.decodeInput(call.input);
  const { hash, plan, functions } = workflow.plan(input);
  const ended = await outcomeOf(ports.log, call.requestId);
  if (ended === undefined) {
    await ports.flows?.check(call.orgId, workflow, plan);
    const priority = created?.priority ?? 0;
    const pass = await ports.gate?.of({
      orgId: call.orgId,
      workflow,
      input,
      priority,
      startAfter: null,
      runId: call.requestId,
      keysAbove: () => keysAbove(ports.log, created ?? null),
    }) ?? null;
    const starting = engine.start({
      id: call.requestId,
      priority,
      ...(pass !== null && { gate: pass.gate }),
      workflow: workflow.name,
      version: workflow.version,
      planHash: hash,
      plan,
      functions,
      input,
      caller: {
        identity: call.identity,
        orgId: call.orgId,
        ...(call.keyId !== undefined && { keyId: call.keyId }),
      },
      labels: { "hub.depth": String(depth) },
      ...childBudget(call, plan, engine),
      ...(created?.traceparent !== undefined && { traceparent: created.traceparent }),
      parent: { runId: call.runId, requestId: call.requestId, rootRunId: created?.parent?.rootRunId ?? call.runId },
    });
    if (pass !== null) starting.catch(() => pass.cancel());
    await starting;
  }
  const terminal = ended ?? await untilEnded(call, ports);
  return toEnvelope(call, terminal);
}

/** Keys of the lines in which those have a place that wait for a run's child: itself, and whoever waits for it in turn. */
async function keysAbove(log: EventLog, parent: EventOf<"run.created"> | null): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (let above = parent; above !== null;) {
    for (const { key } of above.gate?.lines ?? []) keys.add(key);
    // The id of a Workflow node's child is its call's. Nobody waits with their place for what a handler has started.
    if (above.parent === null || above.parent.requestId !== above.runId) break;
    const [first] = await log.read({ runId: above.parent.runId, limit: 1 });
    above = first?.type === "run.created" ? first : null;
  }
  return keys;
}

/** What limits the child: its workflow, the node that starts it, and all that limits its parent. */
function childBudget(call: DispatchedCall, plan: Plan, engine: Engine): BudgetOfStart {
  const parent = engine.live(call.runId)?.state ?? null;
  const created = parent?.created ?? null;
  const node = parent?.program.plan.nodes[parent.program.indexOf.get(call.nodeKey.split("[", 1)[0] ?? "") ?? -1];
  const limits = tightest(plan.budget, node?.kind === "workflow" ? node.budget : undefined);
  return budgetOfStart({ limits, parent: created, now: Date.now(), node: call.nodeKey });
}

async function untilEnded(call: DispatchedCall, ports: ChildRunPorts): Promise<Terminal> {
  const engine = ports.engine();
  const leave = new AbortController();
  const onAbort = (): void => {
    leave.abort();
    // Not waited for: the parent no longer wants to know. One that has ended, or whose owner is away, is left as it is.
    if (!engine.stopped) abortBelow(ports, call.requestId).catch(() => {});
  };
  if (call.signal.aborted) onAbort();
  call.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const done = engine.done(call.requestId);
    const terminal = done === null ? await watchToEnd(call.requestId, ports, leave.signal) : await done;
    if (terminal === null) throw new CallError("ABORTED", "The hub stopped while the child run was under way");
    return terminal;
  } finally {
    call.signal.removeEventListener("abort", onAbort);
  }
}

/** The terminal event of a run that another hub drives; null when nobody wants it any more. */
async function watchToEnd(runId: string, { log, feed }: ChildRunPorts, signal: AbortSignal): Promise<Terminal | null> {
  for await (const event of watchRun({ log, feed, runId, after: 0, signal })) {
    if (isTerminal(event)) return event;
  }
  return null;
}

function toEnvelope(call: DispatchedCall, terminal: Terminal): ResponseEnvelope {
  if (terminal.type === "run.completed") {
    return { data: terminal.output, meta: { source: "local", operationId: call.operationId, timestamp: terminal.at } };
  }
  if (terminal.type === "run.aborted") {
    throw new CallError("ABORTED", `The child run was aborted: ${terminal.reason}`, { runId: call.requestId });
  }
  // The details say what the code promises; where it happened is beside them.
  const { details } = terminal.error;
  const given = typeof details === "object" && details !== null && !Array.isArray(details) ? details : {};
  throw new CallError(terminal.error.code, terminal.error.message, {
    ...given,
    runId: call.requestId,
    nodeKey: terminal.error.nodeKey,
  });
}
