import { CallError } from "@alkdev/operations";
import type { Caller, RunEvent, Runs } from "../../runs/mod.ts";
import type { Delivery } from "./delivery.ts";
import { outboundType } from "./outbound_type.ts";

/** Largest output that is sent along; a larger one is to be asked for. */
const MAX_OUTPUT = 256 * 1024;

/**
 * The body of a delivery, as Standard Webhooks has it: `{type, timestamp, data}`. It is made of the log alone, so that it is the
 * same at each attempt. Null: the run is gone.
 */
export async function eventMessage(
  runs: Pick<Runs, "events">,
  caller: Caller,
  { runId, seq }: Pick<Delivery, "runId" | "seq">,
): Promise<string | null> {
  try {
    const [created] = await runs.events({ caller, runId, limit: 1 });
    const [event] = await runs.events({ caller, runId, after: seq - 1, limit: 1 });
    if (created?.type !== "run.created" || event?.seq !== seq) return null;
    const { workflow, version, labels } = created;
    const data = { runId, workflow, version, labels, seq, ...dataOf(event) };
    const type = outboundType(event) ?? event.type;
    return JSON.stringify({ type, timestamp: new Date(event.at).toISOString(), data });
  } catch (error) {
    if (error instanceof CallError && error.code === "RUN_NOT_FOUND") return null;
    throw error;
  }
}

function dataOf(event: RunEvent): Record<string, unknown> {
  switch (event.type) {
    case "run.completed": {
      const isLarge = JSON.stringify(event.output ?? null).length > MAX_OUTPUT;
      return {
        status: "completed",
        counts: event.counts,
        ...(isLarge ? { outputOmitted: true } : { output: event.output }),
      };
    }
    case "run.failed":
      return { status: "failed", counts: event.counts, error: event.error };
    case "run.aborted":
      return { status: "aborted", counts: event.counts, reason: event.reason, by: event.by };
    case "run.paused":
      return { status: "paused", by: event.by };
    case "signal.awaited": {
      const { key, name, due, question } = event;
      return { status: "running", key, name, due, ...(question === undefined ? {} : { question }) };
    }
    case "node.failed":
    case "call.error":
      return { status: "running", key: event.key, error: event.error };
    default:
      return {};
  }
}
