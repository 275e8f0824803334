import type { CallNodeAttrs } from "../schema/attributes.ts";
import type { CallEventMapValue } from "../schema/call_event.ts";
import type { CallStatus } from "../schema/enums.ts";

/** Legal moves of a call. Nothing leads out of completed, failed and aborted. */
const MOVES: Readonly<Record<CallStatus, readonly CallStatus[]>> = {
  pending: ["running", "aborted"],
  running: ["completed", "failed", "aborted"],
  completed: [],
  failed: [],
  aborted: [],
};

/** May a call go from one status to the other? */
export function isCallTransition(from: CallStatus, to: CallStatus): boolean {
  return MOVES[from].includes(to);
}

/** What an event that ends a call changes in its attributes; null when it changes nothing. */
export function callChange(
  call: CallNodeAttrs,
  event: Exclude<CallEventMapValue, { type: "call.requested" }>,
): Partial<CallNodeAttrs> | null {
  const { timestamp: completedAt } = event;
  const ended = MOVES[call.status].length === 0;
  switch (event.type) {
    case "call.responded":
      return ended ? null : { status: "completed", output: event.output, completedAt };
    case "call.completed":
      // It follows the response of a subscription, or stands alone.
      if (call.status === "completed" && call.completedAt === undefined) return { completedAt };
      return ended ? null : { status: "completed", completedAt, ...("output" in event && { output: event.output }) };
    case "call.error":
      return ended ? null : { status: "failed", error: event.error, completedAt };
    case "call.aborted":
      return ended ? null : { status: "aborted", completedAt };
  }
}
