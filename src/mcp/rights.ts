import { CallError, hasScope } from "@alkdev/operations";
import type { Principal, Scope } from "../auth/mod.ts";

/** Whether the caller's key has any of the scopes. */
export function may({ identity }: Principal, ...scopes: readonly Scope[]): boolean {
  return scopes.some((scope) => hasScope(identity.scopes, scope));
}

/** @throws {CallError} `ACCESS_DENIED` */
export function assertMay(principal: Principal, what: string, ...scopes: readonly Scope[]): void {
  if (may(principal, ...scopes)) return;
  const wanted = scopes.map((scope) => `"${scope}"`).join(" or ");
  throw new CallError("ACCESS_DENIED", `Cannot ${what} with this API key: wanted scope ${wanted}`, {
    requiredScopes: scopes,
  });
}
