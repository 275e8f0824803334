import { createMcpHandler, type McpServerFactory, type ServerEvent } from "@modelcontextprotocol/server";
import type { Principal } from "../../auth/mod.ts";
import { watchResource } from "../changes/watch_resource.ts";
import { isObject } from "../json.ts";
import { authInfoOf, isPrincipal } from "../session_context.ts";
import { createServer } from "./create_server.ts";
import { RequestServer } from "./hub_server.ts";
import { errorResponse } from "./responses.ts";
import type { ServerParts } from "./server_parts.ts";

/** Of one key at once. */
const MAX_STREAMS_PER_KEY = 100;
const MAX_RESOURCES = 200;

/** Requests of 2026-07-28: each stands for itself. */
export class Stateless {
  readonly #parts: ServerParts;
  readonly #handler: ReturnType<typeof createMcpHandler>;
  readonly #factory: McpServerFactory;
  readonly #streams = new Map<string, Set<AbortController>>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#factory = async ({ requestInfo, authInfo }) => {
      const allTools = requestInfo !== undefined &&
        new URL(requestInfo.url).searchParams.get("tools") === "workflows";
      const server = createServer(parts, { allTools });
      // The SDK has held this header against the body.
      const called = requestInfo?.headers.get("mcp-method") === "tools/call"
        ? requestInfo.headers.get("mcp-name")
        : null;
      const principal = authInfo?.extra?.["principal"];
      const tool = called === null || !isPrincipal(principal) ? null : await parts.tools.find(principal, called);
      return new RequestServer(server, tool === null ? null : tool.view);
    };
    this.#handler = createMcpHandler(this.#factory, this.#options());
  }

  handle(request: Request, body: unknown, principal: Principal): Promise<Response> {
    const options = { parsedBody: body, authInfo: authInfoOf(principal, request) };
    if (!isObject(body) || body["method"] !== "subscriptions/listen") return this.#handler.fetch(request, options);
    return this.#listen(request, body, principal);
  }

  async close(): Promise<void> {
    for (const streams of this.#streams.values()) for (const stream of streams) stream.abort();
    this.#streams.clear();
    await this.#handler.close();
  }

  /** A stream has a bus of its own, on which is only what its caller may see and has asked for. */
  #listen(request: Request, body: Readonly<Record<string, unknown>>, principal: Principal): Promise<Response> {
    const streams = this.#streams.get(principal.keyId) ?? new Set();
    if (streams.size >= MAX_STREAMS_PER_KEY) {
      return Promise.resolve(errorResponse(429, -32603, "Too many subscriptions of this key"));
    }
    const stop = new AbortController();
    const end = (): void => {
      stop.abort();
      streams.delete(stop);
      if (streams.size === 0) this.#streams.delete(principal.keyId);
    };
    const handler = createMcpHandler(this.#factory, {
      ...this.#options(),
      bus: {
        publish: () => {},
        subscribe: (listener) => {
          streams.add(stop);
          this.#streams.set(principal.keyId, streams);
          this.#feed(body, principal, stop.signal, listener);
          return end;
        },
      },
    });
    stop.signal.addEventListener("abort", () => void handler.close());
    return handler.fetch(request, { parsedBody: body, authInfo: authInfoOf(principal, request) });
  }

  #feed(
    body: Readonly<Record<string, unknown>>,
    principal: Principal,
    signal: AbortSignal,
    listener: (event: ServerEvent) => void,
  ): void {
    const { deps, lists, resources } = this.#parts;
    const params = isObject(body["params"]) ? body["params"] : {};
    const filter = isObject(params["notifications"]) ? params["notifications"] : {};
    if (filter["toolsListChanged"] === true || filter["promptsListChanged"] === true) {
      // The SDK passes on what was asked for.
      lists.watch(principal, signal, (name) => listener({ kind: `${name}_list_changed` }));
    }
    const uris = Array.isArray(filter["resourceSubscriptions"]) ? filter["resourceSubscriptions"] : [];
    for (const uri of uris.slice(0, MAX_RESOURCES)) {
      if (typeof uri !== "string") continue;
      watchResource(deps, resources, { principal, uri, signal }, () => listener({ kind: "resource_updated", uri }))
        // What is not there, or not for this caller, never changes.
        .catch(() => {});
    }
  }

  #options() {
    const { deps } = this.#parts;
    return {
      legacy: "reject",
      maxRequestBodySize: deps.limits.bodyBytes,
      onerror: () => {},
    } as const;
  }
}
