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
  if (value === null || typeof value === "boolean") return value;
  const walk: Walk = { left: limits.maxBytes, plain: true };
  const problem = measure(value, limits.maxDepth, walk);
  if (problem === "large") throw tooLarge(what, limits);
  if (problem !== null) {
    throw new CallError("VALIDATION_ERROR", `Cannot record ${what}: ${problem}`, {
      errors: [{ path: "", message: problem }],
    });
  }
  if (meter !== undefined) meter.bytes += limits.maxBytes - walk.left;
  if (walk.plain) return copy(value as Json);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new CallError("VALIDATION_ERROR", `Cannot record ${what}: it has no JSON form`, undefined, { cause });
  }
  if (text !== undefined && text.length > limits.maxBytes) throw tooLarge(what, limits);
  return text === undefined ? null : JSON.parse(text) as Json;
}

function copy(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const made: Record<string, Json> = {};
  const source = value as Readonly<Record<string, Json>>;
  for (const key in source) {
    if (key !== "__proto__") made[key] = copy(source[key]!);
    else {
      const own = { value: copy(source[key]!), enumerable: true, configurable: true, writable: true };
      Object.defineProperty(made, key, own); // an assignment would set the prototype
    }
  }
  return made;
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
