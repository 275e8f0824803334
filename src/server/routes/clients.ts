import { type TObject, Type } from "@alkdev/typebox";
import { ClientInputSchema, type Clients } from "../../clients/mod.ts";
import { paginate } from "../paginate.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { Name, NameParams, PageQuery } from "../schemas/parameters.ts";

const head = { tag: "clients" } as const;
const strict = { additionalProperties: false } as const;
const instant = Type.Integer({ description: "Ms since the epoch" });
const ErrorSchema = Type.Object({ code: Type.String(), message: Type.String() });

const ClientSchema: TObject = Type.Object({
  name: Type.String({ description: "The namespace of its operations" }),
  type: Type.String({ description: "mcp, openapi or llm-provider" }),
  config: JsonSchema,
  hasSecret: Type.Boolean(),
  secrets: Type.Array(Type.Object({ name: Type.String(), last4: nullable(Type.String()), updatedAt: instant })),
  status: Type.String({ description: "connecting, up, down or stored, on the hub that answers" }),
  circuit: nullable(Type.String({ description: "closed, open or half-open" })),
  error: nullable(ErrorSchema),
  retryAt: nullable(instant),
  operations: Type.Integer(),
  inFlight: Type.Integer(),
  revision: Type.Integer(),
  createdAt: instant,
  updatedAt: instant,
});
const one = { description: "The client", schema: ClientSchema } as const;
const nothing = { body: Type.Object({}, strict), bodyDefault: {} } as const;

/** A client may bring an OpenAPI document along, and these are long and deep. */
const DOCUMENT_LIMITS = { bodyBytes: 20 * 1024 * 1024, jsonDepth: 256 } as const;

// Described in full and checked by the use case, whose messages do not quote what may be a secret.
const ClientBody = Type.Unknown({
  anyOf: ClientInputSchema.anyOf,
  description: "A client. A secret that is null or absent stays as it is",
});
const Secrets = Type.Object({
  secrets: Type.Record(Type.String({ minLength: 1, maxLength: 256 }), Type.Unknown(), {
    minProperties: 1,
    maxProperties: 100,
    description: "New secrets by name, as the client lists them",
  }),
}, strict);

/** `/api/clients`. */
export function clientRoutes(clients: Clients): readonly Route[] {
  return [...collection(clients), ...single(clients), ...commands(clients)];
}

function collection(clients: Clients): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/clients",
      name: "listClients",
      summary: "MCP servers, OpenAPI services and LLM providers, by name, without their secrets",
      scope: "client:read",
      query: PageQuery,
      responses: { 200: { description: "A page of clients", schema: pageOf(ClientSchema) } },
      async handle({ caller, query }) {
        return ok(paginate(await clients.list({ caller }), ({ name }) => name, query));
      },
    }),
  ];
}

function single(clients: Clients): readonly Route[] {
  const path = "/api/clients/:name";
  return [
    defineRoute({
      ...head,
      method: "GET",
      path,
      name: "getClient",
      summary: "A client and how it is doing",
      scope: "client:read",
      params: NameParams,
      responses: { 200: one },
      async handle({ caller, params }) {
        return ok(await clients.get({ caller, name: params.name }));
      },
    }),
    defineRoute({
      ...head,
      method: "PUT",
      path,
      name: "putClient",
      summary: "Add or change a client; its tools are operations at once",
      scope: "client:write",
      params: NameParams,
      body: ClientBody,
      limits: DOCUMENT_LIMITS,
      responses: { 200: one, 201: one },
      async handle({ caller, params, body }) {
        const { client, isNew } = await clients.put({ caller, name: params.name, body });
        return reply(isNew ? 201 : 200, client);
      },
    }),
    defineRoute({
      ...head,
      method: "DELETE",
      path,
      name: "removeClient",
      summary: "Remove a client: new calls are refused, calls under way end",
      scope: "client:write",
      params: NameParams,
      responses: { 204: { description: "It is gone" } },
      async handle({ caller, params }) {
        await clients.remove({ caller, name: params.name });
        return { status: 204, body: undefined };
      },
    }),
  ];
}

function commands(clients: Clients): readonly Route[] {
  const path = "/api/clients/:name";
  return [
    defineRoute({
      ...head,
      ...nothing,
      method: "POST",
      path: `${path}/test`,
      name: "testClient",
      summary: "Try to reach a client, now",
      scope: "client:write",
      params: NameParams,
      responses: {
        200: {
          description: "What came of it",
          schema: Type.Object({
            ok: Type.Boolean(),
            ms: Type.Integer(),
            offers: nullable(Type.Integer({ description: "Operations, or models" })),
            error: nullable(ErrorSchema),
          }),
        },
      },
      async handle({ caller, params }) {
        return ok(await clients.test({ caller, name: params.name }));
      },
    }),
    defineRoute({
      ...head,
      ...nothing,
      method: "POST",
      path: `${path}/refresh`,
      name: "refreshClient",
      summary: "Ask a client again what it offers",
      scope: "client:write",
      params: NameParams,
      responses: { 200: one },
      async handle({ caller, params }) {
        return ok(await clients.refresh({ caller, name: params.name }));
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: `${path}/rotate`,
      name: "rotateClientSecrets",
      summary: "Put new secrets in the place of old ones",
      scope: "client:write",
      params: Type.Object({ name: Name }),
      body: Secrets,
      responses: { 200: one },
      async handle({ caller, params, body }) {
        return ok(await clients.rotate({ caller, name: params.name, secrets: body.secrets }));
      },
    }),
  ];
}
