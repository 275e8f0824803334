import { type OperationContext, type OperationRegistration, OperationType } from "@alkdev/operations";
import { type Static, type TObject, type TSchema, Type } from "@alkdev/typebox";
import type { CallPlace, CallPlaces } from "./ports.ts";
import { CreateSchema, SaidPartSchema } from "./schemas.ts";
import { SESSION_LABEL, type Sessions } from "./sessions.ts";
import type { CreateSession, PromptSession } from "./session_requests.ts";
import { sessionView, spokenText } from "./session_view.ts";
import { stepOperations } from "./step_operations.ts";

const strict = { additionalProperties: false } as const;
const Id = Type.String({ minLength: 1, maxLength: 64, description: "Id of a session" });
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 }));
const Any = Type.Unknown();
/** Longest that a prompt waits for the end of its turn. */
const MAX_WAIT_MS = 600_000;

export interface SessionOperationsOptions {
  readonly sessions: Sessions;
  readonly places: CallPlaces;
}

/** `session.*`: what can be done with sessions, for templates, spokes, MCP clients, and sessions themselves. */
export function sessionOperations(options: SessionOperationsOptions): readonly OperationRegistration[] {
  return [...stepOperations(options), ...acts(options), ...reads(options)];
}

type Handle<S extends TObject> = (input: Static<S>, place: CallPlace, context: OperationContext) => Promise<unknown>;

function operation<S extends TObject>(
  { places }: SessionOperationsOptions,
  spec: {
    readonly name: string;
    readonly description: string;
    readonly writes: boolean;
    readonly input: S;
    readonly output?: TSchema;
  },
  handle: Handle<S>,
): OperationRegistration {
  return {
    namespace: "session",
    name: spec.name,
    version: "1.0.0",
    type: spec.writes ? OperationType.MUTATION : OperationType.QUERY,
    description: spec.description,
    tags: ["session"],
    inputSchema: spec.input,
    outputSchema: spec.output ?? Any,
    accessControl: { requiredScopes: [spec.writes ? "session:write" : "session:read"] },
    handler: async (input, context) => await handle(input as Static<S>, await places.place(context), context), // the registry has checked it
  };
}

function acts(options: SessionOperationsOptions): readonly OperationRegistration[] {
  const { sessions } = options;
  return [
    operation(options, {
      name: "create",
      description: "Makes an agent session; with a prompt its first turn begins at once, below the calling run",
      writes: true,
      input: CreateSchema,
    }, async (input, { caller, at, labels }, context) => {
      const parentSessionId = labels[SESSION_LABEL];
      const asked = input as Omit<CreateSession, "caller">; // the schema is the type's
      const { session } = await sessions.create({
        ...(parentSessionId !== undefined && { parentSessionId }),
        ...asked,
        caller,
        ...(at !== null && { parent: at, idempotencyKey: `call:${context.requestId}` }),
      });
      return sessionView(session);
    }),
    operation(options, {
      name: "prompt",
      description: "Says something in a session: a turn under way sees it at its next step, else a turn begins",
      writes: true,
      input: Type.Object({
        sessionId: Id,
        text: Type.Optional(Type.String()),
        parts: Type.Optional(Type.Array(SaidPartSchema)),
        waitMs: Type.Optional(
          Type.Integer({ minimum: 0, maximum: MAX_WAIT_MS, description: "How long to wait for the turn's end" }),
        ),
      }, strict),
    }, async ({ waitMs = 0, ...asked }, { caller, at }, context) => {
      const request = asked as Omit<PromptSession, "caller">; // the schema is the type's
      const { message, turnId, runId, steered } = await sessions.prompt({
        ...request,
        caller,
        ...(at !== null && { idempotencyKey: `call:${context.requestId}` }),
      });
      const prompted = { messageId: message.id, seq: message.seq, turnId, runId, steered };
      if (waitMs === 0) return prompted;
      const signals = [AbortSignal.timeout(waitMs), context.signal].filter((one) => one !== undefined);
      const turn = await sessions.ended({ caller, turnId, signal: AbortSignal.any(signals) });
      if (turn === null) return { ...prompted, status: "open", text: null };
      const said = await sessions.messages({ caller, sessionId: turn.sessionId, after: message.seq, limit: 1_000 });
      const last = said.findLast(({ role }) => role === "assistant");
      return {
        ...prompted,
        status: turn.status,
        error: turn.error,
        text: last === undefined ? null : spokenText(last),
      };
    }),
    operation(
      options,
      {
        name: "stop",
        description: "Ends the turn of a session that is under way, with all that it has started",
        writes: true,
        input: Type.Object({ sessionId: Id, reason: Type.Optional(Type.String({ maxLength: 500 })) }, strict),
      },
      async ({ sessionId, reason }, { caller }) =>
        sessionView(await sessions.stop({ caller, sessionId, ...(reason !== undefined && { reason }) })),
    ),
    operation(options, {
      name: "fork",
      description: "Makes a new session with what was said in another up to a message",
      writes: true,
      input: Type.Object({
        sessionId: Id,
        messageId: Type.Optional(Type.String({ maxLength: 64 })),
        title: Type.Optional(Type.String({ maxLength: 200 })),
      }, strict),
    }, async ({ sessionId, messageId, title }, { caller, at }, context) => {
      const { session } = await sessions.fork({
        caller,
        sessionId,
        ...(messageId !== undefined && { messageId }),
        ...(title !== undefined && { title }),
        ...(at !== null && { idempotencyKey: `call:${context.requestId}` }),
      });
      return sessionView(session);
    }),
    operation(options, {
      name: "compact",
      description: "Has the model sum up what was said, and go on from the summary",
      writes: true,
      input: Type.Object({ sessionId: Id }, strict),
    }, ({ sessionId }, { caller }) => sessions.compact({ caller, sessionId })),
  ];
}

function reads(options: SessionOperationsOptions): readonly OperationRegistration[] {
  const { sessions } = options;
  return [
    operation(options, {
      name: "get",
      description: "Gives a session with what it has used",
      writes: false,
      input: Type.Object({ sessionId: Id }, strict),
    }, async ({ sessionId }, { caller }) => sessionView(await sessions.get({ caller, sessionId }))),
    operation(options, {
      name: "list",
      description: "Lists sessions, last active first",
      writes: false,
      input: Type.Object({
        parentId: Type.Optional(Id),
        limit: Limit,
        cursor: Type.Optional(Type.String({ maxLength: 512 })),
      }, strict),
    }, async ({ limit = 50, parentId, cursor }, { caller }) => {
      const { items, nextCursor } = await sessions.list({
        caller,
        limit,
        ...(parentId !== undefined && { parentId }),
        ...(cursor !== undefined && { cursor }),
      });
      return { items: items.map(sessionView), nextCursor };
    }),
    operation(options, {
      name: "messages",
      description: "Gives what was said in a session, in order",
      writes: false,
      input: Type.Object({ sessionId: Id, after: Type.Optional(Type.Integer({ minimum: 0 })), limit: Limit }, strict),
    }, async ({ sessionId, after = 0, limit = 50 }, { caller }) => ({
      items: await sessions.messages({ caller, sessionId, after, limit }),
    })),
    operation(options, {
      name: "search",
      description: "Finds sessions by a text in their titles and messages",
      writes: false,
      input: Type.Object({ query: Type.String({ minLength: 1, maxLength: 200 }), limit: Limit }, strict),
    }, async ({ query, limit = 50 }, { caller }) => {
      const hits = await sessions.search({ caller, text: query, limit });
      return { items: hits.map(({ session, matches }) => ({ session: sessionView(session), matches })) };
    }),
  ];
}
