/** What can be called: operation specs, a registry, access, errors, envelopes, the call protocol. @module */
export { checkAccess, enforceAccess, hasRequirements, hasScope, hasScopeForSome } from "./access.ts";
export { buildEnv } from "./build_env.ts";
export type { BuildEnvOptions } from "./build_env.ts";
export { CallError, InfrastructureErrorCode } from "./call_error.ts";
export { CallEventMap } from "./call_events.ts";
export type {
  CallAbortedEvent,
  CallCompletedEvent,
  CallErrorEvent,
  CallEventMapValue,
  CallRequestedEvent,
  CallRespondedEvent,
} from "./call_events.ts";
export { buildCallHandler } from "./call_handler.ts";
export type { CallHandlerOptions } from "./call_handler.ts";
export { defineOperation } from "./define_operation.ts";
export type { TypedOperation, TypedSubscription } from "./define_operation.ts";
export { httpEnvelope, isResponseEnvelope, localEnvelope, mcpEnvelope, RESPONSE_SOURCES, unwrap } from "./envelope.ts";
export { FromSchema, schemaSource } from "./from_schema.ts";
export type { FromSchemaOptions } from "./from_schema.ts";
export { hasScopeFor } from "./has_scope_for.ts";
export type { Identity } from "./identity.ts";
export { linearPattern, PatternError } from "./linear_pattern.ts";
export type { LinearPattern } from "./linear_pattern.ts";
export { mapError } from "./map_error.ts";
export type {
  AnyHandler,
  IOperationDefinition,
  LogLevel,
  OperationContext,
  OperationEnv,
  OperationHandler,
  SubscriptionHandler,
  UsageMeter,
} from "./operation_context.ts";
export { parseOperationReference, unpinnedId } from "./operation_reference.ts";
export type { OperationReference } from "./operation_reference.ts";
export { operationId, OperationType } from "./operation_spec.ts";
export type { AccessControl, ErrorDefinition, OperationSpec } from "./operation_spec.ts";
export { PendingRequestMap } from "./pending_request_map.ts";
export type { CallOptions, SubscribeOptions } from "./call_request.ts";
export { OperationRegistry } from "./registry.ts";
export type { OperationRegistration, OperationRegistryOptions, OutputWarning } from "./registry.ts";
export type {
  CallUsage,
  HttpResponseMeta,
  LocalResponseMeta,
  McpContentBlock,
  McpResponseMeta,
  ResponseEnvelope,
  ResponseMeta,
} from "./response_envelope.ts";
export { defaultAdapter } from "./schema_adapter.ts";
export type { SchemaAdapter } from "./schema_adapter.ts";
export {
  AccessControlSchema,
  ErrorDefinitionSchema,
  IdentitySchema,
  OperationContextSchema,
  OperationSpecSchema,
  ResponseEnvelopeSchema,
  ResponseMetaSchema,
} from "./schemas.ts";
export type { SerializedContext } from "./schemas.ts";
export { scanOperations } from "./scan_operations.ts";
export type { ScannerFS, ScanOptions } from "./scan_operations.ts";
export { subscribe } from "./subscribe.ts";
export { assertIsSchema, collectErrors, formatValueErrors, validateOrThrow } from "./validation.ts";
export type { ValidationIssue } from "./validation.ts";
