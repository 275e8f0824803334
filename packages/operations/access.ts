import { CallError } from "./call_error.ts";
import type { Identity } from "./identity.ts";
import type { AccessControl } from "./operation_spec.ts";

/**
 * Whether `wanted` is among `scopes`. A held `*` grants everything; a held scope that ends in `*` is a prefix pattern:
 * `workflow:run:report-*` grants `workflow:run:report-daily`.
 */
export function hasScope(scopes: readonly string[], wanted: string): boolean {
  for (const scope of scopes) {
    if (scope === wanted) return true;
    if (scope.endsWith("*") && wanted.startsWith(scope.slice(0, -1))) return true;
  }
  return false;
}

/** Whether `action` may be done to all resources, or to some that a narrower scope names. */
export function hasScopeForSome(scopes: readonly string[], action: string): boolean {
  if (hasScope(scopes, action)) return true;
  const narrowed = `${action}:`;
  return scopes.some((scope) => scope.startsWith(narrowed) && scope.length > narrowed.length);
}

/** Whether the operation asks anything of its caller. Without requirements it is open to callers without identity. */
export function hasRequirements(access: AccessControl): boolean {
  return access.requiredScopes.length > 0 || (access.requiredScopesAny?.length ?? 0) > 0 ||
    (access.resourceType !== undefined && access.resourceAction !== undefined);
}

/**
 * Whether `identity` meets every requirement of `access`. A resource rule is met by any resource of the type that lists the
 * action; it does not look at a particular resource id.
 */
export function checkAccess(access: AccessControl, identity: Identity): boolean {
  const { requiredScopes, requiredScopesAny, resourceType, resourceAction } = access;
  if (!requiredScopes.every((scope) => hasScope(identity.scopes, scope))) return false;
  if (requiredScopesAny !== undefined && requiredScopesAny.length > 0) {
    if (!requiredScopesAny.some((scope) => hasScope(identity.scopes, scope))) return false;
  }
  if (resourceType === undefined || resourceAction === undefined) return true;
  const prefix = `${resourceType}:`;
  return Object.entries(identity.resources ?? {}).some(([key, actions]) =>
    key.startsWith(prefix) && actions.includes(resourceAction)
  );
}

/**
 * Returns when the call may go on, throws `ACCESS_DENIED` otherwise. Any declared requirement demands an identity.
 *
 * @throws {CallError} `ACCESS_DENIED`, with `details: { requiredScopes? }`
 */
export function enforceAccess(
  access: AccessControl,
  identity: Identity | undefined,
  operationId: string,
  trusted = false,
): void {
  if (trusted || !hasRequirements(access)) return;
  if (identity !== undefined && checkAccess(access, identity)) return;
  const who = identity === undefined ? "a caller without identity" : `"${identity.id}"`;
  const scopes = [...access.requiredScopes, ...(access.requiredScopesAny ?? [])];
  throw new CallError(
    "ACCESS_DENIED",
    `Cannot call operation "${operationId}" as ${who}: wanted ${describeRequirements(access)}`,
    scopes.length > 0 ? { requiredScopes: scopes } : undefined,
  );
}

function describeRequirements(access: AccessControl): string {
  const parts: string[] = [];
  const quote = (scopes: readonly string[]) => scopes.map((scope) => `"${scope}"`).join(", ");
  if (access.requiredScopes.length > 0) parts.push(`scopes ${quote(access.requiredScopes)}`);
  if (access.requiredScopesAny !== undefined && access.requiredScopesAny.length > 0) {
    parts.push(`one of scopes ${quote(access.requiredScopesAny)}`);
  }
  if (access.resourceType !== undefined && access.resourceAction !== undefined) {
    parts.push(`action "${access.resourceAction}" on a resource of type "${access.resourceType}"`);
  }
  return parts.join(" and ");
}
