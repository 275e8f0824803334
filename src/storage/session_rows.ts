import { and, asc, eq, inArray } from "drizzle-orm";
import {
  type Message,
  type NewMessage,
  type Part,
  searchText,
  type Session,
  type SessionTurn,
} from "../sessions/mod.ts";
import { checkedRow } from "./checked_row.ts";
import type { Orm } from "./database.ts";
import { sessionMessages, sessionParts, sessionRow, sessions, sessionTurns } from "./schema/mod.ts";

type Row = typeof sessions.$inferSelect;
type TurnRow = typeof sessionTurns.$inferSelect;
type MessageRow = typeof sessionMessages.$inferSelect;

export function toSession(row: Row): Session {
  const { metadata: _metadata, idempotencyKey: _key, roleName, roleVersion, ...rest } = checkedRow(
    "sessions",
    sessionRow,
    row,
  );
  const {
    inputTokens,
    outputTokens,
    costMicros,
    steps,
    turns,
    toolCalls,
    toolErrors,
    malformedCalls,
    turnMs,
    ...session
  } = rest;
  return {
    ...session,
    role: roleName === null || roleVersion === null ? null : { name: roleName, version: roleVersion },
    usage: { inputTokens, outputTokens, costMicros, steps, turns, toolCalls, toolErrors, malformedCalls, turnMs },
  };
}

export function toTurn(row: TurnRow): SessionTurn {
  return row;
}

/** Messages with their parts, in order of their seqs. */
export async function withParts(orm: Orm, rows: readonly MessageRow[]): Promise<readonly Message[]> {
  if (rows.length === 0) return [];
  const parts = await orm.select().from(sessionParts)
    .where(inArray(sessionParts.messageId, rows.map(({ id }) => id)))
    .orderBy(asc(sessionParts.messageId), asc(sessionParts.idx));
  const byMessage = new Map<string, Part[]>();
  for (const { messageId, body } of parts) {
    const known = byMessage.get(messageId);
    if (known === undefined) byMessage.set(messageId, [body]);
    else known.push(body);
  }
  return rows.toSorted((a, b) => a.seq - b.seq).map(({ requestId: _requestId, text: _text, ...row }) => ({
    ...row,
    parts: byMessage.get(row.id) ?? [],
  }));
}

/** Text that a column can hold: without NUL and lone surrogates, but with its lines. */
export function lines(text: string): string {
  return text.replaceAll("\u0000", "\ufffd").toWellFormed();
}

/** The message that was recorded under a request id; null: none was. */
export async function recorded(orm: Orm, sessionId: string, requestId: string): Promise<Message | null> {
  const rows = await orm.select().from(sessionMessages)
    .where(and(eq(sessionMessages.sessionId, sessionId), eq(sessionMessages.requestId, requestId)));
  return (await withParts(orm, rows))[0] ?? null;
}

/** Adds a message to a session that is locked: it and its parts, and what the session's row says of it. */
export async function append(
  tx: Orm,
  session: Row,
  message: NewMessage,
  place: Pick<Message, "turnId" | "runId" | "step"> & { readonly requestId: string | null },
  change: Partial<typeof sessions.$inferInsert> = {},
): Promise<Message> {
  const { id, role, parts, createdAt } = message;
  const seq = session.lastSeq + 1;
  const row = { id, sessionId: session.id, seq, role, createdAt, ...place };
  await tx.insert(sessionMessages).values({ ...row, text: lines(searchText(parts)) });
  await insertParts(tx, id, parts);
  await tx.update(sessions).set({
    lastSeq: seq,
    lastActivityAt: Math.max(createdAt, session.lastActivityAt),
    updatedAt: createdAt,
    ...change,
  }).where(eq(sessions.id, session.id));
  const { requestId: _requestId, ...rest } = row;
  return { ...rest, parts };
}

export async function insertParts(tx: Orm, messageId: string, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return;
  await tx.insert(sessionParts).values(parts.map((body, idx) => ({
    messageId,
    idx,
    toolCallId: body.type === "tool" ? lines(body.toolCallId) : null,
    body,
  })));
}
