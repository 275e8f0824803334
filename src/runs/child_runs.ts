import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { DispatchedCall, Dispatcher, Engine } from "../../engine/mod.ts";
import type { Terminal } from "../../engine/active_run.ts";
import type { WorkflowCatalog } from "./ports.ts";

const PREFIX = "workflow.";
/** Runs inside runs at most. */
const MAX_DEPTH = 32;

/**
 * Lets a Workflow node be dispatched like any operation: `workflow.<name>` (or `…@<version>`) starts a child run whose id is the
 * call's request id, so that a call sent again after a crash finds the child it had already started.
 */
export function withChildRuns(
  dispatcher: Dispatcher,
  ports: {
    readonly engine: () => Engine;
    readonly catalog: WorkflowCatalog;
    readonly outcome: (runId: string) => Promise<Terminal | null>;
  },
): Dispatcher {
  return {
    dispatch: (call) => call.operationId.startsWith(PREFIX) ? runChild(call, ports) : dispatcher.dispatch(call),
  };
}

async function runChild(
  call: DispatchedCall,
  ports: {
    readonly engine: () => Engine;
    readonly catalog: WorkflowCatalog;
    readonly outcome: (runId: string) => Promise<Terminal | null>;
  },
): Promise<ResponseEnvelope> {
  const engine = ports.engine();
  const [name = "", version] = call.operationId.slice(PREFIX.length).split("@");
  const workflow = await ports.catalog.get({ orgId: call.orgId, name, ...(version !== undefined && { version }) });
  if (workflow === null) {
    throw new CallError("WORKFLOW_NOT_FOUND", `Cannot start workflow "${name}": there is none of that name`, {
      workflow: name,
    });
  }
  const created = engine.live(call.runId)?.state.created;
  const depth = Number(created?.labels["hub.depth"] ?? 0) + 1;
  if (depth > MAX_DEPTH) {
    throw new CallError(
      "DEPTH_EXCEEDED",
      `Cannot start workflow "${name}": runs are nested ${depth} deep, the limit is ${MAX_DEPTH}`,
    );
  }
  const input = workflow.decodeInput(call.input);
  const { hash, plan, functions } = workflow.plan(input);
  const ended = await ports.outcome(call.requestId);
  if (ended === null) {
    await engine.start({
      id: call.requestId,
      workflow: workflow.name,
      version: workflow.version,
      planHash: hash,
      plan,
      functions,
      input,
      caller: { identity: call.identity, orgId: call.orgId },
      labels: { "hub.depth": String(depth) },
      parent: { runId: call.runId, requestId: call.requestId, rootRunId: created?.parent?.rootRunId ?? call.runId },
    });
  }
  const terminal = ended ?? await untilDone(engine, call);
  return toEnvelope(call, terminal);
}

async function untilDone(engine: Engine, call: DispatchedCall): Promise<Terminal> {
  const abort = (): void => void engine.abort(call.requestId, { reason: "Its parent was aborted", by: "hub" });
  if (call.signal.aborted) abort();
  call.signal.addEventListener("abort", abort, { once: true });
  try {
    const terminal = await engine.done(call.requestId);
    if (terminal === null) throw new CallError("ABORTED", "The hub stopped while the child run was under way");
    return terminal;
  } finally {
    call.signal.removeEventListener("abort", abort);
  }
}

function toEnvelope(call: DispatchedCall, terminal: Terminal): ResponseEnvelope {
  if (terminal.type === "run.completed") {
    return { data: terminal.output, meta: { source: "local", operationId: call.operationId, timestamp: terminal.at } };
  }
  if (terminal.type === "run.aborted") {
    throw new CallError("ABORTED", `The child run was aborted: ${terminal.reason}`, { runId: call.requestId });
  }
  throw new CallError(terminal.error.code, terminal.error.message, {
    runId: call.requestId,
    nodeKey: terminal.error.nodeKey,
  });
}
