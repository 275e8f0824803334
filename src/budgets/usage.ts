import { CallError, type CallUsage } from "@alkdev/operations";
import type { EventError, RunEvent } from "../runs/mod.ts";
import type { Amounts } from "./ports.ts";

/** Tokens and cost that were used. */
export type Used = Pick<Amounts, "tokens" | "costMicros">;

/** Beyond this it is a mistake, and sums could not be counted any more. */
const MAX_AMOUNT = 1e12;
const MAX_MODEL = 400;
const NOTHING: Used = { tokens: 0, costMicros: 0 };
/** Codes of calls that reached no handler. */
const NEVER_BEGUN: ReadonlySet<string> = new Set(["OPERATION_NOT_FOUND", "ACCESS_DENIED"]);

/** `CallUsage` as amounts; null when `value` is none: it may come from anywhere. */
export function usageOf(value: unknown): Used | null {
  if (typeof value !== "object" || value === null) return null;
  const { inputTokens, outputTokens, costMicros }: { readonly [Name in keyof CallUsage]?: unknown } = value;
  const parts = [inputTokens, outputTokens, costMicros];
  if (parts.every((part) => part === undefined) || !parts.every(isAmount)) return null;
  return { tokens: Number(inputTokens ?? 0) + Number(outputTokens ?? 0), costMicros: Number(costMicros ?? 0) };
}

/** The model that a `CallUsage` names; null: it names none. */
export function modelOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("model" in value)) return null;
  const { model } = value;
  return typeof model === "string" && model !== "" ? model.slice(0, MAX_MODEL) : null;
}

/** What a failed call says that it used; null: it does not say. */
export function usageOfError(
  { code, details }: Pick<EventError, "code"> & { readonly details?: unknown },
): Used | null {
  if (NEVER_BEGUN.has(code)) return NOTHING;
  return typeof details === "object" && details !== null && "usage" in details ? usageOf(details.usage) : null;
}

/** The same of anything thrown. */
export function usageOfThrown(reason: unknown): Used | null {
  return reason instanceof CallError ? usageOfError({ code: String(reason.code), details: reason.details }) : null;
}

/** What the log says that a call used; null: it does not say. */
export function usageOfOutcome(event: RunEvent): Used | null {
  if (event.type === "call.responded") return usageOf(event.output.meta.usage);
  return event.type === "call.error" ? usageOfError(event.error) : null;
}

/** Two usages as one; those of handlers are added up as they are told. */
export function addUsage(a: CallUsage, b: CallUsage): CallUsage {
  const sum = (name: "inputTokens" | "outputTokens" | "costMicros") =>
    a[name] === undefined && b[name] === undefined ? {} : { [name]: (a[name] ?? 0) + (b[name] ?? 0) };
  const last = b.model ?? a.model;
  const model = last === undefined ? {} : { model: last };
  return { ...sum("inputTokens"), ...sum("outputTokens"), ...sum("costMicros"), ...model };
}

function isAmount(part: unknown): boolean {
  return part === undefined || (typeof part === "number" && Number.isInteger(part) && part >= 0 && part <= MAX_AMOUNT);
}
