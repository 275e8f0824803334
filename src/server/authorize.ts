import { CallError, hasScopeForSome } from "@alkdev/operations";
import type { Principal, RateState } from "../auth/mod.ts";
import type { ServerDeps } from "./ports.ts";
import { metadataUrl } from "./routes/oauth.ts";
import { unauthenticated } from "./unauthenticated.ts";

/**
 * Who sent the request, where the key is not remembered. `key`: one that came otherwise than in its headers.
 *
 * @throws {CallError} `UNAUTHENTICATED`; `RATE_LIMITED` to those who have tried too many
 */
export async function authenticate(
  request: Request,
  { auth, gate, oauth }: Pick<ServerDeps, "auth" | "gate" | "oauth">,
  key?: string,
): Promise<Principal> {
  const { headers } = request;
  const tried = key ?? keyIn(headers);
  if (tried !== null && gate !== undefined && !auth.isFamiliar(tried)) gate.assertMayTry(request, tried);
  const principal = await auth.authenticate(key ?? headers);
  if (principal !== null) return principal;
  if (tried !== null) gate?.wrong(request, tried);
  throw unauthenticated(tried !== null, oauth === undefined ? null : metadataUrl(oauth, request));
}

/** Takes one request of the key's minute; null: it has no limit. @throws {CallError} `RATE_LIMITED` */
export function admit(
  principal: Principal,
  { gate }: Pick<ServerDeps, "gate">,
): Promise<RateState | null> | null {
  return gate === undefined || principal.limits === undefined ? null : gate.admit(principal, "requests");
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

/** Whether an error is a refusal, which is written down. */
export function isRefusal(error: unknown): error is CallError {
  return error instanceof CallError && (error.code === "UNAUTHENTICATED" || error.code === "ACCESS_DENIED");
}

function keyIn(headers: Headers): string | null {
  const bearer = headers.get("authorization");
  if (bearer !== null) return bearer.replace(/^bearer +/i, "");
  return headers.get("x-api-key");
}
