// The subpath with .js has the code, the one without has its types: with .js Deno finds none.
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport, StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { MCPClientConfig } from "./mcp_client_config.ts";

/** The way to a server; nothing is started yet. */
export function openTransport(config: MCPClientConfig): StdioClientTransport | StreamableHTTPClientTransport {
  if ("url" in config) {
    return new StreamableHTTPClientTransport(new URL(config.url), {
      requestInit: { headers: { ...config.headers } },
      ...(config.fetch !== undefined && { fetch: config.fetch }),
    });
  }
  const { command, args, env, cwd, stderr } = config;
  return new StdioClientTransport({
    command,
    args: [...args ?? []],
    stderr: stderr ?? "inherit",
    ...(env !== undefined && { env: { ...env } }),
    ...(cwd !== undefined && { cwd }),
  });
}

/** Tells an HTTP server that the session is over; one that keeps none, or is gone, does not mind. */
export async function endSession(transport: unknown): Promise<void> {
  if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession().catch(() => {});
}

/** Answers to a first POST by which the protocol tells a server of the transport before streamable HTTP, HTTP+SSE. */
const WITHOUT_POST: ReadonlySet<unknown> = new Set([404, 405]);

/** Why a server could not be connected to, where the SDK says no more than that there was an error. */
export function explainConnecting(error: unknown): unknown {
  if (!(error instanceof StreamableHTTPError) || !WITHOUT_POST.has(error.code)) return error;
  const message = `it answered ${error.code} to a POST, and so is not an address of streamable HTTP; ` +
    "servers with the HTTP+SSE transport of before March 2025 are not supported";
  return Object.assign(new Error(message, { cause: error }), { code: error.code });
}
