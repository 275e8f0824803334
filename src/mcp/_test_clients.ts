/** Clients of both generations of the SDK, as their users write them. */
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** Of SDK 2, at the named revision: 2026-07-28 pinned, or the 2025 handshake. */
export async function connectClient(
  url: URL,
  generation: "2026" | "2025",
  options: ClientOptions & { readonly key?: string } = {},
): Promise<Client> {
  const { key = "admin", ...rest } = options;
  const client = new Client({ name: "test", version: "1" }, {
    ...(generation === "2026" && { versionNegotiation: { mode: { pin: "2026-07-28" } } }),
    ...rest,
  });
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { "x-api-key": key } } }));
  return client;
}

/** Of SDK 1. */
export async function connectOldClient(url: URL, key = "admin"): Promise<OldClient> {
  const client = new OldClient({ name: "test", version: "1" });
  // SDK 1 is not written for `exactOptionalPropertyTypes`: its own transport does not fit its own interface.
  await client.connect(new OldTransport(url, { requestInit: { headers: { "x-api-key": key } } }) as never);
  return client;
}
