import { isTerminalType, type RunEvent } from "../../engine/mod.ts";
import type { CallView } from "./ports.ts";

type Draft = { -readonly [K in keyof CallView]: CallView[K] };

/** The calls of a run, the run itself first, then its nodes' attempts in the order they were made. A projection of the log. */
export function callsOf(events: readonly RunEvent[]): readonly CallView[] {
  const created = events[0];
  if (created?.type !== "run.created") return [];
  const identityId = created.caller.identity.id;
  const run: Draft = {
    requestId: created.runId,
    runId: created.runId,
    nodeKey: null,
    operationId: `workflow.${created.workflow}`,
    parentRequestId: created.parent?.requestId ?? null,
    status: created.gate === undefined ? "running" : "pending",
    attempt: 1,
    input: created.input,
    output: null,
    error: null,
    identityId,
    startedAt: created.at,
    completedAt: null,
    durationMs: null,
  };
  const calls = new Map<string, Draft>([[run.requestId, run]]);
  for (const event of events) {
    if (isTerminalType(event.type)) end(run, event);
    else if (event.type === "run.started") run.status = "running";
    else if (event.type === "call.requested") {
      const { requestId, key: nodeKey, operationId, attempt, input } = event;
      calls.set(requestId, {
        requestId,
        runId: run.runId,
        nodeKey,
        operationId,
        parentRequestId: run.runId,
        status: "running",
        attempt,
        input,
        output: null,
        error: null,
        identityId,
        startedAt: event.at,
        completedAt: null,
        durationMs: null,
      });
    } else if (event.type === "node.reused") {
      const call = reusedCall(run, event);
      if (call !== null) calls.set(call.requestId, call);
    } else if (event.type === "call.responded" || event.type === "call.error" || event.type === "call.aborted") {
      const call = calls.get(event.requestId);
      if (call !== undefined && call.completedAt === null) end(call, event);
    }
  }
  return [...calls.values()];
}

/** A call of another run whose result this one took over. Null: it was no call. */
function reusedCall(run: Draft, event: Extract<RunEvent, { type: "node.reused" }>): Draft | null {
  const { source, operationId, startedAt, completedAt } = event;
  if (source.requestId === null || operationId === undefined) return null;
  return {
    requestId: source.requestId,
    runId: run.runId,
    nodeKey: event.key,
    operationId,
    parentRequestId: run.runId,
    status: "completed",
    attempt: event.attempt,
    input: event.input ?? null,
    output: event.data,
    error: null,
    identityId: run.identityId,
    startedAt: startedAt ?? event.at,
    completedAt,
    durationMs: startedAt === null || completedAt === null ? null : completedAt - startedAt,
    reusedFrom: source,
  };
}

function end(call: Draft, event: RunEvent): void {
  call.completedAt = event.at;
  call.durationMs = event.at - call.startedAt;
  switch (event.type) {
    case "call.responded":
      call.status = "completed";
      call.output = (event.output.data ?? null) as CallView["output"];
      break;
    case "run.completed":
      call.status = "completed";
      call.output = event.output;
      break;
    case "call.error":
    case "run.failed":
      call.status = "failed";
      call.error = event.error;
      break;
    default:
      call.status = "aborted";
  }
}
