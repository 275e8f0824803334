import type { Egress } from "../egress/mod.ts";
import { isConnectionFailure, isUnsent } from "./connection_failure.ts";
import { unavailable } from "./unavailable.ts";

/** Streams of a session may be silent for as long as nothing happens, and calls have timeouts of their own. */
const PATIENCE_MS = 86_400_000;
const MAX_BYTES = 64 * 1024 * 1024;
const SESSION = "mcp-session-id";

/** What {@linkcode mcpFetch} works with. */
export interface McpFetchOptions {
  readonly client: string;
  readonly egress: Egress;
  /** Parameters added to the URL. Secret. */
  readonly query: Readonly<Record<string, string>>;
  /** The session is over, as its server is not there or does not know it: what waits for answers will get none. */
  readonly onBroken: () => void;
}

/**
 * The guarded `fetch` of an MCP session. It knows which failures end the session, which the SDK does not: that one would wait
 * for an answer whose stream has broken off.
 */
export function mcpFetch({ client, egress, query, onBroken }: McpFetchOptions): typeof fetch {
  const policy = { timeoutMs: PATIENCE_MS, idleMs: PATIENCE_MS, maxBytes: MAX_BYTES };
  return async (input, init) => {
    const bare = new Request(input, init);
    const url = new URL(bare.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const request = new Request(url, bare);
    let response: Response;
    try {
      response = await egress.fetch(request, policy);
    } catch (error) {
      if (request.signal.aborted || !isConnectionFailure(error)) throw error;
      onBroken();
      throw unavailable(client, isUnsent(error) ? "down" : "lost", "its server does not answer");
    }
    if (response.status === 404 && request.headers.has(SESSION)) {
      await response.body?.cancel();
      onBroken();
      throw unavailable(client, "down", "its server does not know the session any more");
    }
    return request.method === "POST" && response.body !== null ? watched(response, response.body, onBroken) : response;
  };
}

/** The same response, whose reader is not the only one to hear that it breaks off. */
function watched(response: Response, body: ReadableStream<Uint8Array>, onBroken: () => void): Response {
  const reader = body.getReader();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        controller.error(error);
        onBroken();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(stream, response);
}
