/** How sessions, turns and parts change: what every store does, whatever it keeps them in. */
import type { NewSession } from "./ports.ts";
import {
  isToolEnded,
  type Part,
  type RunPlace,
  type Session,
  type SessionStatus,
  type SessionTurn,
} from "./session.ts";

/** A session that nothing has been said in. */
export function newSession(session: NewSession): Session {
  return {
    ...session,
    status: "idle",
    usage: {
      inputTokens: 0,
      outputTokens: 0,
      costMicros: 0,
      steps: 0,
      turns: 0,
      toolCalls: 0,
      toolErrors: 0,
      malformedCalls: 0,
      turnMs: 0,
    },
    lastSeq: 0,
    turnId: null,
    runId: null,
    error: null,
    lastActivityAt: session.createdAt,
    updatedAt: session.createdAt,
  };
}

/** A turn that has just begun. */
export function newTurn(
  params: {
    readonly id: string;
    readonly session: Pick<Session, "id" | "orgId" | "usage">;
    readonly parent: RunPlace | null;
    readonly at: number;
  },
): SessionTurn {
  const { id, session, parent, at } = params;
  return {
    id,
    orgId: session.orgId,
    sessionId: session.id,
    n: session.usage.turns + 1,
    status: "open",
    runId: null,
    parent,
    steps: 0,
    inputTokens: 0,
    outputTokens: 0,
    costMicros: 0,
    error: null,
    startedAt: at,
    endedAt: null,
  };
}

/** What a session is once its turn has ended so. */
export function statusAfter(turn: Exclude<SessionTurn["status"], "open">): SessionStatus {
  return turn === "done" ? "idle" : turn;
}

/** What a session with an open turn is, whose last step has these parts. */
export function statusDuring(parts: readonly Part[]): "busy" | "waiting" {
  return parts.some((part) => part.type === "tool" && part.state === "approval-requested") ? "waiting" : "busy";
}

/** A part of a turn that is over: a call of a tool that has not ended never will. */
export function closedPart(part: Part, why: string): Part {
  return part.type !== "tool" || isToolEnded(part) ? part : { ...part, state: "output-error", errorText: why };
}

/** Characters around what was found. */
const AROUND = 80;

/** The first place of `needle` in a text, whatever its case, with what is around it. */
export function excerptOf(text: string, needle: string): string {
  const at = text.toLowerCase().indexOf(needle.toLowerCase());
  const from = Math.max(0, at - AROUND);
  const to = Math.min(text.length, Math.max(at, 0) + needle.length + AROUND);
  return `${from > 0 ? "…" : ""}${text.slice(from, to)}${to < text.length ? "…" : ""}`;
}
