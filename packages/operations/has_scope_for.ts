import { hasScope } from "./access.ts";

/**
 * Whether `action` may be done to one resource: `workflow:run` is held for all workflows, `workflow:run:report-*` for those
 * whose names start so. Every edge asks this and nothing else.
 *
 * @example
 * ```ts
 * import { hasScopeFor } from "@alkdev/operations";
 *
 * console.assert(hasScopeFor(["workflow:run:report-*"], "workflow:run", "report-daily"));
 * console.assert(!hasScopeFor(["workflow:run:report-*"], "workflow:run", "payroll"));
 * ```
 */
export function hasScopeFor(scopes: readonly string[], action: string, resource: string): boolean {
  return hasScope(scopes, action) || hasScope(scopes, `${action}:${resource}`);
}
