import type { ApiKeyMetadata } from "./api_key_record.ts";

/** The fields of a key's metadata that say what it may do. */
export type ScopeHolder = Pick<ApiKeyMetadata, "scopes" | "resources">;

/** Narrows a question to one resource, `"<type>:<id>"`: scopes held for that resource count too. */
export interface ScopeOptions {
  readonly resource?: string;
}

/** Whether the scope is held by name. No patterns: a host that has them asks its own matcher. */
export function hasScope(holder: ScopeHolder, scope: string, options: ScopeOptions = {}): boolean {
  if (holder.scopes?.includes(scope) === true) return true;
  return options.resource !== undefined && checkResourceScope(holder, options.resource, scope);
}

/** Whether any of the scopes is held; false for none asked. */
export function hasAnyScope(holder: ScopeHolder, scopes: readonly string[], options: ScopeOptions = {}): boolean {
  return scopes.some((scope) => hasScope(holder, scope, options));
}

/** Whether all of the scopes are held; true for none asked. */
export function hasAllScopes(holder: ScopeHolder, scopes: readonly string[], options: ScopeOptions = {}): boolean {
  return scopes.every((scope) => hasScope(holder, scope, options));
}

/** Whether the scope is held for this one resource. */
export function checkResourceScope(holder: ScopeHolder, resource: string, scope: string): boolean {
  const { resources } = holder;
  // Own properties only: a resource called "constructor" must not find Object's.
  return resources !== undefined && Object.hasOwn(resources, resource) && resources[resource]?.includes(scope) === true;
}

/** Whether any of the scopes is held for this one resource. */
export function checkResourceAnyScope(holder: ScopeHolder, resource: string, scopes: readonly string[]): boolean {
  return scopes.some((scope) => checkResourceScope(holder, resource, scope));
}

/** Whether all of the scopes are held for this one resource. */
export function checkResourceAllScopes(holder: ScopeHolder, resource: string, scopes: readonly string[]): boolean {
  return scopes.every((scope) => checkResourceScope(holder, resource, scope));
}
