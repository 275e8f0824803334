import type { ApiKeyManagerConfig } from "./config.ts";
import { ApiKeyManager } from "./manager.ts";

/**
 * An API key manager.
 *
 * @example
 * ```ts
 * import { createKeys } from "@alkdev/keypal";
 *
 * const keys = createKeys({ prefix: "alk_", storage: "memory", cache: true });
 * const { key } = await keys.create({ ownerId: "ada", scopes: ["run:read"] });
 * const result = await keys.verify(`Bearer ${key}`);
 * console.assert(result.valid);
 * ```
 */
export function createKeys(config: ApiKeyManagerConfig = {}): ApiKeyManager {
  return new ApiKeyManager(config);
}
