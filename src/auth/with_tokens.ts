import type { Auth } from "./auth.ts";
import type { Principal } from "./principal.ts";
import { isTokenValid, type TokenAuth } from "./token_auth.ts";

/** Longest token that is looked at: real ones are below 8 KiB. */
const MAX_TOKEN_LENGTH = 16_384;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const TTL_MS = 60_000;
const MAX_ENTRIES = 10_000;

/** Authentication by keys, and by access tokens where what is given looks like one. A verified token is remembered by its hash. */
export function withTokens(
  keys: Auth,
  tokens: TokenAuth,
  { hash, now = Date.now }: { readonly hash: (token: string) => string; readonly now?: () => number },
): Auth {
  const memory = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();
  const recall = (token: string): Principal | undefined => {
    const entry = memory.get(hash(token));
    if (entry === undefined || entry.untilMs <= now()) return undefined;
    return isTokenValid(entry.principal.keyId, now()) === true ? entry.principal : undefined;
  };
  return {
    remembered(given) {
      const token = tokenIn(given);
      return token === null ? keys.remembered(given) : recall(token);
    },
    async authenticate(given) {
      const token = tokenIn(given);
      if (token === null) return await keys.authenticate(given);
      const known = recall(token);
      if (known !== undefined) return known;
      const principal = await tokens.verify(token);
      if (principal === null) return null;
      memory.set(hash(token), { principal, untilMs: now() + TTL_MS });
      if (memory.size > MAX_ENTRIES) {
        const oldest = memory.keys().next();
        if (oldest.done !== true) memory.delete(oldest.value);
      }
      return principal;
    },
    isFamiliar: (key) => tokenIn(key) === null ? keys.isFamiliar(key) : memory.has(hash(key)),
    invalidate: (keyId) => keys.invalidate(keyId),
  };
}

/** Null: it is no token, but a key or nothing. */
function tokenIn(given: Headers | string): string | null {
  const text = typeof given === "string" ? given : given.get("authorization")?.replace(/^bearer +/i, "") ?? "";
  return text.length <= MAX_TOKEN_LENGTH && JWT.test(text) ? text : null;
}
