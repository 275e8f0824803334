/** What can be called: operation specs, errors, envelopes, identity. @module */
export { CallError, InfrastructureErrorCode } from "./call_error.ts";
export type { Identity } from "./identity.ts";
export { operationId, OperationType } from "./operation_spec.ts";
export type { AccessControl, ErrorDefinition, OperationSpec } from "./operation_spec.ts";
export type {
  HttpResponseMeta,
  LocalResponseMeta,
  McpContentBlock,
  McpResponseMeta,
  ResponseEnvelope,
  ResponseMeta,
} from "./response_envelope.ts";
