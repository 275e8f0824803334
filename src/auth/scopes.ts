/** One of the scopes that the hub itself asks for. */
export type Scope =
  | "workflow:read"
  | "workflow:write"
  | "workflow:run"
  | "run:read"
  | "run:write"
  | "run:delete"
  | "operation:read"
  | "operation:call"
  | "spoke:connect"
  | "spoke:read"
  | "spoke:write"
  | "keys:read"
  | "keys:write"
  | "flow:read"
  | "flow:write"
  | "schedule:read"
  | "schedule:write"
  | "webhook:read"
  | "webhook:write"
  | "client:read"
  | "client:write"
  | "budget:read"
  | "budget:write"
  | "audit:read"
  | "org:admin"
  | "inference:call"
  | "inference:read"
  | "inference:write"
  | "session:read"
  | "session:write"
  | "coord:read"
  | "coord:write"
  | "coord:notify"
  | "metrics:read"
  | "role:read"
  | "role:write"
  | "account:read"
  | "account:write"
  | "task:read"
  | "task:write";

/**
 * What a key may be allowed. A key may also hold patterns that end in `*`: `run:*`, or `*` for everything. Operations declare
 * scopes of their own beside these.
 */
export const SCOPES: Readonly<Record<Scope, string>> = {
  "workflow:read": "See workflows, their plans and problems",
  "workflow:write": "Register workflows",
  "workflow:run": "Start runs",
  "run:read": "See runs, their graphs, events and calls",
  "run:write": "Abort, pause, resume and rerun runs, and answer signals",
  "run:delete": "Delete and archive runs that are over, and import runs",
  "operation:read": "See operations",
  "operation:call": "Call operations",
  "spoke:connect": "Connect as a spoke and offer operations",
  "spoke:read": "See spokes",
  "spoke:write": "Drain spokes",
  "keys:read": "See API keys, without the keys themselves",
  "keys:write": "Make, rotate and revoke API keys no stronger than one's own",
  "flow:read": "See limits, holds, and who holds or waits for a key",
  "flow:write": "Set limits, and hold workflows, operations and spokes",
  "schedule:read": "See schedules and their times",
  "schedule:write": "Make, change and remove schedules of workflows that one may run",
  "webhook:read": "See webhooks and deliveries, without secrets",
  "webhook:write": "Make, change and remove webhooks, and deliver again",
  "client:read": "See clients and how they are doing, without secrets",
  "client:write": "Add, change, test and remove clients",
  "budget:read": "See budgets and usage",
  "budget:write": "Set the limits of budgets",
  "audit:read": "See who did what, and what was refused",
  "org:admin": "See and make organizations, accounts and roles of the whole hub",
  "inference:call": "Call language models",
  "inference:read": "See the policy for calls of models",
  "inference:write": "Set the policy for calls of models",
  "coord:read": "See spawned sessions, what they tell and their anomalies, and wait for them",
  "coord:write": "Spawn, message and abort sessions",
  "coord:notify": "As a spawned session, tell whoever has spawned it",
  "session:read": "See agent sessions and what was said in them",
  "session:write": "Make, prompt, stop and change agent sessions",
  "metrics:read": "Read metrics",
  "role:read": "See roles and their versions",
  "role:write": "Make, change and archive roles that allow no more than one's own key",
  "account:read": "See the accounts of one's organization",
  "account:write": "Make service accounts, and suspend accounts that may do no more than one's own key",
  "task:read": "See tasks, boards and what they are estimated to take",
  "task:write": "Make and change tasks and boards, and synchronise them with files",
};
