import type { Principal } from "../auth/mod.ts";
import { assertScope, authenticate } from "./authorize.ts";
import type { ServerDeps } from "./ports.ts";
import { problemResponse } from "./problem.ts";
import { requestIdOf } from "./request_id.ts";
import type { ScopeRule } from "./route.ts";
import { untilRevoked } from "./until_revoked.ts";

/**
 * Another protocol under a path of its own, `/mcp` say: every method, and every path below. The edge authenticates and
 * authorises; the rest, bodies and errors included, is the protocol's.
 */
export interface Mount {
  /** `/name`, without a slash at its end. */
  readonly path: string;
  readonly scope: ScopeRule;
  /** `principal` is null only where `scope` is. */
  handle(request: Request, principal: Principal | null): Response | Promise<Response>;
}

/** Answers requests to a mount. Never rejects. */
export function createMountHandler(
  mount: Mount,
  { auth, log, watchKey }: ServerDeps,
): (request: Request) => Promise<Response> {
  const scopes = mount.scope === null ? null : [mount.scope].flat();
  return async (request) => {
    try {
      const principal = scopes === null ? null : await authenticate(request.headers, auth);
      if (scopes !== null && principal !== null) assertScope(principal, scopes, `use ${mount.path}`);
      const response = await mount.handle(request, principal);
      return principal === null ? response : untilRevoked(response, principal.keyId, watchKey);
    } catch (error) {
      return problemResponse(error, requestIdOf(request.headers), log);
    }
  };
}
