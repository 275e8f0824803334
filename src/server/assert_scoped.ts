import { SCOPES } from "../auth/mod.ts";

/**
 * Returns when `scope` says who may use `what`: one of the hub's own scopes, several, or null for everyone. Nothing is open
 * because nobody thought of it: what was written without the types is caught here, before it is served.
 *
 * @throws {Error} when it says nothing
 */
export function assertScoped(what: string, scope: unknown): void {
  if (scope === null) return;
  const scopes: readonly unknown[] = Array.isArray(scope) ? scope : [scope];
  const isSaid = scopes.length > 0 && scopes.every((one) => typeof one === "string" && Object.hasOwn(SCOPES, one));
  if (isSaid) return;
  const given = scope === undefined ? "missing" : JSON.stringify(scope);
  throw new Error(
    `Cannot serve ${what}: its scope is ${given}: wanted one or more of the hub's scopes, or null for all`,
  );
}
