import { Type } from "@alkdev/typebox";
import type { Flow } from "../../flow/mod.ts";
import { paginate } from "../paginate.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { IdParams, Name, PageQuery, SearchText } from "../schemas/parameters.ts";

const strict = { additionalProperties: false } as const;
const time = Type.Integer({ description: "Ms since the epoch" });
const KeyParams = Type.Object({ key: Name });
const Kind = Type.Union([Type.Literal("workflow"), Type.Literal("operation"), Type.Literal("spoke")]);
const Count = Type.Integer({ minimum: 0, maximum: 1_000_000 });
const Rate = Type.Object({
  limit: Count,
  perMs: Type.Integer({ minimum: 1, maximum: 366 * 86_400_000, description: "At most `limit` in any span of it" }),
}, strict);
const allowed = { concurrency: nullable(Type.Integer()), rate: nullable(Rate) };

const LimitSchema = Type.Object({
  key: Type.String(),
  ...allowed,
  updatedBy: Type.String(),
  updatedAt: time,
}, { $id: "FlowLimit" });
const HoldSchema = Type.Object({
  id: Type.String(),
  kind: Kind,
  name: Type.String(),
  reason: nullable(Type.String()),
  createdBy: Type.String(),
  createdAt: time,
}, { $id: "Hold" });
const keyFields = { key: Type.String(), running: Type.Integer(), waiting: Type.Integer(), ...allowed };
const KeySchema = Type.Object(keyFields, { $id: "FlowKey" });
const TicketSchema = Type.Object({
  holder: Type.String({ description: "Id of a run, or request id of a call" }),
  runId: Type.String(),
  nodeKey: nullable(Type.String()),
  state: Type.Union([Type.Literal("held"), Type.Literal("waiting")]),
  priority: Type.Number(),
  since: time,
  position: nullable(Type.Integer({ description: "1 is next; null when it holds the key" })),
  notBefore: nullable(time),
}, { $id: "FlowTicket" });
const KeyViewSchema = Type.Object({ ...keyFields, tickets: Type.Array(TicketSchema) }, { $id: "FlowKeyView" });

/** `/api/flow`, `/api/limits`, `/api/holds`. */
export function flowRoutes(flow: Flow): readonly Route[] {
  return [...keyRoutes(flow), ...limitRoutes(flow), ...holdRoutes(flow)];
}

function keyRoutes(flow: Flow): readonly Route[] {
  return [
    defineRoute({
      tag: "flow",
      method: "GET",
      path: "/api/flow",
      name: "listFlowKeys",
      summary: "Keys with what runs and what waits",
      scope: "flow:read",
      query: PageQuery,
      responses: { 200: { description: "A page of keys", schema: pageOf(KeySchema) } },
      handle: async ({ caller, query }) => ok(paginate(await flow.keys(caller), ({ key }) => key, query)),
    }),
    defineRoute({
      tag: "flow",
      method: "GET",
      path: "/api/flow/:key",
      name: "getFlowKey",
      summary: "Who holds a key and who waits for it, in order",
      scope: "flow:read",
      params: KeyParams,
      responses: { 200: { description: "The key", schema: KeyViewSchema } },
      async handle({ caller, params }) {
        const { tickets, ...view } = await flow.key({ caller, key: params.key });
        return ok({
          ...view,
          tickets: tickets.map(({ orgId: _orgId, key: _key, concurrency: _c, rate: _rate, ...ticket }) => ticket),
        });
      },
    }),
  ];
}

function limitRoutes(flow: Flow): readonly Route[] {
  return [
    defineRoute({
      tag: "flow",
      method: "GET",
      path: "/api/limits",
      name: "listLimits",
      summary: "Limits by key",
      scope: "flow:read",
      query: PageQuery,
      responses: { 200: { description: "A page of limits", schema: pageOf(LimitSchema) } },
      async handle({ caller, query }) {
        return ok(paginate((await flow.limits(caller)).map(withoutOrg), ({ key }) => key, query));
      },
    }),
    defineRoute({
      tag: "flow",
      method: "PUT",
      path: "/api/limits/:key",
      name: "setLimit",
      summary: "Limit a concurrencyKey, `operation:<id>` or `workflow:<name>`",
      scope: "flow:write",
      params: KeyParams,
      body: Type.Object({ concurrency: Type.Optional(Count), rate: Type.Optional(Rate) }, strict),
      responses: { 200: { description: "The limit", schema: LimitSchema } },
      async handle({ caller, params, body }) {
        return ok(withoutOrg(await flow.setLimit({ caller, key: params.key, ...body })));
      },
    }),
    defineRoute({
      tag: "flow",
      method: "DELETE",
      path: "/api/limits/:key",
      name: "removeLimit",
      summary: "Take a limit away",
      scope: "flow:write",
      params: KeyParams,
      responses: { 204: { description: "It is gone" } },
      async handle({ caller, params }) {
        await flow.removeLimit({ caller, key: params.key });
        return reply(204, undefined);
      },
    }),
  ];
}

function holdRoutes(flow: Flow): readonly Route[] {
  return [
    defineRoute({
      tag: "flow",
      method: "GET",
      path: "/api/holds",
      name: "listHolds",
      summary: "Workflows, operations and spokes that are held",
      scope: "flow:read",
      query: PageQuery,
      responses: { 200: { description: "A page of holds", schema: pageOf(HoldSchema) } },
      async handle({ caller, query }) {
        return ok(paginate((await flow.holds(caller)).map(withoutOrg), ({ id }) => id, query));
      },
    }),
    defineRoute({
      tag: "flow",
      method: "POST",
      path: "/api/holds",
      name: "addHold",
      summary: "Start nothing of a workflow or operation, or on a spoke; what is under way goes on",
      scope: "flow:write",
      body: Type.Object({ kind: Kind, name: Name, reason: Type.Optional(SearchText) }, strict),
      responses: { 201: { description: "The hold; the one there is if it was held already", schema: HoldSchema } },
      handle: async ({ caller, body }) => reply(201, withoutOrg(await flow.addHold({ caller, ...body }))),
    }),
    defineRoute({
      tag: "flow",
      method: "DELETE",
      path: "/api/holds/:id",
      name: "removeHold",
      summary: "Let it go on",
      scope: "flow:write",
      params: IdParams,
      responses: { 204: { description: "It is gone" } },
      async handle({ caller, params }) {
        await flow.removeHold({ caller, id: params.id });
        return reply(204, undefined);
      },
    }),
  ];
}

function withoutOrg<T extends { readonly orgId: string }>({ orgId: _orgId, ...rest }: T): Omit<T, "orgId"> {
  return rest;
}
