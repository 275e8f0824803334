/** What an event writes into the cell of its node. Part of the fold. */
import type { EventOf } from "../events.ts";
import type { Cell } from "./frame.ts";

/** An attempt begins. */
export function fillRequested(cell: Cell, event: EventOf<"call.requested">): void {
  cell.attempt = event.attempt;
  cell.requestId = event.requestId;
  cell.input = event.input;
  cell.startedAt ??= event.at;
  cell.dueAt = null;
}

/** A Sleep or Signal begins. */
export function fillWaiting(cell: Cell, event: EventOf<"timer.set" | "signal.awaited">): void {
  cell.startedAt = event.at;
  cell.dueAt = event.due;
  if (event.type === "signal.awaited") cell.input = event.question;
}
