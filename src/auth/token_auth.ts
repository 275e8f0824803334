import { createRemoteJWKSet, customFetch, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import { AuthUnavailableError } from "./auth.ts";
import type { Principal } from "./principal.ts";

/** Whose access tokens are taken beside keys. */
export interface OAuthSettings {
  /** As it stands in the tokens' `iss`. */
  readonly issuer: string;
  /** As it stands in the tokens' `aud`: this hub, for the issuer. */
  readonly audience: string;
  /** Where the issuer's keys are; absent: where its metadata says. */
  readonly jwksUrl?: string;
  /** Claim with the scopes, as a list or a text with spaces. Default `scope`. */
  readonly scopesClaim?: string;
  /** Claim with the organization; absent: all tokens are of the organization `default`. */
  readonly orgClaim?: string;
  /** Organizations by what the claim says; others are refused. Absent: the claim is the organization's id. */
  readonly organizations?: Readonly<Record<string, string>>;
}

/** Turns an access token into a principal. */
export interface TokenAuth {
  /** Null: it is not valid now. @throws {AuthUnavailableError} when the issuer's keys cannot be had */
  verify(token: string): Promise<Principal | null>;
}

/** Algorithms of public keys only: a token must not choose `none`, or a secret that is no secret. */
const ALGORITHMS: readonly string[] = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];
/** Between the clocks of the issuer and this machine. */
const TOLERANCE_SECONDS = 5;
const JWKS_MAX_AGE_MS = 600_000;
/** Between two looks for a key that the issuer has not published: anybody can name one. */
const JWKS_COOLDOWN_MS = 5_000;
const METADATA = [".well-known/oauth-authorization-server", ".well-known/openid-configuration"] as const;

/** What a token's key id starts with: those of keys have no colon. */
export const TOKEN_KEY = "oauth:";

/** Whether a token that was valid still is; null: it is the id of a key. */
export function isTokenValid(keyId: string, nowMs: number): boolean | null {
  if (!keyId.startsWith(TOKEN_KEY)) return null;
  return Number(keyId.slice(keyId.lastIndexOf(":") + 1)) * 1000 > nowMs;
}

/** Verification of tokens of one issuer. `fetch` must lead to the issuer and nowhere else. */
export function createTokenAuth(settings: OAuthSettings, fetch: typeof globalThis.fetch): TokenAuth {
  let keys: Promise<JWTVerifyGetKey> | null = null;
  const findKeys = (): Promise<JWTVerifyGetKey> => {
    keys ??= openKeySet(settings, fetch).catch((error: unknown) => {
      keys = null;
      throw error;
    });
    return keys;
  };
  return {
    async verify(token) {
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, await findKeys(), {
          issuer: settings.issuer,
          audience: settings.audience,
          algorithms: [...ALGORITHMS],
          clockTolerance: TOLERANCE_SECONDS,
          requiredClaims: ["exp", "sub"],
        }));
      } catch (error) {
        if (isOfToken(error)) return null;
        throw new AuthUnavailableError();
      }
      return toPrincipal(payload, settings);
    },
  };
}

/** jose's codes about a token start so; a key set that cannot be had, or is none, is not the token's fault. */
function isOfToken(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^ERR_J(WT|WS|WE|OSE_ALG|OSE_NOT|WKS_NO_MATCHING|WKS_MULTIPLE)/.test(code);
}

async function openKeySet(settings: OAuthSettings, fetch: typeof globalThis.fetch): Promise<JWTVerifyGetKey> {
  const url = settings.jwksUrl ?? await discover(settings.issuer, fetch);
  return createRemoteJWKSet(new URL(url), {
    cacheMaxAge: JWKS_MAX_AGE_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    timeoutDuration: 5_000,
    [customFetch]: (target, options) => fetch(target, options),
  });
}

/** Where an issuer says that its keys are. */
async function discover(issuer: string, fetch: typeof globalThis.fetch): Promise<string> {
  for (const path of METADATA) {
    const response = await fetch(new URL(path, issuer.endsWith("/") ? issuer : `${issuer}/`));
    if (!response.ok) {
      await response.body?.cancel();
      continue;
    }
    const found: unknown = await response.json();
    if (typeof found !== "object" || found === null || !("jwks_uri" in found) || !("issuer" in found)) continue;
    if (typeof found.jwks_uri === "string" && found.issuer === issuer) return found.jwks_uri;
  }
  throw new AuthUnavailableError();
}

function toPrincipal(payload: JWTPayload, settings: OAuthSettings): Principal | null {
  const { sub = "", exp = 0 } = payload;
  const orgId = organizationOf(payload, settings);
  if (orgId === null || sub === "" || sub.length > 256) return null;
  const claimed = payload[settings.scopesClaim ?? "scope"];
  const scopes = typeof claimed === "string" ? claimed.split(" ") : Array.isArray(claimed) ? claimed : [];
  return Object.freeze({
    identity: Object.freeze({
      id: `${TOKEN_KEY}${sub}`,
      scopes: scopes.filter((scope): scope is string => typeof scope === "string" && scope !== ""),
    }),
    orgId,
    keyId: `${TOKEN_KEY}${sub}:${exp}`,
    keyName: null,
  });
}

function organizationOf(payload: JWTPayload, { orgClaim, organizations }: OAuthSettings): string | null {
  if (orgClaim === undefined) return "default";
  const claimed = payload[orgClaim];
  if (typeof claimed !== "string" || claimed === "") return null;
  if (organizations === undefined) return claimed;
  return Object.hasOwn(organizations, claimed) ? organizations[claimed] ?? null : null;
}
