/** Scopes that may be narrowed to one resource or a pattern of them: `workflow:run:report-*`. */
export const NARROWABLE: ReadonlySet<string> = new Set([
  "workflow:read",
  "workflow:write",
  "workflow:run",
  "run:read",
  "run:write",
  "operation:read",
  "operation:call",
  "spoke:connect",
]);

/**
 * Whether one who holds `held` may hand out `wanted`: whatever `wanted` grants is granted by one of `held`. A scope grants
 * itself; one of {@linkcode NARROWABLE} also every narrower one; a pattern everything that starts with what is before its `*`.
 */
export function coversScope(held: readonly string[], wanted: string): boolean {
  return held.some((scope) => covers(scope, wanted));
}

function covers(scope: string, wanted: string): boolean {
  if (scope === wanted) return true;
  if (scope.endsWith("*")) return wanted.startsWith(scope.slice(0, -1));
  return NARROWABLE.has(scope) && wanted.startsWith(`${scope}:`);
}
