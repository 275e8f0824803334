import { CallError, hasScopeForSome } from "@alkdev/operations";
import type { Principal } from "../auth/mod.ts";
import { admit, authenticate } from "./authorize.ts";
import { HttpError } from "./http_error.ts";
import type { ServerDeps } from "./ports.ts";
import { type ReadTime, withinReadTime } from "./read_deadline.ts";

/** The subprotocol that is selected; clients that offer any must offer this one. */
const SUBPROTOCOL = "alkdev.v1";
const BEARER = "bearer.";
/** With none of these a socket is of no use: each call checks its own. */
const USEFUL_SCOPES = ["spoke:connect", "operation:call", "operation:read", "run:read"];

/**
 * `GET /ws`. Authenticates before the upgrade: by `Authorization`, by `x-api-key`, or, for browsers, which can set neither, by a
 * `bearer.<key>` subprotocol, which is never answered.
 */
export async function upgradeWebSocket(request: Request, deps: ServerDeps, reading: ReadTime): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw new HttpError("UPGRADE_REQUIRED", "This route is for WebSockets: wanted an upgrade", {
      headers: { upgrade: "websocket", connection: "Upgrade" },
    });
  }
  const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const principal = await withinReadTime(whoOpens(request, offered, deps), reading);
  const counted = admit(principal, deps);
  if (counted !== null) await withinReadTime(counted, reading);
  if (!USEFUL_SCOPES.some((scope) => hasScopeForSome(principal.identity.scopes, scope))) {
    const names = USEFUL_SCOPES.map((scope) => `"${scope}"`).join(" or ");
    throw new CallError("ACCESS_DENIED", `Cannot open a socket: wanted scope ${names}`, {
      requiredScopes: USEFUL_SCOPES,
    });
  }
  const { socket, response } = upgrade(request);
  // Deno's own `protocol` option refuses a list without spaces after its commas, which is how many clients write it.
  if (offered.includes(SUBPROTOCOL)) response.headers.set("sec-websocket-protocol", SUBPROTOCOL);
  deps.acceptSocket(socket, principal, request);
  return response;
}

function whoOpens(request: Request, offered: readonly string[], deps: ServerDeps): Promise<Principal> {
  const bearer = offered.find((name) => name.startsWith(BEARER))?.slice(BEARER.length);
  const inHeader = request.headers.has("authorization") || request.headers.has("x-api-key");
  return inHeader || bearer === undefined ? authenticate(request, deps) : authenticate(request, deps, bearer);
}

function upgrade(request: Request): Deno.WebSocketUpgrade {
  try {
    return Deno.upgradeWebSocket(request);
  } catch (cause) {
    throw new HttpError("UPGRADE_REQUIRED", "The upgrade to a WebSocket is not well-formed", { cause });
  }
}
