import { hostHeaderValidationResponse, isLegacyRequest, originValidationResponse } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/mod.ts";
import { DEFAULT_TIMES, type Mcp, type McpDeps } from "./ports.ts";
import { readBody } from "./serve/read_body.ts";
import { errorResponse } from "./serve/responses.ts";
import { createServerParts } from "./serve/server_parts.ts";
import { Sessions } from "./serve/sessions.ts";
import { Stateless } from "./serve/stateless.ts";

/** The MCP edge: revisions 2025-06-18 and 2025-11-25 in sessions, 2026-07-28 without, on one endpoint. */
export function createMcp(deps: McpDeps): Mcp {
  const closing = new AbortController();
  const parts = createServerParts(deps, { ...DEFAULT_TIMES, ...deps.times }, closing.signal);
  const sessions = new Sessions(parts);
  const stateless = new Stateless(parts);
  let closed: Promise<void> | null = null;
  return {
    async handle(request: Request, principal: Principal): Promise<Response> {
      if (closed !== null) return errorResponse(503, -32603, "The hub is stopping");
      const refused = refuseStrangers(request, deps.allowedHosts);
      if (refused !== undefined) return refused;
      const body = await readBody(request, deps.limits);
      if (body instanceof Response) return body;
      // The SDK asks whether there is a body by its value; a request without one is of a session.
      const isOld = await isLegacyRequest(request, body.value);
      return await (isOld ? sessions : stateless).handle(request, body.value, principal);
    },
    close() {
      closing.abort();
      return closed ??= Promise.all([sessions.close(), stateless.close()]).then(() => {});
    },
  };
}

/** A page that was led to this address by its own name's DNS still sends its own names. */
function refuseStrangers(request: Request, allowedHosts: readonly string[] | null): Response | undefined {
  const own = new URL(request.url).hostname;
  const hosts = allowedHosts ?? [own];
  return (allowedHosts === null ? undefined : hostHeaderValidationResponse(request, [...hosts])) ??
    originValidationResponse(request, [...hosts]);
}
