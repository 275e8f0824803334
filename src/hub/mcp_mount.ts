import type { KeyRing, RingKey } from "../crypto/mod.ts";
import type { createMcp } from "../mcp/mod.ts";
import type { Mount } from "../server/mod.ts";

/** Names under which a hub on the loopback address may be asked for: others are a page that tricks a browser into asking. */
export const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Whether only this machine reaches the address. */
export function isLoopback(host: string): boolean {
  return host === "::1" || LOOPBACK_HOSTS.includes(host);
}

/** Keys of their own for one purpose, made from those of the key ring, the current one first. */
export async function deriveKeys(
  purpose: string,
  { keys: [current, ...older] }: Pick<KeyRing, "keys">,
): Promise<[Uint8Array, ...Uint8Array[]]> {
  const derive = async ({ key }: RingKey) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${purpose}:${key}`)));
  return [await derive(current), ...await Promise.all(older.map(derive))];
}

/** `/mcp` behind the edge's authentication; each tool checks its own scopes. */
export function mcpMount(mcp: ReturnType<typeof createMcp>): Mount {
  return {
    path: "/mcp",
    scope: ["operation:read", "operation:call", "workflow:read", "workflow:run", "run:read"],
    handle: (request, principal) =>
      principal === null ? new Response(null, { status: 401 }) : mcp.handle(request, principal),
  };
}
