import { CallError, hasScopeForSome } from "@alkdev/operations";
import type { Auth, Principal } from "../auth/mod.ts";
import { unauthenticated } from "./unauthenticated.ts";

/** Who sent the request. @throws {CallError} `UNAUTHENTICATED` */
export async function authenticate(headers: Headers, auth: Auth): Promise<Principal> {
  const principal = await auth.authenticate(headers);
  if (principal === null) throw unauthenticated(headers.has("authorization") || headers.has("x-api-key"));
  return principal;
}

/** Returns when any of the scopes is held, for whatever resources. @throws {CallError} `ACCESS_DENIED`, naming those that would do */
export function assertScope({ identity }: Principal, scopes: readonly string[], what: string): void {
  for (const scope of scopes) {
    if (hasScopeForSome(identity.scopes, scope)) return;
  }
  const wanted = scopes.map((scope) => `"${scope}"`).join(" or ");
  throw new CallError("ACCESS_DENIED", `Cannot ${what} with this API key: wanted scope ${wanted}`, {
    requiredScopes: scopes,
  });
}
