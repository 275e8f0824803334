import { Type } from "@alkdev/typebox";
import {
  type ChatRequest,
  ChatRequestSchema,
  type ChatStream,
  type UiChunk,
  type UiMessage,
} from "../../sessions/ui/mod.ts";
import type { Caller } from "../../runs/mod.ts";
import type { ServerDeps } from "../ports.ts";
import { toProblem } from "../problem.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { IdParams } from "../schemas/parameters.ts";
import { sseFrame } from "../sse_frame.ts";
import { sseResponse } from "../sse_response.ts";
import { HEARTBEAT_MS } from "./run_events.ts";

/** Sessions as a chat page uses them. */
export interface SessionChatPort {
  send(
    params: {
      readonly caller: Caller;
      readonly sessionId: string;
      readonly request: ChatRequest;
      readonly stays: boolean;
    },
  ): Promise<ChatStream>;
  resume(
    params: { readonly caller: Caller; readonly sessionId: string; readonly stays: boolean },
  ): Promise<ChatStream | null>;
  history(params: { readonly caller: Caller; readonly sessionId: string }): Promise<readonly UiMessage[]>;
}

type StreamDeps = Pick<ServerDeps, "log" | "closing" | "onStream">;

/** Which protocol it is; AI SDK's own routes say it by this header. */
const UI_STREAM = { "x-vercel-ai-ui-message-stream": "v1" } as const;
/** A page sends all of its messages, pictures inline. */
const limits = { bodyBytes: 32 * 1024 * 1024, jsonDepth: 128 } as const;
const head = { tag: "sessions", path: "/api/sessions/:id/stream" } as const;
const query = Type.Object({
  stay: Type.Optional(Type.Boolean({
    description: "Whether the stream goes on while a person is asked. Default: it ends there, as `useChat` expects",
  })),
});
const Chunk = Type.Object({ type: Type.String() }, {
  additionalProperties: true,
  description: "A chunk of AI SDK's UI message stream; after the last one comes `[DONE]`",
});
const stream = { description: "The turn's chunks", contentType: "text/event-stream", schema: Chunk };
const UiMessageSchema = Type.Object({
  id: Type.String({ description: "Of a message of a user, or of an assistant's turn" }),
  role: Type.Union([Type.Literal("system"), Type.Literal("user"), Type.Literal("assistant")]),
  parts: Type.Array(Type.Object({ type: Type.String() }, { additionalProperties: true })),
  metadata: Type.Optional(Type.Object({
    sessionId: Type.String(),
    turnId: Type.String(),
    runId: Type.Union([Type.String(), Type.Null()]),
    status: Type.String(),
    steps: Type.Integer(),
    usage: Type.Object({
      inputTokens: Type.Integer(),
      outputTokens: Type.Integer(),
      costMicros: Type.Integer(),
    }),
  })),
});

/** `/api/sessions/:id/stream` and `…/ui-messages`: what `useChat` of AI SDK speaks. */
export function sessionStreamRoutes(chat: SessionChatPort, deps: StreamDeps): readonly Route[] {
  return [sendRoute(chat, deps), resumeRoute(chat, deps), historyRoute(chat)];
}

function sendRoute(chat: SessionChatPort, deps: StreamDeps): Route {
  return defineRoute({
    ...head,
    method: "POST",
    name: "streamSessionTurn",
    summary: "Say something, answer what was asked or have it said again, as useChat sends it, and read the turn",
    scope: "session:write",
    limits,
    params: IdParams,
    query,
    body: ChatRequestSchema,
    responses: { 200: stream },
    async handle({ caller, params, query, body, requestId }) {
      // The schema is the type's.
      const request = body as ChatRequest;
      const sent = await chat.send({ caller, sessionId: params.id, request, stays: query.stay ?? false });
      return respond(sent, deps, requestId);
    },
  });
}

function resumeRoute(chat: SessionChatPort, deps: StreamDeps): Route {
  return defineRoute({
    ...head,
    method: "GET",
    name: "resumeSessionTurn",
    summary: "Read the turn that is under way, from its beginning",
    scope: "session:read",
    params: IdParams,
    query,
    responses: { 200: stream, 204: { description: "No turn is under way" } },
    async handle({ caller, params, query, requestId }) {
      const resumed = await chat.resume({ caller, sessionId: params.id, stays: query.stay ?? false });
      return resumed === null ? reply(204, undefined) : respond(resumed, deps, requestId);
    },
  });
}

function historyRoute(chat: SessionChatPort): Route {
  return defineRoute({
    tag: head.tag,
    method: "GET",
    path: "/api/sessions/:id/ui-messages",
    name: "listSessionUiMessages",
    summary: "The newest messages as UIMessages, oldest first: what useChat begins with",
    scope: "session:read",
    params: IdParams,
    responses: {
      200: { description: "A turn is one message", schema: Type.Object({ items: Type.Array(UiMessageSchema) }) },
    },
    async handle({ caller, params }) {
      return ok({ items: await chat.history({ caller, sessionId: params.id }) });
    },
  });
}

function respond({ chunks, stop }: ChatStream, { log, closing, onStream }: StreamDeps, requestId: string): Response {
  const response = sseResponse<readonly UiChunk[]>({
    items: chunks,
    frame: (items) => items.map(frameOf).join(""),
    onError: (error) => frameOf({ type: "error", errorText: toProblem(error, requestId, log).detail }) + DONE,
    end: DONE,
    stop,
    heartbeatMs: HEARTBEAT_MS,
    closing,
    onOpen: onStream,
  }, requestId);
  for (const [name, value] of Object.entries(UI_STREAM)) response.headers.set(name, value);
  return response;
}

const DONE = sseFrame({ data: "[DONE]" });

function frameOf(chunk: UiChunk): string {
  return sseFrame({ data: JSON.stringify(chunk) });
}
