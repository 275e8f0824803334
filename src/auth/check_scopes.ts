import { CallError } from "@alkdev/operations";
import { NARROWABLE } from "./covers_scope.ts";
import { SCOPES } from "./scopes.ts";

/** Families whose scopes the hub does not list: what is in them is named by whoever is served there. */
const OPEN_FAMILIES: readonly string[] = ["coord", "inference", "mcp", "model", "role", "session", "task"];
const KNOWN: readonly string[] = Object.keys(SCOPES);

/**
 * Refuses scopes that nothing asks for, which is what a misspelt one is: the key would be made and then do nothing. Known are
 * the hub's own, narrower ones of those that can be narrowed (`workflow:run:report`), those of open families, patterns (`run:*`), and `declared`
 * ones, which operations ask for.
 *
 * @throws {CallError} `VALIDATION_ERROR` naming each, with the nearest known one
 */
export function checkScopes(scopes: readonly string[], declared: ReadonlySet<string> = new Set()): void {
  const errors = scopes.flatMap((scope, index) => {
    if (isKnown(scope, declared)) return [];
    const nearest = nearestScope(scope, [...KNOWN, ...declared]);
    const hint = nearest === null
      ? `wanted one of ${KNOWN.join(", ")}, one that an operation here asks for, or a pattern such as "run:*"`
      : `did you mean "${nearest}"?`;
    return [{ path: `/scopes/${index}`, message: `is "${scope}", which nothing asks for: ${hint}` }];
  });
  const [first] = errors;
  if (first !== undefined) throw new CallError("VALIDATION_ERROR", `Field "scopes" ${first.message}`, { errors });
}

function isKnown(scope: string, declared: ReadonlySet<string>): boolean {
  if (scope.endsWith("*") || Object.hasOwn(SCOPES, scope) || declared.has(scope)) return true;
  const [family = "", ...rest] = scope.split(":");
  if (rest.join(":") !== "" && OPEN_FAMILIES.includes(family)) return true;
  return [...NARROWABLE].some((known) => scope.startsWith(`${known}:`) && scope.length > known.length + 1);
}

/** The one that shares most pairs of letters (Dice); null where that is less than half of them. */
function nearestScope(scope: string, known: readonly string[]): string | null {
  const pairs = pairsOf(scope);
  let best: string | null = null;
  let bestShare = 0.5;
  for (const candidate of known) {
    const others = pairsOf(candidate);
    const shared = [...pairs].filter((pair) => others.has(pair)).length;
    const share = 2 * shared / (pairs.size + others.size);
    if (share > bestShare) [best, bestShare] = [candidate, share];
  }
  return best;
}

function pairsOf(text: string): Set<string> {
  const lower = text.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, lower.length - 1) }, (_, at) => lower.slice(at, at + 2)));
}
