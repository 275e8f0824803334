/**
 * Every table and view as Drizzle knows it. The migrations make the schema; these describe it, and `schema_test.ts` holds them
 * to it.
 *
 * The types are inferred, which `isolatedDeclarations` forbids for whatever is exported. A private static is no part of a
 * class's declaration, so it may be inferred, and its type can be named by index: hence one class a file, around its table.
 * See docs/decisions/0005-drizzle-schema.md.
 *
 * @module
 */
export { accounts } from "./accounts.ts";
export { apiKeyRow, apiKeys } from "./api_keys.ts";
export { auditLogRow, auditLogs } from "./audit_logs.ts";
export { budgetCharges } from "./budget_charges.ts";
export { budgets } from "./budgets.ts";
export { callGraphEdges, callGraphNodes } from "./call_graph.ts";
export { clientCatalogs, clientRow, clients, clientSecretRow, clientSecrets, clientsVersion } from "./clients.ts";
export { detections, mappings, notices } from "./coordination.ts";
export { deadLetters } from "./dead_letters.ts";
export { failedRuns } from "./failed_runs.ts";
export { history } from "./history.ts";
export { flowGrants, flowHolds, flowLimits, flowRulesVersion, flowTickets } from "./flow.ts";
export { hubs } from "./hubs.ts";
export { idempotencyKeys } from "./idempotency_keys.ts";
export { keyRates } from "./key_rates.ts";
export { inferencePolicies, inferenceResponses } from "./inference.ts";
export { liveRuns } from "./live_runs.ts";
export { migrations } from "./migrations.ts";
export { operationRegistrations } from "./operation_registrations.ts";
export { operations } from "./operations.ts";
export { organizationMembers } from "./organization_members.ts";
export { organizations } from "./organizations.ts";
export { plans } from "./plans.ts";
export { retentionGarbage, retentionJobs, retentionLease } from "./retention.ts";
export { roles, roleVersionRow, roleVersions } from "./roles.ts";
export { runEvents } from "./run_events.ts";
export { runLogs } from "./run_logs.ts";
export { runProgress } from "./run_progress.ts";
export { runs } from "./runs.ts";
export { scheduleFires } from "./schedule_fires.ts";
export { scheduleRow, schedules } from "./schedules.ts";
export { sessionMessages, sessionParts, sessionRow, sessions, sessionTurns } from "./sessions.ts";
export { spokeRow, spokes } from "./spokes.ts";
export { boardRow, boards, taskDependencies, taskRow, tasks } from "./tasks.ts";
export { webhookDeliveries, webhookScans, webhookWatch } from "./webhook_deliveries.ts";
export { webhookReceipts, webhookRow, webhooks } from "./webhooks.ts";
export { workflowRow, workflows } from "./workflows.ts";
