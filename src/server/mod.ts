/** The HTTP edge: routes, problems, event streams, the upgrade to sockets. @module */
export { type App, type AppExtensions, createApp } from "./app.ts";
export type { AccessRecord, AccessSink } from "./access_log.ts";
export { DEFAULT_HTTP, type HttpSettings } from "./http_settings.ts";
export { HttpError } from "./http_error.ts";
export type { Mount } from "./mount.ts";
export type {
  GraphsPort,
  OperationCall,
  OperationsPort,
  Readiness,
  ServerDeps,
  ServerLimits,
  ServerLog,
  SpokesPort,
  SpokeView,
} from "./ports.ts";
export type { Problem } from "./problem.ts";
export { ok, type Reply, reply, text } from "./reply.ts";
export { defineRoute, type Method, type Route, type RouteRequest, type RouteSpec, type ScopeRule } from "./route.ts";
export { clientRoutes } from "./routes/clients.ts";
export { type InferencePort, inferenceRoutes } from "./routes/inference.ts";
export { type SessionChatPort, sessionStreamRoutes } from "./routes/session_stream.ts";
export { hookRoute } from "./routes/hooks.ts";
export { sessionRoutes } from "./routes/sessions.ts";
export { flowRoutes } from "./routes/flow.ts";
export { scheduleRoutes } from "./routes/schedules.ts";
export { webhookRoutes } from "./routes/webhooks.ts";
export { type SseEvent, sseFrame } from "./sse_frame.ts";
export { sseResponse } from "./sse_response.ts";
export type { SseSource } from "./sse_stream.ts";
export { type ControlDeps, controlRoutes } from "./routes/control.ts";
export { budgetRoutes, type BudgetsPort } from "./routes/budgets.ts";
export { type PruneJobView, type RetentionPort, retentionRoutes } from "./routes/retention.ts";
export { STATUS_BY_CODE } from "./status_codes.ts";
export { type SightDeps, sightRoutes } from "./routes/sight.ts";
export { type ViewerAsset, type ViewerFiles, viewerRoutes } from "./routes/viewer.ts";
export { ClientAddresses } from "./client_address.ts";
export { type Act, type ClientRequest, type Gate, rateHeaders, type Refusal } from "./gate.ts";
export { organizationRoutes, type OrganizationsPort } from "./routes/organizations.ts";
export { type OAuthEdge, oauthRoutes } from "./routes/oauth.ts";
export { type AuditPort, auditRoute } from "./routes/audit.ts";
export { accountRoutes, roleRoutes } from "./routes/roles.ts";
export { type CoordinationEdge, coordinationRoutes } from "./routes/coordination.ts";
export { taskRoutes, type TaskRoutesOptions } from "./routes/tasks.ts";
