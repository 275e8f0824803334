import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import type { EventError } from "./events.ts";
import { toJsonValue, type ValueLimits } from "./json_value.ts";

/** Longest message that is recorded, in UTF-16 units. */
const MAX_MESSAGE = 4096;

/** What the log keeps of a thrown value: never a stack. Details that cannot be recorded are left out. */
export function toEventError(reason: unknown, limits: ValueLimits): EventError {
  const code = reason instanceof CallError
    ? String(reason.code)
    : reason instanceof Error
    ? "EXECUTION_ERROR"
    : "UNKNOWN_ERROR";
  const text = textOf(reason);
  const message = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
  const details = reason instanceof CallError ? recordable(reason.details, limits) : undefined;
  return details === undefined ? { code, message } : { code, message, details };
}

/** Anything can be thrown, also what has no text or throws when asked for it. */
function textOf(reason: unknown): string {
  try {
    return String(reason instanceof Error ? reason.message : reason);
  } catch {
    return "A value was thrown that has no text";
  }
}

function recordable(details: unknown, limits: ValueLimits): Json | undefined {
  if (details === undefined || details instanceof Error) return undefined;
  try {
    return toJsonValue(details, "the error's details", limits);
  } catch {
    return undefined;
  }
}
