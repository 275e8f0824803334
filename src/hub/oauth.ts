import type { ApiKeyManager } from "@alkdev/keypal";
import { type Auth, createTokenAuth, withTokens } from "../auth/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import type { Egress } from "../egress/mod.ts";

/** Authentication that takes access tokens beside keys, where the configuration names an issuer. */
export function openTokens(
  { config, auth, keys, egress }: {
    readonly config: Pick<HubConfig, "oauth">;
    readonly auth: Auth;
    readonly keys: Pick<ApiKeyManager, "hashKey">;
    readonly egress: Egress;
  },
): Auth {
  const { oauth } = config;
  if (oauth === null) return auth;
  const hosts = [oauth.issuer, oauth.jwksUrl].filter((url) => url !== undefined).map((url) => new URL(url).host);
  // The administrator named these: they may be on a private network, and nothing else may be asked.
  const fetch = egress.bound({ allowPrivate: hosts, sameHost: true, maxBytes: 1024 * 1024, totalMs: 10_000 });
  return withTokens(auth, createTokenAuth(oauth, fetch), { hash: (token) => keys.hashKey(token) });
}
