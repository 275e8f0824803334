import type { BudgetLimits } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import { coversScope } from "../auth/mod.ts";
import type { SessionsPort, SessionState, SessionTrace, TracedCall, TracedStep } from "../coordination/mod.ts";
import type { Caller } from "../runs/mod.ts";
import type { Message, Session, SessionBudget, SessionLimits, Sessions, ToolPart } from "../sessions/mod.ts";

/** Messages that detectors look at, at most. */
const TRACED = 200;
/** Messages among which the last that says something is looked for. */
const LOOKED_AT = 8;

/** Agent sessions as coordination sees them. */
export function coordinatedSessions(sessions: Sessions): SessionsPort {
  const find = async (orgId: string, sessionId: string): Promise<Session | null> => {
    try {
      return await sessions.get({ caller: nobody(orgId), sessionId });
    } catch (error) {
      if (error instanceof CallError && error.code === "SESSION_NOT_FOUND") return null;
      throw error;
    }
  };
  return {
    async create({ caller, key, title, role, model, prompt, parent, parentSessionId, budget, workspace, labels }) {
      const { session } = await sessions.create({
        caller,
        title,
        prompt,
        labels,
        idempotencyKey: key,
        ...(role !== null && { role }),
        ...(model !== null && { model }),
        ...(parent !== null && { parent }),
        ...(parentSessionId !== null && { parentSessionId }),
        ...(budget !== null && { budget: sessionBudget(budget), limits: turnLimits(budget) }),
        ...(workspace !== null && {
          workspace: { spoke: workspace.spoke, directory: workspace.directory, branch: workspace.branch },
        }),
      });
      return { sessionId: session.id };
    },
    async prompt({ caller, sessionId, key, text }) {
      // Coordination has asked whether the caller may; a child may tell its parent more than it could ask of it.
      await sessions.prompt({ caller, sessionId, text, idempotencyKey: key, isTrusted: true });
    },
    async assertMayPrompt({ caller, sessionId }) {
      const { owner } = await sessions.get({ caller, sessionId });
      const { scopes } = caller.identity;
      const missing = owner.identity.scopes.filter((scope) => !coversScope(scopes, scope));
      if (missing.length === 0) return;
      const message = `Cannot prompt session "${sessionId}": it may do what the caller may not`;
      throw new CallError("ACCESS_DENIED", message, { sessionId, requiredScopes: missing });
    },
    async stop({ caller, sessionId, reason }) {
      await sessions.stop({ caller, sessionId, reason });
    },
    async state({ orgId, sessionId }) {
      const session = await find(orgId, sessionId);
      if (session === null) return null;
      const window = { caller: nobody(orgId), sessionId, limit: LOOKED_AT, newest: true };
      return stateOf(session, await sessions.messages(window));
    },
    async trace({ orgId, sessionId }) {
      const session = await find(orgId, sessionId);
      if (session === null) return null;
      const window = { caller: nobody(orgId), sessionId, limit: TRACED, newest: true };
      return traceOf(session, await sessions.messages(window));
    },
  };
}

/** What a session may use in all its turns. Levels below it are the tree's. */
function sessionBudget({ calls, tokens, costMicros, wallMs }: BudgetLimits): Partial<SessionBudget> {
  return {
    ...(calls !== undefined && { steps: calls }),
    ...(tokens !== undefined && { tokens }),
    ...(costMicros !== undefined && { costMicros }),
    ...(wallMs !== undefined && { timeMs: wallMs }),
  };
}

/** The same for a turn with all runs below it: what the session itself spawns counts too. */
function turnLimits({ tokens, costMicros, wallMs }: BudgetLimits): Partial<SessionLimits> {
  return {
    ...(tokens !== undefined && { maxTokens: tokens }),
    ...(costMicros !== undefined && { maxCostMicros: costMicros }),
    ...(wallMs !== undefined && { maxTurnMs: wallMs }),
  };
}

/** For reads, which look at the organization only. */
function nobody(orgId: string): Caller {
  return { identity: { id: "hub", scopes: [] }, orgId };
}

function stateOf(session: Session, messages: readonly Message[]): SessionState {
  const { status, runId, role, error, usage, lastActivityAt } = session;
  const said = messages.toReversed().map((message) => ({ role: message.role, text: textOf(message) }))
    .find(({ text }) => text !== "") ?? null;
  const { inputTokens, outputTokens, costMicros, steps, turns, toolCalls, toolErrors, malformedCalls } = usage;
  return {
    status,
    runId: status === "busy" || status === "waiting" ? runId : null,
    role: role === null ? null : `${role.name}@${role.version}`,
    lastMessage: said,
    error: error === null ? null : { code: error.code, message: error.message },
    usage: { inputTokens, outputTokens, costMicros, steps, turns, toolCalls, toolErrors, malformedCalls },
    lastActivityAt,
  };
}

function traceOf(session: Session, messages: readonly Message[]): SessionTrace {
  const { status, runId, lastActivityAt, usage: { toolErrors, malformedCalls, costMicros } } = session;
  const steps = messages.filter(({ role, step }) => role === "assistant" && step !== null).map((
    message,
  ): TracedStep => ({
    runId: message.runId,
    calls: message.parts.filter((part): part is ToolPart => part.type === "tool").map(callOf),
    text: textOf(message),
  }));
  return { status, runId, lastActivityAt, toolErrors, malformedCalls, costMicros, steps };
}

const OUTCOMES = {
  "input-available": "pending",
  "approval-requested": "pending",
  "output-available": "ok",
  "output-error": "error",
  "output-denied": "denied",
} as const;

function callOf({ operationId, toolName, state, input, output }: ToolPart): TracedCall {
  return {
    tool: operationId ?? toolName,
    input: JSON.stringify(input),
    output: output === undefined ? null : JSON.stringify(output),
    outcome: OUTCOMES[state],
  };
}

function textOf({ parts }: Message): string {
  return parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n");
}
