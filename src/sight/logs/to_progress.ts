import { redactText } from "../../logger/redact.ts";
import type { NodeProgress } from "../../runs/mod.ts";

const MAX_MESSAGE = 512;

/**
 * What a handler says of its progress, in the one shape in which it is kept: a number is a value, a text a message, an object may
 * have `value`, `total` and `message`. Whatever else is said is left out.
 */
export function toProgress(said: unknown, at: number): NodeProgress {
  if (typeof said === "number") return { value: finite(said), total: null, message: null, at };
  if (typeof said === "string") return { value: null, total: null, message: short(said), at };
  if (typeof said !== "object" || said === null) return { value: null, total: null, message: null, at };
  const { value, progress, total, message } = said as Readonly<Record<string, unknown>>;
  return { value: finite(value ?? progress), total: finite(total), message: short(message), at };
}

function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function short(text: unknown): string | null {
  return typeof text === "string" && text !== "" ? redactText(text.slice(0, MAX_MESSAGE)) : null;
}
