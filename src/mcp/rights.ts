import { CallError, hasScopeFor, hasScopeForSome } from "@alkdev/operations";
import type { Principal, Scope } from "../auth/mod.ts";

/** Whether the caller's key has any of the scopes, for whatever resources: those it may see are told apart by {@linkcode mayOn}. */
export function may({ identity }: Principal, ...scopes: readonly Scope[]): boolean {
  return scopes.some((scope) => hasScopeForSome(identity.scopes, scope));
}

/** Whether the caller's key has any of the scopes for this workflow or operation. */
export function mayOn({ identity }: Principal, resource: string, ...scopes: readonly Scope[]): boolean {
  return scopes.some((scope) => hasScopeFor(identity.scopes, scope, resource));
}

/** @throws {CallError} `ACCESS_DENIED` */
export function assertMayOn(principal: Principal, what: string, resource: string, ...scopes: readonly Scope[]): void {
  if (mayOn(principal, resource, ...scopes)) return;
  const wanted = scopes.map((scope) => `"${scope}"`).join(" or ");
  throw new CallError("ACCESS_DENIED", `Cannot ${what} with this API key: wanted scope ${wanted}`, {
    requiredScopes: scopes,
  });
}
