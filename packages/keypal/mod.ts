/** API keys: create, verify, revoke and rotate, over a storage of the host's. @module */
export type { ApiKeyMetadata, ApiKeyRecord, CreateApiKeyInput } from "./api_key_record.ts";
export type { AuditAction, AuditContext, AuditLog, AuditLogQuery, AuditLogStats } from "./audit_log.ts";
export { type Cache, MemoryCache } from "./cache.ts";
export type { ApiKeyManagerConfig } from "./config.ts";
export { createKeys } from "./create_keys.ts";
export { getExpirationTime, isExpired } from "./expiry.ts";
export { extractKeyFromHeaders, type ExtractOptions, hasApiKey, type HeadersLike } from "./extract_key.ts";
export { generateKey, type KeyFormat } from "./generate_key.ts";
export type { HashAlgorithm } from "./hash_key.ts";
export { KeyError, type KeyErrorCode } from "./key_error.ts";
export { ApiKeyManager, type CreatedKey, type VerifyOptions } from "./manager.ts";
export { MemoryStorage } from "./memory_storage.ts";
export { createResourceBuilder, ResourceBuilder } from "./resource_builder.ts";
export {
  checkResourceAllScopes,
  checkResourceAnyScope,
  checkResourceScope,
  hasAllScopes,
  hasAnyScope,
  hasScope,
  type ScopeHolder,
  type ScopeOptions,
} from "./scopes.ts";
export type { Storage } from "./storage.ts";
export type { VerifyResult } from "./verify_result.ts";
