import type { EventOf, RunEvent } from "../../engine/events.ts";
import type { Statement, Value } from "./database.ts";
import { labelsText, pairAt } from "./event_batch.ts";
import { column, encodeBody, encodePair } from "./event_body.ts";

/** The name of the statement for one row that changes nothing in the run list. */
export const LONE_ROW = "commit_row_v1";
const ROW = call(LONE_ROW, 9);
const START = call("commit_start_v1", 14);
const END = call("commit_end_v1", 11);

/**
 * The statement for a batch that has a function of its own: one row that changes nothing in the run list, a start, or a last
 * row with the end; its values are those after the hub and its epoch. Null: none has. A hub with little to do sends hardly anything else.
 */
export function encodeSmallBatch(batch: readonly RunEvent[]): Statement | null {
  const first = batch[0];
  if (first === undefined || batch.length > 3) return null;
  const outcome = pairAt(batch, 0);
  const rest = batch[outcome === null ? 1 : 2];
  if (rest === undefined) {
    if (first.type === "run.created") {
      const isPlain = first.idempotencyKey === null && first.gate === undefined;
      return isPlain ? { ...START, values: start(first) } : null;
    }
    if (first.type.startsWith("run.")) return null;
    return { ...ROW, values: row(batch) };
  }
  if (rest !== batch.at(-1) || rest.type !== "run.completed" || rest.runId !== first.runId) return null;
  if (first.type.startsWith("run.") || rest.seq !== (outcome ?? first).seq + 1) return null;
  return { ...END, values: [...row(batch), String(rest.at), encodeBody(rest)] };
}

function call(name: string, parameters: number): { readonly name: string; readonly text: string } {
  const list = Array.from({ length: parameters }, (_, i) => `$${i + 1}`);
  return { name, text: `select ${name}(${list.join(", ")}) as answer` };
}

/** The first row of a batch. */
function row(batch: readonly RunEvent[]): readonly Value[] {
  const first = batch[0]!;
  const outcome = pairAt(batch, 0);
  const event = outcome ?? first;
  return [
    event.runId,
    "requestId" in event ? event.requestId : null,
    String(event.at),
    String(event.seq),
    event.type,
    "key" in event && event.key !== "" ? event.key : null,
    outcome !== null && first.type === "call.requested" ? encodePair(first, outcome) : encodeBody(first),
  ];
}

function start(event: EventOf<"run.created">): readonly Value[] {
  const { parent, labels } = event;
  return [
    event.runId,
    String(event.at),
    String(event.priority),
    column(event.caller.orgId),
    column(event.workflow),
    column(event.version),
    column(event.planHash),
    labelsText(labels) || null,
    parent?.runId ?? null,
    parent?.requestId ?? null,
    parent?.rootRunId ?? null,
    encodeBody(event),
  ];
}
