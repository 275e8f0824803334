/** HTTP status and title of every error code that the hub itself gives. docs/errors.md lists the same. */
export const STATUS_BY_CODE: ReadonlyMap<string, readonly [status: number, title: string]> = new Map([
  ["VALIDATION_ERROR", [400, "The request is not valid"]],
  ["MALFORMED_JSON", [400, "The body is not JSON"]],
  ["JSON_TOO_DEEP", [400, "The body is nested too deeply"]],
  ["UNAUTHENTICATED", [401, "An API key is needed"]],
  ["ACCESS_DENIED", [403, "The API key does not allow this"]],
  ["EGRESS_DENIED", [403, "The hub may not send requests there"]],
  ["BUDGET_EXCEEDED", [402, "The budget is used up"]],
  ["ROUTE_NOT_FOUND", [404, "There is no such route"]],
  ["WORKFLOW_NOT_FOUND", [404, "There is no such workflow"]],
  ["RUN_NOT_FOUND", [404, "There is no such run"]],
  ["CALL_NOT_FOUND", [404, "There is no such call"]],
  ["SIGNAL_NOT_FOUND", [404, "The run waits for no such signal"]],
  ["NODE_NOT_FOUND", [404, "The run has no such node"]],
  ["OPERATION_NOT_FOUND", [404, "There is no such operation"]],
  ["SPOKE_NOT_FOUND", [404, "There is no such spoke"]],
  ["BUDGET_NOT_FOUND", [404, "There is no such budget"]],
  ["KEY_NOT_FOUND", [404, "There is no such API key"]],
  ["SCHEDULE_NOT_FOUND", [404, "There is no such schedule"]],
  ["METHOD_NOT_ALLOWED", [405, "The route does not have this method"]],
  ["RUN_ENDED", [409, "The run has ended"]],
  ["IDEMPOTENCY_MISMATCH", [422, "The idempotency key stands for another request"]],
  ["SIGNAL_ANSWERED", [409, "The signal is already answered"]],
  ["NODE_ENDED", [409, "The node has ended"]],
  ["NODE_NOT_WAITING", [409, "The node waits for no attempt"]],
  ["OPERATION_CONFLICT", [409, "The operation is offered differently"]],
  ["KEY_REVOKED", [409, "The API key is already revoked"]],
  ["SCHEDULE_EXISTS", [409, "There is a schedule of this name"]],
  ["ABORTED", [409, "The call was aborted"]],
  ["PAYLOAD_TOO_LARGE", [413, "The request is too large"]],
  ["URI_TOO_LONG", [414, "The address is too long"]],
  ["UNSUPPORTED_MEDIA_TYPE", [415, "The body must be JSON"]],
  ["WORKFLOW_INVALID", [422, "The workflow has problems"]],
  ["UPGRADE_REQUIRED", [426, "This route is for WebSockets"]],
  ["OVERLOADED", [429, "The hub has too much to do"]],
  ["RATE_LIMITED", [429, "Too many requests"]],
  ["INTERNAL_ERROR", [500, "Something went wrong in the hub"]],
  ["UNKNOWN_ERROR", [502, "The operation failed"]],
  ["EXECUTION_ERROR", [502, "The operation failed"]],
  ["SPOKE_LOST", [502, "The spoke went away"]],
  ["AUTH_UNAVAILABLE", [503, "API keys cannot be looked up now"]],
  ["RUN_NOT_HERE", [503, "The run is being taken up by a hub"]],
  ["NOT_READY", [503, "The hub is not ready"]],
  ["TIMEOUT", [504, "The call took too long"]],
]);

/** A code that an operation made up: its caller's request was understood, and its answer is no. */
const DOMAIN_ERROR: readonly [number, string] = [422, "The operation gave an error"];

/** Status and title of a code. */
export function statusOf(code: string): readonly [status: number, title: string] {
  return STATUS_BY_CODE.get(code) ?? DOMAIN_ERROR;
}
