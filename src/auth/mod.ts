/** From a bearer key to a principal, and the administration of keys. @module */
export { type AdminKeyOptions, adminKeyProblem, ensureAdminKey } from "./admin_key.ts";
export { type Auth, type AuthOptions, AuthUnavailableError, createAuth } from "./auth.ts";
export { checkScopes } from "./check_scopes.ts";
export { coversScope, NARROWABLE } from "./covers_scope.ts";
export {
  createKeyAdmin,
  type IssuedKey,
  type KeyAdmin,
  type KeyAdminOptions,
  type KeyAudit,
  type KeyAuditEntry,
  type NewKey,
} from "./key_admin.ts";
export { type Attempt, Guesses } from "./guesses.ts";
export {
  type KeyLimits,
  KeyRates,
  memoryRateStore,
  type RatedKey,
  type RateKind,
  type RateLease,
  type RateState,
  type RateStore,
} from "./key_rates.ts";
export { type KeyView, toKeyView } from "./key_view.ts";
export { asCaller } from "./principal.ts";
export type { Principal } from "./principal.ts";
export { createTokenAuth, isTokenValid, type OAuthSettings, type TokenAuth } from "./token_auth.ts";
export { withTokens } from "./with_tokens.ts";
export { type Scope, SCOPES } from "./scopes.ts";
