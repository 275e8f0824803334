import { Type } from "@alkdev/typebox";
import type { Caller } from "../../runs/mod.ts";
import {
  CreateSchema,
  type CreateSession,
  type Message,
  type Part,
  SaidPartSchema,
  type Sessions,
  type SessionStatus,
  sessionView,
  spokenText,
  turnView,
} from "../../sessions/mod.ts";
import { readWaitMs } from "../prefer.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { Cursor, IdParams, LAST_SEQ, Limit, Name, SearchText } from "../schemas/parameters.ts";
import { MessageSchema, PromptedSchema, SessionSchema, SessionStatusSchema, TurnSchema } from "../schemas/sessions.ts";

const head = { tag: "sessions" } as const;
const strict = { additionalProperties: false } as const;
/** Longest that a prompt waits for its turn. */
const MAX_WAIT_SECONDS = 120;
/** Pictures come inline. */
const limits = { bodyBytes: 24 * 1024 * 1024 } as const;
const idempotency = [{ name: "Idempotency-Key", description: "Asked again under it, it is done once" }] as const;
const Seq = Type.Integer({ minimum: 0, maximum: LAST_SEQ });

/** `/api/sessions`, but for the stream. */
export function sessionRoutes(sessions: Sessions): readonly Route[] {
  return [
    ...listRoutes(sessions),
    createRoute(sessions),
    ...readRoutes(sessions),
    promptRoute(sessions),
    ...actRoutes(sessions),
  ];
}

function listRoutes(sessions: Sessions): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/sessions",
      name: "listSessions",
      summary: "Agent sessions, last active first",
      scope: "session:read",
      query: Type.Object({
        status: Type.Optional(Type.Array(SessionStatusSchema, { maxItems: 5 })),
        parent: Type.Optional(Name),
        role: Type.Optional(Name),
        createdBy: Type.Optional(Name),
        label: Type.Optional(Type.Array(Name, { maxItems: 16, description: "`key=value`, or `key` for any value" })),
        limit: Limit,
        cursor: Cursor,
      }),
      responses: { 200: { description: "A page of sessions", schema: pageOf(SessionSchema) } },
      async handle({ caller, query: { parent, status, ...query } }) {
        const { items, nextCursor } = await sessions.list({
          ...query,
          caller,
          ...(status !== undefined && { status: status as SessionStatus[] }), // the schema is the type's
          ...(parent !== undefined && { parentId: parent }),
        });
        return ok({ items: items.map(sessionView), nextCursor });
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/sessions/search",
      name: "searchSessions",
      summary: "Sessions that hold a text, in their title or in what was said",
      scope: "session:read",
      query: Type.Object({
        q: SearchText,
        limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
      }),
      responses: {
        200: {
          description: "Last active first, with the newest places",
          schema: Type.Object({
            items: Type.Array(Type.Object({
              session: SessionSchema,
              matches: Type.Array(Type.Object({
                messageId: Type.String(),
                seq: Type.Integer(),
                excerpt: Type.String(),
              })),
            })),
          }),
        },
      },
      async handle({ caller, query: { q, limit } }) {
        const hits = q === "" ? [] : await sessions.search({ caller, text: q, limit });
        return ok({ items: hits.map(({ session, matches }) => ({ session: sessionView(session), matches })) });
      },
    }),
  ];
}

function createRoute(sessions: Sessions): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/sessions",
    name: "createSession",
    summary: "Make an agent session; with a prompt its first turn begins",
    scope: "session:write",
    headers: idempotency,
    body: CreateSchema,
    responses: {
      200: { description: "The session that was made under this Idempotency-Key before", schema: SessionSchema },
      201: { description: "The session", schema: SessionSchema },
    },
    async handle({ caller, body, headers }) {
      const idempotencyKey = headers.get("idempotency-key")?.slice(0, 255) ?? null;
      const { session, duplicate } = await sessions.create({
        ...body as Omit<CreateSession, "caller">, // the schema is the type's
        caller,
        ...(idempotencyKey !== null && { idempotencyKey }),
      });
      return reply(duplicate ? 200 : 201, sessionView(session), { location: `/api/sessions/${session.id}` });
    },
  });
}

function readRoutes(sessions: Sessions): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/sessions/:id",
      name: "getSession",
      summary: "A session, with what it has used",
      scope: "session:read",
      params: IdParams,
      responses: { 200: { description: "The session", schema: SessionSchema } },
      handle: async ({ caller, params: { id } }) => ok(sessionView(await sessions.get({ caller, sessionId: id }))),
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/sessions/:id/messages",
      name: "listSessionMessages",
      summary: "What was said, in order",
      scope: "session:read",
      params: IdParams,
      query: Type.Object({
        after: Type.Optional(Type.Integer({ ...Seq, description: "Seq of the last message of the page before" })),
        newest: Type.Optional(Type.Boolean({ description: "The last `limit` messages instead of the first" })),
        limit: Limit,
      }),
      responses: {
        200: { description: "Messages by seq", schema: Type.Object({ items: Type.Array(MessageSchema) }) },
      },
      async handle({ caller, params: { id }, query: { after = 0, newest = false, limit } }) {
        return ok({ items: await sessions.messages({ caller, sessionId: id, after, newest, limit }) });
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/sessions/:id/turns",
      name: "listSessionTurns",
      summary: "The turns of a session with their runs, newest first",
      scope: "session:read",
      params: IdParams,
      query: Type.Object({ limit: Limit }),
      responses: { 200: { description: "Turns", schema: Type.Object({ items: Type.Array(TurnSchema) }) } },
      async handle({ caller, params: { id }, query: { limit } }) {
        return ok({ items: (await sessions.turns({ caller, sessionId: id, limit })).map(turnView) });
      },
    }),
  ];
}

function promptRoute(sessions: Sessions): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/sessions/:id/messages",
    name: "promptSession",
    summary: "Say something: a turn under way sees it at its next step, else a turn begins",
    scope: "session:write",
    params: IdParams,
    limits,
    headers: [...idempotency, { name: "Prefer", description: "`wait=<seconds>`: until the turn has ended" }],
    body: Type.Object({
      text: Type.Optional(Type.String()),
      parts: Type.Optional(Type.Array(SaidPartSchema)),
    }, strict),
    responses: {
      200: { description: "The turn has ended within the wait", schema: PromptedSchema },
      202: { description: "It was said", schema: PromptedSchema },
    },
    async handle({ caller, params: { id }, body: { text, parts }, headers, request }) {
      const idempotencyKey = headers.get("idempotency-key")?.slice(0, 255) ?? null;
      const { message, ...prompted } = await sessions.prompt({
        caller,
        sessionId: id,
        ...(text !== undefined && { text }),
        ...(parts !== undefined && { parts: parts as Part[] }), // the schema is the type's
        ...(idempotencyKey !== null && { idempotencyKey }),
      });
      const ms = readWaitMs(headers, MAX_WAIT_SECONDS);
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(ms)]);
      const turn = ms === 0 ? null : await sessions.ended({ caller, turnId: prompted.turnId, signal });
      const said = turn === null ? null : await lastSaid(sessions, { caller, sessionId: id, message });
      const shown = turn === null ? null : turnView(turn);
      return reply(turn === null ? 202 : 200, { message, ...prompted, turn: shown, text: said });
    },
  });
}

async function lastSaid(
  sessions: Sessions,
  { message, ...asked }: { readonly caller: Caller; readonly sessionId: string; readonly message: Message },
): Promise<string | null> {
  const after = await sessions.messages({ ...asked, after: message.seq, limit: 1_000 });
  const last = after.findLast(({ role, turnId }) => role === "assistant" && turnId === message.turnId);
  return last === undefined ? null : spokenText(last);
}

function actRoutes(sessions: Sessions): readonly Route[] {
  const common = { ...head, method: "POST", scope: "session:write", params: IdParams } as const;
  const session = { 200: { description: "The session", schema: SessionSchema } } as const;
  return [
    defineRoute({
      ...common,
      path: "/api/sessions/:id/stop",
      name: "stopSession",
      summary: "End the turn under way, with all that it has started",
      body: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })) }, strict),
      bodyDefault: {},
      responses: session,
      async handle({ caller, params: { id }, body }) {
        return ok(sessionView(await sessions.stop({ caller, sessionId: id, ...body })));
      },
    }),
    defineRoute({
      ...common,
      path: "/api/sessions/:id/fork",
      name: "forkSession",
      summary: "A new session with what was said up to a message",
      headers: idempotency,
      body: Type.Object({
        messageId: Type.Optional(Name),
        title: Type.Optional(Type.String({ maxLength: 200 })),
      }, strict),
      bodyDefault: {},
      responses: { 201: { description: "The new session", schema: SessionSchema } },
      async handle({ caller, params: { id }, body, headers }) {
        const idempotencyKey = headers.get("idempotency-key")?.slice(0, 255) ?? null;
        const made = await sessions.fork({
          ...body,
          caller,
          sessionId: id,
          ...(idempotencyKey !== null && { idempotencyKey }),
        });
        return reply(201, sessionView(made.session), { location: `/api/sessions/${made.session.id}` });
      },
    }),
    defineRoute({
      ...common,
      path: "/api/sessions/:id/compact",
      name: "compactSession",
      summary: "Have the model sum up what was said, and go on from the summary; what was said stays",
      body: Type.Object({}, strict),
      bodyDefault: {},
      responses: { 200: { description: "The summary, as a message", schema: MessageSchema } },
      handle: async ({ caller, params: { id } }) => ok(await sessions.compact({ caller, sessionId: id })),
    }),
    defineRoute({
      ...common,
      path: "/api/sessions/:id/title",
      name: "retitleSession",
      summary: "Name a session; without a title the model finds one",
      body: Type.Object({ title: Type.Optional(nullable(Type.String({ maxLength: 200 }))) }, strict),
      bodyDefault: {},
      responses: session,
      async handle({ caller, params: { id }, body: { title = null } }) {
        const named = await sessions.retitle({ caller, sessionId: id, ...(title !== null && { title }) });
        return ok(sessionView(named));
      },
    }),
  ];
}
