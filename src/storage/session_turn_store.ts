import { and, asc, desc, eq, gt, isNotNull, isNull, lt, sql } from "drizzle-orm";
import {
  closedPart,
  isToolEnded,
  newTurn,
  type SessionStore,
  statusAfter,
  statusDuring,
  type ToolPart,
} from "../sessions/mod.ts";
import type { Database, Orm } from "./database.ts";
import { column } from "./event_body.ts";
import { sessionMessages, sessionParts, sessions, sessionTurns } from "./schema/mod.ts";
import { append, lines, recorded, toSession, toTurn, withParts } from "./session_rows.ts";

type TurnStore = Pick<
  SessionStore,
  | "prompt"
  | "add"
  | "turn"
  | "turns"
  | "started"
  | "step"
  | "stepOf"
  | "tool"
  | "end"
  | "partial"
  | "openTurns"
>;
type Params<Method extends keyof TurnStore> = Parameters<TurnStore[Method]>[0];
type Result<Method extends keyof TurnStore> = ReturnType<TurnStore[Method]>;
type SessionRow = typeof sessions.$inferSelect;

/** What is said in sessions, and their turns. Whatever changes a session locks its row first. */
export function createTurnStore({ orm }: Pick<Database, "orm">): TurnStore {
  const inTurn = <T>(
    turnId: string,
    work: (tx: Orm, session: SessionRow, turn: ReturnType<typeof toTurn>) => Promise<T>,
  ): Promise<T | null> =>
    orm.transaction(async (tx) => {
      const locked = await lockTurn(tx, turnId);
      return locked === null ? null : await work(tx, locked.session, locked.turn);
    });
  return {
    prompt: (params) => orm.transaction((tx) => prompt(tx, params)),
    add: (params) => orm.transaction((tx) => add(tx, params)),
    async turn({ orgId, turnId }) {
      const [row] = await orm.select().from(sessionTurns)
        .where(and(eq(sessionTurns.id, column(turnId)), eq(sessionTurns.orgId, column(orgId))));
      return row === undefined ? null : toTurn(row);
    },
    async turns({ orgId, sessionId, limit }) {
      const rows = await orm.select().from(sessionTurns)
        .where(and(eq(sessionTurns.sessionId, column(sessionId)), eq(sessionTurns.orgId, column(orgId))))
        .orderBy(desc(sessionTurns.n)).limit(limit);
      return rows.map(toTurn);
    },
    started: async ({ turnId, runId }) =>
      void await inTurn(turnId, async (tx, session, turn) => {
        if (turn.runId !== null) return;
        await tx.update(sessionTurns).set({ runId }).where(eq(sessionTurns.id, turnId));
        await tx.update(sessionMessages).set({ runId })
          .where(and(
            eq(sessionMessages.sessionId, session.id),
            eq(sessionMessages.turnId, turnId),
            isNull(sessionMessages.runId),
          ));
        if (session.turnId === turnId) await tx.update(sessions).set({ runId }).where(eq(sessions.id, session.id));
      }),
    step: (params) => inTurn(params.turnId, (tx, session, turn) => step(tx, { session, turn, params })),
    async stepOf({ turnId, requestId }) {
      const [turn] = await orm.select().from(sessionTurns).where(eq(sessionTurns.id, column(turnId)));
      return turn === undefined ? null : await recorded(orm, turn.sessionId, requestId);
    },
    tool: (params) => inTurn(params.turnId, (tx, session, turn) => tool(tx, { session, turn, params })),
    end: (params) => inTurn(params.turnId, (tx, session, turn) => end(tx, { session, turn, params })),
    partial: async ({ turnId, requestId, message }) =>
      void await inTurn(turnId, async (tx, session, turn) => {
        if (turn.status !== "stopped" || await recorded(tx, session.id, requestId) !== null) return;
        const [last] = await tx.select({ turnId: sessionMessages.turnId }).from(sessionMessages)
          .where(eq(sessionMessages.sessionId, session.id)).orderBy(desc(sessionMessages.seq)).limit(1);
        if (last?.turnId !== turnId) return;
        await append(tx, session, message, { turnId, runId: turn.runId, step: null, requestId });
      }),
    async openTurns({ before, limit }) {
      const rows = await orm.select().from(sessionTurns)
        .where(and(eq(sessionTurns.status, sql`'open'`), lt(sessionTurns.startedAt, before)))
        .orderBy(asc(sessionTurns.startedAt)).limit(limit);
      return rows.map(toTurn);
    },
  };
}

async function lockSession(
  tx: Orm,
  { orgId, sessionId }: { readonly orgId: string; readonly sessionId: string },
): Promise<SessionRow | null> {
  const [row] = await tx.select().from(sessions)
    .where(and(eq(sessions.id, column(sessionId)), eq(sessions.orgId, column(orgId)))).for("update");
  return row ?? null;
}

/** The session first, always: so no two changes wait for each other. */
async function lockTurn(tx: Orm, turnId: string) {
  const ofTurn = () => tx.select().from(sessionTurns).where(eq(sessionTurns.id, column(turnId)));
  const [known] = await ofTurn();
  const session = known === undefined ? null : await lockSession(tx, known);
  const [turn] = session === null ? [] : await ofTurn();
  return session === null || turn === undefined ? null : { session, turn: toTurn(turn) };
}

async function prompt(tx: Orm, params: Params<"prompt">): Result<"prompt"> {
  const { message, idempotencyKey, turn: { id, parent } } = params;
  const session = await lockSession(tx, params);
  if (session === null) return null;
  const requestId = idempotencyKey === null ? null : lines(`prompt:${idempotencyKey}`);
  const known = requestId === null ? null : await recorded(tx, session.id, requestId);
  if (known !== null) return await promptedBefore(tx, known);
  const [open] = session.turnId === null
    ? []
    : await tx.select().from(sessionTurns).where(eq(sessionTurns.id, session.turnId));
  const current = open === undefined
    ? newTurn({ id, parent, session: toSession(session), at: message.createdAt })
    : toTurn(open);
  const place = { turnId: current.id, runId: current.runId, step: null, requestId };
  if (open !== undefined) {
    return { message: await append(tx, session, message, place), turn: current, steered: true, duplicate: false };
  }
  await tx.insert(sessionTurns).values(current);
  const opened = { turnId: id, runId: null, status: "busy", error: null, turns: session.turns + 1 } as const;
  const added = await append(tx, session, message, place, opened);
  return { message: added, turn: current, steered: false, duplicate: false };
}

async function add(tx: Orm, { message, requestId, usage, ...key }: Params<"add">): Result<"add"> {
  const session = await lockSession(tx, key);
  if (session === null) return null;
  const known = await recorded(tx, session.id, requestId);
  if (known !== null) return known;
  const none = { turnId: null, runId: null, step: null, requestId };
  return await append(
    tx,
    session,
    message,
    none,
    usage === undefined ? {} : {
      inputTokens: session.inputTokens + usage.inputTokens,
      outputTokens: session.outputTokens + usage.outputTokens,
      costMicros: session.costMicros + usage.costMicros,
    },
  );
}

async function promptedBefore(tx: Orm, message: NonNullable<Awaited<Result<"add">>>): Result<"prompt"> {
  const [turn] = await tx.select().from(sessionTurns).where(eq(sessionTurns.id, message.turnId ?? ""));
  if (turn === undefined) return null;
  const [earlier] = await tx.select({ id: sessionMessages.id }).from(sessionMessages).where(and(
    eq(sessionMessages.sessionId, message.sessionId),
    eq(sessionMessages.turnId, turn.id),
    lt(sessionMessages.seq, message.seq),
  )).limit(1);
  return { message, turn: toTurn(turn), steered: earlier !== undefined, duplicate: true };
}

interface InTurn<P> {
  readonly session: SessionRow;
  readonly turn: ReturnType<typeof toTurn>;
  readonly params: P;
}

async function step(tx: Orm, { session, turn, params }: InTurn<Params<"step">>): Result<"step"> {
  const { requestId, message, usage, status } = params;
  const known = await recorded(tx, session.id, requestId);
  if (known !== null) return { message: known, duplicate: true };
  if (turn.status !== "open") return null;
  const { inputTokens, outputTokens, costMicros, malformedCalls } = usage;
  const steps = turn.steps + 1;
  await tx.update(sessionTurns).set({
    steps,
    inputTokens: turn.inputTokens + inputTokens,
    outputTokens: turn.outputTokens + outputTokens,
    costMicros: turn.costMicros + costMicros,
  }).where(eq(sessionTurns.id, turn.id));
  const tools = message.parts.filter((part): part is ToolPart => part.type === "tool");
  const place = { turnId: turn.id, runId: turn.runId, step: steps, requestId };
  const added = await append(tx, session, message, place, {
    status,
    inputTokens: session.inputTokens + inputTokens,
    outputTokens: session.outputTokens + outputTokens,
    costMicros: session.costMicros + costMicros,
    steps: session.steps + 1,
    toolCalls: session.toolCalls + tools.length,
    toolErrors: session.toolErrors + tools.filter(({ state }) => state === "output-error").length,
    malformedCalls: session.malformedCalls + malformedCalls,
  });
  return { message: added, duplicate: false };
}

async function tool(tx: Orm, { session, turn, params }: InTurn<Params<"tool">>): Result<"tool"> {
  const { messageId, toolCallId, change, at } = params;
  const rows = await tx.select().from(sessionParts).where(eq(sessionParts.messageId, column(messageId)))
    .orderBy(asc(sessionParts.idx));
  const found = rows.find(({ body }) => body.type === "tool" && body.toolCallId === toolCallId);
  if (found?.body.type !== "tool") return null;
  if (turn.status !== "open" || isToolEnded(found.body)) return found.body;
  const changed: ToolPart = { ...found.body, ...change };
  await tx.update(sessionParts).set({ body: changed })
    .where(and(eq(sessionParts.messageId, messageId), eq(sessionParts.idx, found.idx)));
  await tx.update(sessions).set({
    status: statusDuring(rows.map((row) => row === found ? changed : row.body)),
    toolErrors: session.toolErrors + (changed.state === "output-error" ? 1 : 0),
    lastActivityAt: Math.max(at, session.lastActivityAt),
    updatedAt: at,
  }).where(eq(sessions.id, session.id));
  return changed;
}

async function end(tx: Orm, { session, turn, params }: InTurn<Params<"end">>): Result<"end"> {
  const { status, error, at, seenSeq, unfinished } = params;
  if (turn.status !== "open") return turn;
  if (seenSeq !== undefined) {
    const [unseen] = await tx.select({ id: sessionMessages.id }).from(sessionMessages).where(and(
      eq(sessionMessages.sessionId, session.id),
      gt(sessionMessages.seq, seenSeq),
      eq(sessionMessages.role, "user"),
    )).limit(1);
    if (unseen !== undefined) return turn;
  }
  await tx.update(sessionTurns).set({ status, error, endedAt: at }).where(eq(sessionTurns.id, turn.id));
  await closeTools(tx, { sessionId: session.id, turnId: turn.id, unfinished });
  await tx.update(sessions).set({
    status: statusAfter(status),
    turnId: null,
    error,
    turnMs: session.turnMs + Math.max(0, at - turn.startedAt),
    lastActivityAt: Math.max(at, session.lastActivityAt),
    updatedAt: at,
  }).where(eq(sessions.id, session.id));
  return { ...turn, status, error, endedAt: at };
}

/** Calls of tools that have not ended, and never will. */
async function closeTools(
  tx: Orm,
  { sessionId, turnId, unfinished }: {
    readonly sessionId: string;
    readonly turnId: string;
    readonly unfinished: string;
  },
): Promise<void> {
  const open = await tx.select({ part: sessionParts }).from(sessionParts)
    .innerJoin(sessionMessages, eq(sessionMessages.id, sessionParts.messageId))
    .where(and(
      eq(sessionMessages.sessionId, sessionId),
      eq(sessionMessages.turnId, turnId),
      isNotNull(sessionParts.toolCallId),
    ));
  for (const { part: { messageId, idx, body } } of open) {
    const closed = closedPart(body, unfinished);
    if (closed === body) continue;
    await tx.update(sessionParts).set({ body: closed })
      .where(and(eq(sessionParts.messageId, messageId), eq(sessionParts.idx, idx)));
  }
}

/** For whoever reads messages by themselves. */
export async function messagesOf(
  orm: Orm,
  params: { readonly sessionId: string; readonly after: number; readonly limit: number; readonly newest: boolean },
): ReturnType<typeof withParts> {
  const { sessionId, after, limit, newest } = params;
  const rows = await orm.select().from(sessionMessages)
    .where(and(eq(sessionMessages.sessionId, sessionId), gt(sessionMessages.seq, after)))
    .orderBy(newest ? desc(sessionMessages.seq) : asc(sessionMessages.seq)).limit(limit);
  return await withParts(orm, rows);
}
