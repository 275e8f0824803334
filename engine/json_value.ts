import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";

/** Adds up what is kept in memory. */
export interface Meter {
  bytes: number;
}

/** Limits on one value in the log. `maxBytes` counts UTF-16 units and punctuation: close to the size of the JSON text. */
export interface ValueLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

export const DEFAULT_VALUE_LIMITS: ValueLimits = { maxBytes: 1024 * 1024, maxDepth: 64 };

/**
 * The value as the log will give it back, and nobody else's: always a copy, so that a handler that changes its input, or what it
 * has answered, changes nothing that is recorded (I6). Plain JSON is copied; anything else (Dates, undefined fields, class
 * instances) goes through its JSON text.
 *
 * @throws CallError PAYLOAD_TOO_LARGE or VALIDATION_ERROR naming `what`.
 */
export function toJsonValue(value: unknown, what: string, limits: ValueLimits, meter?: Meter): Json {
  const copied = copyPlain(value, limits, meter);
  if (copied !== undefined) return copied;
  const walk: Walk = { left: limits.maxBytes, plain: true };
  const problem = measure(value, limits.maxDepth, walk);
  if (problem === "large") throw tooLarge(what, limits);
  if (problem !== null) {
    throw new CallError("VALIDATION_ERROR", `Cannot record ${what}: ${problem}`, {
      errors: [{ path: "", message: problem }],
    });
  }
  if (meter !== undefined) meter.bytes += limits.maxBytes - walk.left;
  if (walk.plain) return copyOdd(value as Json);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new CallError("VALIDATION_ERROR", `Cannot record ${what}: it has no JSON form`, undefined, { cause });
  }
  if (text !== undefined && text.length > limits.maxBytes) throw tooLarge(what, limits);
  return text === undefined ? null : JSON.parse(text) as Json;
}

/**
 * What {@linkcode toJsonValue} gives for plain JSON within the limits, in one pass and without a name for it; undefined: ask
 * there.
 */
export function copyPlain(value: unknown, limits: ValueLimits, meter?: Meter): Json | undefined {
  if (value === null || typeof value === "boolean") return value;
  room = limits.maxBytes;
  const copied = copy(value, limits.maxDepth);
  if (copied !== undefined && meter !== undefined) meter.bytes += limits.maxBytes - room;
  return copied;
}

/** What the value being copied may still take: no copy begins within another. */
let room = 0;

function copy(value: unknown, depth: number): Json | undefined {
  switch (typeof value) {
    case "string":
      return (room -= value.length + 2) < 0 ? undefined : value;
    case "number":
      return (room -= 8) < 0 || !Number.isFinite(value) || Object.is(value, -0) ? undefined : value;
    case "boolean":
      return (room -= 5) < 0 ? undefined : value;
    case "object":
      return value === null ? null : depth === 0 ? undefined : copyObject(value, depth);
    default:
      return undefined;
  }
}

function copyObject(value: object, depth: number): Json | undefined {
  if (Array.isArray(value)) return copyList(value, depth);
  const prototype = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || "toJSON" in value) return undefined;
  const made: Record<string, Json> = {};
  for (const key in value) {
    // An assignment of "__proto__" would set the prototype.
    if ((room -= key.length + 4) < 0 || key === "__proto__") return undefined;
    const part = copy((value as Record<string, unknown>)[key], depth - 1);
    if (part === undefined) return undefined;
    made[key] = part;
  }
  return made;
}

function copyList(value: readonly unknown[], depth: number): Json | undefined {
  if ((room -= 2 + value.length) < 0) return undefined;
  const made: Json[] = [];
  for (let i = 0; i < value.length; i++) {
    const part = copy(value[i], depth - 1);
    if (part === undefined) return undefined;
    made.push(part);
  }
  return made;
}

/** {@linkcode copyPlain} of what has a field of the name `__proto__`. */
function copyOdd(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOdd);
  const fields = Object.entries(value).map(([key, part]) => [key, copyOdd(part)] as const);
  return Object.fromEntries(fields); // defines, where an assignment would set the prototype
}

interface Walk {
  left: number;
  plain: boolean;
}

function tooLarge(what: string, limits: ValueLimits): CallError {
  return new CallError(
    "PAYLOAD_TOO_LARGE",
    `Cannot record ${what}: it is larger than the limit of ${limits.maxBytes} bytes`,
    {
      limit: limits.maxBytes,
    },
  );
}

function measure(value: unknown, depth: number, walk: Walk): string | null {
  switch (typeof value) {
    case "string":
      return (walk.left -= value.length + 2) < 0 ? "large" : null;
    case "number":
      if (!Number.isFinite(value) || Object.is(value, -0)) walk.plain = false;
      return (walk.left -= 8) < 0 ? "large" : null;
    case "boolean":
      return (walk.left -= 5) < 0 ? "large" : null;
    case "bigint":
      return "a BigInt has no JSON form; wanted a number or a string";
    case "object":
      return value === null ? null : measureObject(value, depth, walk);
    default:
      walk.plain = false;
      return null;
  }
}

function measureObject(value: object, depth: number, walk: Walk): string | null {
  if (depth === 0) return "it is nested too deep, or contains itself";
  if (Array.isArray(value)) {
    walk.left -= 2 + value.length;
    if (walk.left < 0) return "large";
    for (let i = 0; i < value.length; i++) {
      const problem = measure(value[i], depth - 1, walk);
      if (problem !== null) return problem;
    }
    return null;
  }
  const prototype = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || "toJSON" in value) {
    walk.plain = false;
    return null; // measured by its text
  }
  for (const key in value) {
    const problem = (walk.left -= key.length + 4) < 0
      ? "large"
      : measure((value as Record<string, unknown>)[key], depth - 1, walk);
    if (problem !== null) return problem;
  }
  return null;
}
