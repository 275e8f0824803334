import type { ApiKeyManager } from "@alkdev/keypal";
import { type Auth, AuthUnavailableError, createTokenAuth, type TokenAuth, withTokens } from "../auth/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import type { Egress } from "../egress/mod.ts";

/** Authentication that takes access tokens beside keys, where the configuration names an issuer. */
export function openTokens(
  { config, auth, keys, egress, isSuspended }: {
    readonly config: Pick<HubConfig, "oauth">;
    readonly auth: Auth;
    readonly keys: Pick<ApiKeyManager, "hashKey">;
    readonly egress: Egress;
    /** Whether an organization takes nothing from an account now. */
    readonly isSuspended: (params: { readonly orgId: string; readonly accountId: string }) => Promise<boolean>;
  },
): Auth {
  const { oauth } = config;
  if (oauth === null) return auth;
  const hosts = [oauth.issuer, oauth.jwksUrl].filter((url) => url !== undefined).map((url) => new URL(url).host);
  // The administrator named these: they may be on a private network, and nothing else may be asked.
  const fetch = egress.bound({ allowPrivate: hosts, sameHost: true, maxBytes: 1024 * 1024, totalMs: 10_000 });
  const tokens = createTokenAuth(oauth, fetch);
  const standing: TokenAuth = {
    async verify(token) {
      const principal = await tokens.verify(token);
      if (principal === null) return null;
      const { orgId, identity: { id: accountId } } = principal;
      const suspended = await isSuspended({ orgId, accountId }).catch(() => {
        throw new AuthUnavailableError();
      });
      return suspended ? null : principal;
    },
  };
  return withTokens(auth, standing, { hash: (token) => keys.hashKey(token) });
}
