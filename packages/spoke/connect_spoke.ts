import { SpokeClient } from "./spoke_client.ts";
import type { SpokeHandle } from "./spoke_handle.ts";
import type { SpokeOptions } from "./spoke_options.ts";

/**
 * Connects to a hub, offers operations there and carries out the calls that come in.
 *
 * @example
 * ```ts
 * import { connectSpoke } from "@alkdev/spoke";
 *
 * const spoke = connectSpoke({
 *   url: "http://127.0.0.1:8787",
 *   key: "alk_0123456789", // with the scope spoke:connect
 *   name: "greeter",
 *   operations: [{
 *     namespace: "demo",
 *     name: "greet",
 *     inputSchema: { type: "object", properties: { who: { type: "string" } }, required: ["who"] },
 *     handler: (input) => ({ text: `Hello, ${(input as { who: string }).who}` }),
 *   }],
 * });
 * await spoke.close();
 * ```
 */
export function connectSpoke(options: SpokeOptions): SpokeHandle {
  return new SpokeClient(options);
}
