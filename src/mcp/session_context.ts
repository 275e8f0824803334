import type { AuthInfo, ServerContext } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/mod.ts";
import { isObject, type JsonObject } from "./json.ts";

/** The name under which clients and servers know the Tasks extension. */
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** What the SDK hands through to handlers. The key itself is not passed on. */
export function authInfoOf(principal: Principal, request: Request): AuthInfo {
  return {
    token: principal.keyId,
    clientId: principal.identity.id,
    scopes: [...principal.identity.scopes],
    extra: { principal, request },
  };
}

/** Who sent the request that a handler works on. */
export function principalOf(context: ServerContext): Principal {
  const principal = context.http?.authInfo?.extra?.["principal"];
  if (!isPrincipal(principal)) throw new Error("The request has no principal");
  return principal;
}

/** The request that a handler works on, as it came in. */
export function requestOf(context: ServerContext): Request {
  const request = context.http?.authInfo?.extra?.["request"];
  if (!(request instanceof Request)) throw new Error("The context has no request");
  return request;
}

/** Whether this is what {@linkcode authInfoOf} has put there. */
export function isPrincipal(value: unknown): value is Principal {
  return isObject(value) && "keyId" in value && "identity" in value;
}

/** What the client says of itself in this very request (2026-07-28); null in a session of the 2025 revisions. */
export function requestCapabilities(context: ServerContext): JsonObject | null {
  const envelope: unknown = context.mcpReq.envelope;
  if (!isObject(envelope)) return null;
  const capabilities = envelope["io.modelcontextprotocol/clientCapabilities"];
  return isObject(capabilities) ? capabilities : {};
}

/** Whether the client of this request takes a task for an answer. */
export function knowsTasks(context: ServerContext): boolean {
  const extensions = requestCapabilities(context)?.["extensions"];
  return isObject(extensions) && isObject(extensions[TASKS_EXTENSION]);
}

/** Whether a client with these capabilities can be asked by a method such as `elicitation/create`. */
export function canBeAsked(method: string, capabilities: JsonObject): boolean {
  const name = method.split("/")[0] ?? "";
  return isObject(capabilities[name]);
}
