import { and, asc, desc, eq, inArray, lte, type SQL, sql } from "drizzle-orm";
import { closedPart, excerptOf, newSession, type SearchHit, type SessionStore } from "../sessions/mod.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Database, Orm, Queryable } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { sessionMessages, sessions } from "./schema/mod.ts";
import { insertParts, lines, toSession, withParts } from "./session_rows.ts";
import { createTurnStore, messagesOf } from "./session_turn_store.ts";

type Params<Method extends keyof SessionStore> = Parameters<SessionStore[Method]>[0];
type Result<Method extends keyof SessionStore> = ReturnType<SessionStore[Method]>;

const SEARCH_TIMEOUT_MS = 4_000;

/** Sessions in the database, for any number of hubs. */
export function createSessionStore(db: Database): SessionStore {
  const { orm } = db;
  const find = async ({ orgId, sessionId }: { readonly orgId: string; readonly sessionId: string }) => {
    const [row] = await orm.select().from(sessions)
      .where(and(eq(sessions.id, column(sessionId)), eq(sessions.orgId, column(orgId))));
    return row === undefined ? null : toSession(row);
  };
  return {
    ...createTurnStore(db),
    get: find,
    async create(params) {
      await ensureOrganization(db, params.session.orgId);
      return await insert(orm, params);
    },
    async list(query) {
      const rows = await orm.select().from(sessions).where(and(...filters(query)))
        .orderBy(desc(sessions.lastActivityAt), desc(sessions.id)).limit(query.limit + 1);
      const items = rows.slice(0, query.limit).map(toSession);
      const last = items.at(-1);
      const more = rows.length > query.limit && last !== undefined;
      return { items, nextCursor: more ? encodeCursor({ createdAt: last.lastActivityAt, id: last.id }) : null };
    },
    async update({ orgId, sessionId, title, labels, workspace, at }) {
      const [row] = await orm.update(sessions).set({
        ...(title !== undefined && { title: lines(title) }),
        ...(labels !== undefined && { labels }),
        ...(workspace !== undefined && { workspace }),
        updatedAt: at,
      }).where(and(eq(sessions.id, column(sessionId)), eq(sessions.orgId, column(orgId)))).returning();
      return row === undefined ? null : toSession(row);
    },
    async messages({ after = 0, limit, newest = false, ...key }) {
      const session = await find(key);
      return session === null ? [] : await messagesOf(orm, { sessionId: session.id, after, limit, newest });
    },
    async fork(params) {
      await ensureOrganization(db, params.session.orgId);
      return await orm.transaction((tx) => fork(tx, params));
    },
    search: (params) => search(db, params),
  };
}

async function insert(orm: Orm, { session, idempotencyKey }: Params<"create">): Result<"create"> {
  const { usage: _usage, role, title, ...made } = newSession(session);
  const key = idempotencyKey === null ? null : lines(idempotencyKey);
  const [row] = await orm.insert(sessions).values({
    ...made,
    title: lines(title),
    roleName: role?.name ?? null,
    roleVersion: role?.version ?? null,
    idempotencyKey: key,
  }).onConflictDoNothing().returning();
  if (row !== undefined) return { session: toSession(row), duplicate: false };
  const [known] = await orm.select().from(sessions).where(and(
    eq(sessions.orgId, session.orgId),
    key === null
      ? eq(sessions.id, session.id)
      : sql`(${sessions.id} = ${session.id} or ${sessions.idempotencyKey} = ${key})`,
  ));
  if (known === undefined) throw new Error(`Cannot make session "${session.id}": its slug "${session.slug}" is taken`);
  return { session: toSession(known), duplicate: true };
}

function filters({ orgId, status, parentId, role, createdBy, label = [], cursor }: Params<"list">): SQL[] {
  const where = [eq(sessions.orgId, column(orgId))];
  if (status !== undefined) where.push(inArray(sessions.status, [...status]));
  if (parentId !== undefined) where.push(eq(sessions.parentId, column(parentId)));
  if (role !== undefined) where.push(eq(sessions.roleName, column(role)));
  if (createdBy !== undefined) where.push(eq(sessions.createdBy, column(createdBy)));
  for (const one of label) {
    const at = one.indexOf("=");
    const pair = JSON.stringify({ [column(one.slice(0, at))]: column(one.slice(at + 1)) });
    where.push(
      at < 0
        ? sql`${sessions.labels} <> '{}' and ${sessions.labels} ? ${column(one)}::text`
        : sql`${sessions.labels} <> '{}' and ${sessions.labels} @> ${pair}::jsonb`,
    );
  }
  if (cursor !== undefined) {
    const { createdAt, id } = decodeCursor(cursor);
    const at = new Date(createdAt).toISOString();
    where.push(sql`(${sessions.lastActivityAt}, ${sessions.id}) < (${at}::timestamptz, ${id})`);
  }
  return where;
}

async function fork(tx: Orm, params: Params<"fork">): Result<"fork"> {
  const { from, throughSeq, session, idempotencyKey, unfinished } = params;
  const made = await insert(tx, { session, idempotencyKey });
  if (made.duplicate) return made;
  const rows = await tx.select().from(sessionMessages)
    .where(and(eq(sessionMessages.sessionId, from.sessionId), lte(sessionMessages.seq, throughSeq)))
    .orderBy(asc(sessionMessages.seq));
  const messages = await withParts(tx, rows);
  for (const [at, { parts, seq, role, runId, step, createdAt }] of messages.entries()) {
    const id = crypto.randomUUID();
    const copy = { id, sessionId: session.id, seq, role, runId, step, createdAt, text: rows[at]?.text ?? "" };
    await tx.insert(sessionMessages).values(copy);
    await insertParts(tx, id, parts.map((part) => closedPart(part, unfinished)));
  }
  const [row] = await tx.update(sessions).set({ lastSeq: messages.at(-1)?.seq ?? 0 })
    .where(eq(sessions.id, session.id)).returning();
  return row === undefined ? made : { session: toSession(row), duplicate: false };
}

const SEARCH = `
  select s.id as "sessionId", m.id as "messageId", m.seq, m.text
  from (
    select id, last_activity_at from sessions s where org_id = $1 and (title ilike $2 or exists (
      select 1 from session_messages m where m.session_id = s.id and m.text ilike $2))
    order by last_activity_at desc, id desc limit $3
  ) s left join lateral (
    select id, seq, text from session_messages where session_id = s.id and text ilike $2 order by seq desc limit $4
  ) m on true
  order by s.last_activity_at desc, s.id desc, m.seq desc`;

interface Found {
  readonly sessionId: string;
  readonly messageId: string | null;
  readonly seq: number | null;
  readonly text: string | null;
}

/** By going through an organization's messages: no index serves this, and none taxes what is said. */
async function search(
  db: Database,
  { orgId, text, limit, perSession }: Params<"search">,
): Promise<readonly SearchHit[]> {
  const like = `%${lines(text).replace(/[\\%_]/g, "\\$&")}%`;
  const values = [column(orgId), like, limit, perSession];
  const ask = (on: Queryable) => on.query<Found>(SEARCH, values);
  const rows = db.kind === "embedded" ? await ask(db) : await db.transaction(async (tx) => {
    await tx.query(`set local statement_timeout = ${SEARCH_TIMEOUT_MS}`);
    return await ask(tx);
  });
  const ids = [...new Set(rows.map(({ sessionId }) => sessionId))];
  if (ids.length === 0) return [];
  const known = await db.orm.select().from(sessions).where(inArray(sessions.id, ids));
  return ids.flatMap((id) => {
    const row = known.find((one) => one.id === id);
    if (row === undefined) return [];
    const matches = rows.flatMap(({ sessionId, messageId, seq, text: hay }) =>
      sessionId === id && messageId !== null && seq !== null && hay !== null
        ? [{ messageId, seq, excerpt: excerptOf(hay, text) }]
        : []
    );
    return [{ session: toSession(row), matches }];
  });
}
