import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import type { TreeLimits } from "./options.ts";

export function mappingNotFound(what: string): CallError {
  return new CallError("MAPPING_NOT_FOUND", `There is no spawned session "${what}"`, { mapping: what });
}

export function spawnDenied(message: string, details: Readonly<Record<string, Json>>): CallError {
  return new CallError("SPAWN_DENIED", message, details);
}

/** `present`: how many there are. */
export function spawnLimit(which: keyof TreeLimits, limit: number, present: number): CallError {
  const what = {
    depth: `sessions below each other, and this one would be number ${present + 1}`,
    breadth: `sessions at work for one parent, and ${present} are`,
    sessions: `sessions in one tree, and ${present} were spawned in this one`,
  }[which];
  return new CallError("SPAWN_LIMIT", `Cannot spawn: there may be ${limit} ${what}`, { which, limit, present });
}

const TRANSIENT: ReadonlySet<string> = new Set([
  "UNAVAILABLE",
  "SPOKE_LOST",
  "OPERATION_NOT_FOUND",
  "RUN_NOT_HERE",
  "STORAGE_UNAVAILABLE",
  "TIMEOUT",
  "OVERLOADED",
]);

/** Whether the same may work later: a spoke is away, or the hub is stopping. */
export function isTransient(error: unknown): boolean {
  return error instanceof CallError ? TRANSIENT.has(error.code) : true;
}

/** What is kept of an error. */
export function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof CallError) return { code: error.code, message: error.message.slice(0, 2_000) };
  return { code: "INTERNAL_ERROR", message: "Something went wrong in the hub" };
}
