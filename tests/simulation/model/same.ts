/** Comparisons, with the one leave that the model needs. */
import type { RunModel } from "./run_model.ts";

/**
 * Leaves of Map items and Loop turns that nobody has seen begin: while a limit keeps what holds them waiting they are no nodes
 * yet, and the model, which does not know whose turn it is, may have made them too early.
 */
export function unborn(model: RunModel, missing: number): number {
  if (missing <= 0) return 0;
  let untouched = 0;
  for (const leaf of model.leaves()) {
    if (leaf.status === "aborted" && !leaf.touched && leaf.frame.owner !== null) untouched++;
  }
  return Math.min(missing, untouched);
}

/** The same but for what an unborn item would have given: nothing. */
function trimmed(value: unknown): unknown {
  if (Array.isArray(value)) {
    const parts = value.map(trimmed);
    const empty = (part: unknown) => part === null || (Array.isArray(part) && part.length === 0);
    while (parts.length > 0 && empty(parts[parts.length - 1])) parts.pop();
    return parts;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, trimmed(part)]));
}

export function same(model: RunModel, found: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a === b || JSON.stringify(trimmed(found)) === JSON.stringify(trimmed(wanted))) return;
  model.fail("data", `${what} is ${a}, wanted ${b}`);
}
