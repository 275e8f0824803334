import { Type } from "@alkdev/typebox";
import type { KeyAdmin, KeyView } from "../../auth/mod.ts";
import { paginate } from "../paginate.ts";
import type { ServerDeps } from "../ports.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { IssuedKeySchema, KeySchema, LimitsSchema } from "../schemas/catalog.ts";
import { pageOf } from "../schemas/nullable.ts";
import { IdParams, instant, Name, PageQuery } from "../schemas/parameters.ts";

const head = { tag: "keys" } as const;
const strict = { additionalProperties: false } as const;

/** `/api/keys`. */
export function keyRoutes({ keys }: ServerDeps): readonly Route[] {
  return [listRoute(keys), createRoute(keys), rotateRoute(keys), ...revokeRoutes(keys)];
}

function listRoute(keys: KeyAdmin): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/keys",
    name: "listKeys",
    summary: "API keys of the organization, newest first, without the keys themselves",
    scope: "keys:read",
    query: PageQuery,
    responses: { 200: { description: "A page of keys", schema: pageOf(KeySchema) } },
    async handle({ principal, query }) {
      return ok(paginate(await keys.list({ principal }), newestFirst, query));
    },
  });
}

/** Sorts by falling time of creation, then by id. */
function newestFirst({ createdAt, id }: KeyView): string {
  return `${String(Number.MAX_SAFE_INTEGER - (createdAt ?? 0)).padStart(16, "0")}:${id}`;
}

function createRoute(keys: KeyAdmin): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/keys",
    name: "createKey",
    summary: "Make a key with no more scopes than one's own",
    scope: "keys:write",
    body: Type.Object({
      name: Name,
      scopes: Type.Array(Type.String({ pattern: "^[A-Za-z0-9_:.*-]{1,128}$" }), { maxItems: 64 }),
      ownerId: Type.Optional(Name),
      limits: Type.Optional(LimitsSchema),
      expiresAt: Type.Optional(instant()),
    }, strict),
    responses: { 201: { description: "The key: shown this once", schema: IssuedKeySchema } },
    async handle({ principal, body }) {
      return reply(201, await keys.create({ principal, key: body }));
    },
  });
}

function rotateRoute(keys: KeyAdmin): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/keys/:id/rotate",
    name: "rotateKey",
    summary: "Put a new key in the place of an old one, which stops to work at once, or after a grace period",
    scope: "keys:write",
    params: IdParams,
    body: Type.Object({
      graceSeconds: Type.Optional(Type.Integer({
        minimum: 0,
        maximum: 2_592_000,
        description: "Both keys work for as long; the old one is refused from then on. Default: 0",
      })),
    }, strict),
    bodyDefault: {},
    responses: { 201: { description: "The new key: shown this once", schema: IssuedKeySchema } },
    async handle({ principal, params, body }) {
      const graceMs = (body.graceSeconds ?? 0) * 1000;
      return reply(201, await keys.rotate({ principal, id: params.id, graceMs }));
    },
  });
}

/** The same act by two names: `DELETE` for REST clients, `POST …/revoke` beside `…/rotate`. */
function revokeRoutes(keys: KeyAdmin): readonly Route[] {
  const revoke = { ...head, summary: "Revoke a key", scope: "keys:write", params: IdParams } as const;
  const responses = { 200: { description: "The revoked key", schema: KeySchema } };
  return [
    defineRoute({
      ...revoke,
      method: "DELETE",
      path: "/api/keys/:id",
      name: "deleteKey",
      responses,
      async handle({ principal, params }) {
        return ok(await keys.revoke({ principal, id: params.id }));
      },
    }),
    defineRoute({
      ...revoke,
      method: "POST",
      path: "/api/keys/:id/revoke",
      name: "revokeKey",
      body: Type.Object({}, strict),
      bodyDefault: {},
      responses,
      async handle({ principal, params }) {
        return ok(await keys.revoke({ principal, id: params.id }));
      },
    }),
  ];
}
