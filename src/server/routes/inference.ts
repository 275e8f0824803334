import { type TObject, Type } from "@alkdev/typebox";
import { type Asker, type InferencePolicy, InferencePolicySchema, type ProxyAnswer } from "../../inference/mod.ts";
import { modelNotFound } from "../../inference/mod.ts";
import type { Principal } from "../../auth/mod.ts";
import type { Caller } from "../../runs/mod.ts";
import { openAiErrorResponse, OpenAiErrorSchema } from "../openai_error.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route, type RouteRequest } from "../route.ts";

type Endpoint = "chat" | "responses" | "embeddings";
type Body = Readonly<Record<string, unknown>>;

/** Calls of models, as the edge sees them. */
export interface InferencePort {
  call(params: {
    readonly asker: Asker;
    readonly endpoint: Endpoint;
    readonly body: Body;
    readonly signal: AbortSignal;
    readonly traceparent?: string;
  }): Promise<{ readonly runId: string; readonly answer: ProxyAnswer }>;
  models(caller: Caller): Promise<readonly { readonly id: string; readonly ownedBy: string }[]>;
  /** Passes a request about a kept response on to the provider that keeps it. @throws {CallError} when nobody does */
  stored(params: {
    readonly orgId: string;
    readonly id: string;
    readonly method: "GET" | "POST" | "DELETE";
    /** What follows the id: `""`, `"/cancel"`, `"/input_items"`, with its query. */
    readonly rest: string;
    readonly signal: AbortSignal;
  }): Promise<Response>;
  policy(orgId: string): Promise<{ readonly policy: InferencePolicy; readonly revision: number }>;
  setPolicy(
    orgId: string,
    policy: InferencePolicy,
  ): Promise<{ readonly policy: InferencePolicy; readonly revision: number }>;
}

const head = {
  tag: "inference",
  onError: openAiErrorResponse,
  error: { description: "An error in OpenAI's form", contentType: "application/json", schema: OpenAiErrorSchema },
} as const;
/** Pictures and sounds come inline. */
const limits = { bodyBytes: 32 * 1024 * 1024, jsonDepth: 128 } as const;
const Anything = Type.Record(Type.String(), Type.Unknown());
const AnyModel = Type.Object({ model: Type.Optional(Type.Unknown()) }, {
  additionalProperties: true,
  description: "As OpenAI's API has it. Fields that the hub does not know pass through untouched",
});
const OpenAiModel = Type.Object({
  id: Type.String(),
  object: Type.Literal("model"),
  created: Type.Integer(),
  owned_by: Type.String({ description: "The provider's name in this organization" }),
});
const PolicyView = Type.Object({ policy: InferencePolicySchema, revision: Type.Integer() });
const ModelParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 400 }) });
const ResponseParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 256, pattern: "^[A-Za-z0-9_.-]+$" }) });
const headers = [
  { name: "x-hub-session", description: "Whose budget of kind session is charged too" },
  { name: "x-hub-run", description: "Run whose budgets are charged too, with those above it" },
] as const;

/** `/v1/…`, as OpenAI has it, and `/api/inference/policy`. */
export function inferenceRoutes(inference: InferencePort): readonly Route[] {
  return [
    callRoute(inference, "chat", "/v1/chat/completions", "createChatCompletion", "Have a chat completed"),
    callRoute(inference, "responses", "/v1/responses", "createResponse", "Have a response made"),
    callRoute(inference, "embeddings", "/v1/embeddings", "createEmbedding", "Have texts turned into vectors"),
    ...modelRoutes(inference),
    ...storedRoutes(inference),
    ...policyRoutes(inference),
  ];
}

function callRoute(inference: InferencePort, endpoint: Endpoint, path: string, name: string, summary: string): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path,
    name,
    summary: `${summary}, by whichever provider has the model; with OpenAI's bodies, streams and errors`,
    scope: "inference:call",
    limits,
    anyQuery: true,
    headers,
    body: AnyModel,
    responses: {
      200: { description: "As OpenAI's API has it; an event stream with `stream: true`", schema: Anything },
    },
    async handle({ principal, body, request, headers: given }) {
      const traceparent = given.get("traceparent");
      const { runId, answer } = await inference.call({
        asker: askerOf(principal, given),
        endpoint,
        body,
        signal: request.signal,
        ...(traceparent !== null && { traceparent }),
      });
      return responseOf(runId, answer);
    },
  });
}

function responseOf(runId: string, { status, contentType, body, provider, isCached }: ProxyAnswer): Response {
  return new Response(body, {
    status,
    headers: {
      "content-type": contentType,
      "cache-control": "no-store",
      "x-request-id": runId,
      "x-hub-run-id": runId,
      "x-hub-provider": provider,
      "x-hub-cache": isCached ? "hit" : "miss",
      ...(typeof body !== "string" && { "x-accel-buffering": "no" }),
    },
  });
}

function askerOf(principal: Principal, headers: Headers): Asker {
  const { identity, orgId, keyId } = principal;
  return {
    caller: { identity, orgId },
    keyId,
    sessionId: headers.get("x-hub-session")?.slice(0, 256) ?? null,
    runId: headers.get("x-hub-run")?.slice(0, 64) ?? null,
  };
}

function modelRoutes(inference: InferencePort): readonly Route[] {
  const view = ({ id, ownedBy }: { readonly id: string; readonly ownedBy: string }) => ({
    id,
    object: "model" as const,
    created: 0,
    owned_by: ownedBy,
  });
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/v1/models",
      name: "listModels",
      summary: "The models that the key may call, by alias or id",
      scope: "inference:call",
      anyQuery: true,
      responses: {
        200: {
          description: "All of them",
          schema: Type.Object({ object: Type.Literal("list"), data: Type.Array(OpenAiModel) }),
        },
      },
      async handle({ caller }) {
        return ok({ object: "list", data: (await inference.models(caller)).map(view) });
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/v1/models/:id{.+}",
      name: "getModel",
      summary: "One model",
      scope: "inference:call",
      params: ModelParams,
      responses: { 200: { description: "The model", schema: OpenAiModel } },
      async handle({ caller, params }) {
        const found = (await inference.models(caller)).find(({ id }) => id === params.id);
        if (found === undefined) throw modelNotFound(params.id);
        return ok(view(found));
      },
    }),
  ];
}

function storedRoutes(inference: InferencePort): readonly Route[] {
  const common = { ...head, scope: "inference:call", params: ResponseParams, anyQuery: true } as const;
  const responses = { 200: { description: "As OpenAI's API has it", schema: Anything } } as const;
  const pass = (method: "GET" | "POST" | "DELETE", rest: string) =>
  (
    { caller, params, request }: Pick<
      RouteRequest<"inference:call", { readonly id: string }, unknown, unknown>,
      "caller" | "params" | "request"
    >,
  ) =>
    inference.stored({
      orgId: caller.orgId,
      id: params.id,
      method,
      rest: `${rest}${new URL(request.url).search}`,
      signal: request.signal,
    });
  return [
    defineRoute({
      ...common,
      method: "GET",
      path: "/v1/responses/:id",
      name: "getResponse",
      summary: "A response that its provider keeps",
      responses,
      handle: pass("GET", ""),
    }),
    defineRoute({
      ...common,
      method: "GET",
      path: "/v1/responses/:id/input_items",
      name: "listResponseInput",
      summary: "What a response was made from",
      responses,
      handle: pass("GET", "/input_items"),
    }),
    defineRoute({
      ...common,
      method: "POST",
      path: "/v1/responses/:id/cancel",
      name: "cancelResponse",
      summary: "Cancel a response that is made in the background",
      responses,
      handle: pass("POST", "/cancel"),
    }),
    defineRoute({
      ...common,
      method: "DELETE",
      path: "/v1/responses/:id",
      name: "deleteResponse",
      summary: "Have its provider forget a response",
      responses,
      handle: pass("DELETE", ""),
    }),
  ];
}

function policyRoutes(inference: InferencePort): readonly Route[] {
  const common = { tag: "inference", path: "/api/inference/policy" } as const;
  const responses = { 200: { description: "The policy; its revision rises with each change", schema: PolicyView } };
  const schema: TObject = InferencePolicySchema;
  return [
    defineRoute({
      ...common,
      method: "GET",
      name: "getInferencePolicy",
      summary: "What holds for calls of models: routes, limits, cache, guards, what is stored",
      scope: "inference:read",
      responses,
      async handle({ caller }) {
        return ok(await inference.policy(caller.orgId));
      },
    }),
    defineRoute({
      ...common,
      method: "PUT",
      name: "setInferencePolicy",
      summary: "Set what holds for calls of models, in place of all that did; within a second on every hub",
      scope: "inference:write",
      body: schema,
      responses,
      async handle({ caller, body }) {
        return ok(await inference.setPolicy(caller.orgId, body as InferencePolicy)); // the schema is the type's
      },
    }),
  ];
}
