import type { Principal } from "../auth/mod.ts";
import { admit, assertScope, authenticate, isRefusal } from "./authorize.ts";
import type { ServerDeps } from "./ports.ts";
import { problemResponse } from "./problem.ts";
import { type ReadTime, withinReadTime } from "./read_deadline.ts";
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

/** Answers requests to a mount. `reading`: how long it may take to know who asks. Never rejects. */
export function createMountHandler(
  mount: Mount,
  deps: ServerDeps,
  reading: ReadTime,
): (request: Request) => Promise<Response> {
  const { auth, log, watchKey, gate } = deps;
  const scopes = mount.scope === null ? null : [mount.scope].flat();
  return async (request) => {
    let principal: Principal | null = null;
    try {
      if (scopes !== null) {
        principal = auth.remembered(request.headers) ?? await withinReadTime(authenticate(request, deps), reading);
        const counted = admit(principal, deps);
        if (counted !== null) await withinReadTime(counted, reading);
        assertScope(principal, scopes, `use ${mount.path}`);
      }
      const response = await mount.handle(request, principal);
      return principal === null ? response : untilRevoked(response, principal.keyId, watchKey);
    } catch (error) {
      if (isRefusal(error)) gate?.refused({ request, route: mount.path, principal, code: error.code });
      return problemResponse(error, requestIdOf(request.headers), log);
    }
  };
}
