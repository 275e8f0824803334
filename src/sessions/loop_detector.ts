import { CallError } from "@alkdev/operations";
import { isToolEnded, type Message, type ToolPart } from "./session.ts";

/** Equal calls with equal results in a row after which the model is told. */
const TELL_AFTER = 3;
/** After which the turn ends. */
const END_AFTER = 6;

/**
 * Looks for a model that calls the same with the same again and again, and gets the same: one that polls gets something else some
 * day. Gives what to tell it; null: nothing.
 *
 * @param messages Those of the turn.
 * @throws CallError SESSION_LOOP when it was told and goes on
 */
export function detectLoop(messages: readonly Message[]): string | null {
  const calls = messages.flatMap(({ role, parts }) =>
    role === "assistant" ? parts.filter((part): part is ToolPart => part.type === "tool" && isToolEnded(part)) : []
  );
  const last = calls.at(-1);
  if (last === undefined) return null;
  const wanted = fingerprint(last);
  let times = 0;
  for (let at = calls.length - 1; at >= 0 && fingerprint(calls[at]!) === wanted; at--) times++;
  if (times < TELL_AFTER) return null;
  const what = last.operationId ?? last.toolName;
  if (times < END_AFTER) {
    return `You have called ${what} ${times} times in a row with the same input and the same result. Do something else, or say ` +
      "what keeps you from it.";
  }
  throw new CallError(
    "SESSION_LOOP",
    `The model has called "${what}" ${times} times in a row with the same input and the same result`,
    { operationId: what, times },
  );
}

function fingerprint({ toolName, operationId, input, state, output, errorText }: ToolPart): string {
  return JSON.stringify([operationId ?? toolName, input, state, output ?? null, errorText ?? null]);
}
