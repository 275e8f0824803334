import { type TObject, type TUnion, type TUnsafe, Type } from "@alkdev/typebox";
import {
  type Deliveries,
  InboundSchema,
  OutboundSchema,
  type WebhookDefinition,
  type Webhooks,
} from "../../triggers/mod.ts";
import { paginate } from "../paginate.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { IdParams, Name, PageQuery } from "../schemas/parameters.ts";

const head = { tag: "webhooks" } as const;
const strict = { additionalProperties: false } as const;
const instant = Type.Integer({ description: "Ms since the epoch" });
const Secret = Type.Optional(Type.String({
  minLength: 16,
  maxLength: 256,
  pattern: "^[\\x21-\\x7e]+$",
  description: "One that the other side has made; default: a fresh one",
}));

const Definition: TUnsafe<WebhookDefinition> = Type.Unsafe<WebhookDefinition>(
  Type.Union([InboundSchema, OutboundSchema]),
);
type NewWebhook = WebhookDefinition & { readonly secret?: string };
const withSecret = (schema: TObject): TObject => Type.Object({ ...schema.properties, secret: Secret }, strict);
const NewWebhook: TUnsafe<NewWebhook> = Type.Unsafe<NewWebhook>(
  Type.Union([withSecret(InboundSchema), withSecret(OutboundSchema)]) satisfies TUnion,
);

const WebhookSchema: TObject = Type.Object({
  id: Type.String(),
  definition: JsonSchema,
  paused: Type.Boolean(),
  ownerId: Type.String(),
  path: nullable(Type.String({ description: "Where deliveries are taken" })),
  secrets: Type.Array(Type.Object({ createdAt: instant, expiresAt: nullable(instant) })),
  accepted: Type.Integer(),
  rejected: Type.Integer(),
  lastAcceptedAt: nullable(instant),
  lastRejectedAt: nullable(instant),
  lastError: nullable(Type.String()),
  lastErrorAt: nullable(instant),
  createdAt: instant,
  updatedAt: instant,
});
const IssuedSchema = Type.Object({ webhook: WebhookSchema, secret: Type.String() });
const ReceiptSchema = Type.Object({
  deliveryId: Type.String(),
  at: instant,
  outcome: Type.String(),
  runId: nullable(Type.String()),
  expiresAt: instant,
});

const one = { 200: { description: "The webhook", schema: WebhookSchema } } as const;
const issued = { description: "The webhook and its secret, which is shown this once", schema: IssuedSchema } as const;

const DeliverySchema = Type.Object({
  id: Type.String({ description: "The receiver knows it by this, as header webhook-id" }),
  webhookId: Type.String(),
  runId: Type.String(),
  seq: Type.Integer(),
  type: Type.String(),
  status: Type.String({ description: "pending, delivered or dead" }),
  attempts: Type.Integer(),
  nextAt: instant,
  giveUpAt: instant,
  lastStatus: nullable(Type.Integer()),
  lastAnswer: nullable(Type.String()),
  lastError: nullable(Type.String()),
  createdAt: instant,
  deliveredAt: nullable(instant),
});

/** `/api/webhooks`. */
export function webhookRoutes(webhooks: Webhooks, deliveries: Deliveries): readonly Route[] {
  return [...collection(webhooks), ...single(webhooks), ...commands(webhooks), ...deliveryRoutes(deliveries)];
}

function deliveryRoutes(deliveries: Deliveries): readonly Route[] {
  const path = "/api/webhooks/:id/deliveries";
  return [
    defineRoute({
      ...head,
      method: "GET",
      path,
      name: "listWebhookDeliveries",
      summary: "What an outbound webhook has sent, or is to send, newest first",
      scope: "webhook:read",
      params: IdParams,
      query: Type.Object({
        ...PageQuery.properties,
        status: Type.Optional(Type.Union([Type.Literal("pending"), Type.Literal("delivered"), Type.Literal("dead")])),
      }),
      responses: { 200: { description: "A page of deliveries", schema: pageOf(DeliverySchema) } },
      async handle({ caller, params, query }) {
        const { items, nextCursor } = await deliveries.list({ caller, webhookId: params.id, ...query });
        return ok({ items: items.map(withoutOrg), nextCursor });
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: `${path}/:delivery/redeliver`,
      name: "redeliverWebhook",
      summary: "Send a delivery again, whatever came of it",
      scope: "webhook:write",
      params: Type.Object({ id: Name, delivery: Name }),
      body: Type.Object({}, strict),
      bodyDefault: {},
      responses: { 202: { description: "The delivery", schema: DeliverySchema } },
      async handle({ caller, params }) {
        return reply(
          202,
          withoutOrg(await deliveries.redeliver({ caller, webhookId: params.id, id: params.delivery })),
        );
      },
    }),
  ];
}

function collection(webhooks: Webhooks): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/webhooks",
      name: "listWebhooks",
      summary: "Webhooks of both directions, by name, without their secrets",
      scope: "webhook:read",
      query: PageQuery,
      responses: { 200: { description: "A page of webhooks", schema: pageOf(WebhookSchema) } },
      async handle({ caller, query }) {
        return ok(paginate(await webhooks.list({ caller }), ({ definition }) => definition.name, query));
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/webhooks",
      name: "createWebhook",
      summary: "Take deliveries in, or send events out, with the rights of one's own key",
      scope: "webhook:write",
      body: NewWebhook,
      responses: { 201: issued },
      async handle({ principal, body: { secret, ...definition } }) {
        const made = await webhooks.create({ principal, definition, ...(secret === undefined ? {} : { secret }) });
        return reply(201, made, { location: `/api/webhooks/${made.webhook.id}` });
      },
    }),
  ];
}

function single(webhooks: Webhooks): readonly Route[] {
  const path = "/api/webhooks/:id";
  return [
    defineRoute({
      ...head,
      method: "GET",
      path,
      name: "getWebhook",
      summary: "A webhook",
      scope: "webhook:read",
      params: IdParams,
      responses: one,
      async handle({ caller, params }) {
        return ok(await webhooks.get({ caller, id: params.id }));
      },
    }),
    defineRoute({
      ...head,
      method: "PUT",
      path,
      name: "replaceWebhook",
      summary: "Change a webhook, which then has the rights of one's own key; its secrets stay",
      scope: "webhook:write",
      params: IdParams,
      body: Definition,
      responses: one,
      async handle({ principal, params, body }) {
        return ok(await webhooks.replace({ principal, id: params.id, definition: body }));
      },
    }),
    defineRoute({
      ...head,
      method: "DELETE",
      path,
      name: "removeWebhook",
      summary: "Remove a webhook with what is still to be sent",
      scope: "webhook:write",
      params: IdParams,
      responses: { 204: { description: "It is gone" } },
      async handle({ caller, params }) {
        await webhooks.remove({ caller, id: params.id });
        return { status: 204, body: undefined };
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: `${path}/receipts`,
      name: "listWebhookReceipts",
      summary: "What an inbound webhook took in, newest first",
      scope: "webhook:read",
      params: IdParams,
      query: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1000, default: 50 }) }),
      responses: { 200: { description: "Receipts", schema: Type.Object({ items: Type.Array(ReceiptSchema) }) } },
      async handle({ caller, params, query }) {
        return ok({ items: await webhooks.receipts({ caller, id: params.id, limit: query.limit }) });
      },
    }),
  ];
}

function commands(webhooks: Webhooks): readonly Route[] {
  const pausing = (verb: "pause" | "resume", summary: string) =>
    defineRoute({
      ...head,
      method: "POST",
      path: `/api/webhooks/:id/${verb}`,
      name: `${verb}Webhook`,
      summary,
      scope: "webhook:write",
      params: IdParams,
      body: Type.Object({}, strict),
      bodyDefault: {},
      responses: one,
      async handle({ caller, params }) {
        return ok(await webhooks.setPaused({ caller, id: params.id, paused: verb === "pause" }));
      },
    });
  return [
    pausing("pause", "Take nothing in, or send nothing out"),
    pausing("resume", "Go on; events of the pause are not sent"),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/webhooks/:id/rotate",
      name: "rotateWebhookSecret",
      summary: "Give a webhook a new secret; the one before stays good for a while",
      scope: "webhook:write",
      params: IdParams,
      body: Type.Object({
        secret: Secret,
        overlapSeconds: Type.Integer({ minimum: 0, maximum: 2_592_000, default: 86_400 }),
      }, strict),
      bodyDefault: { overlapSeconds: 86_400 },
      responses: { 201: issued },
      async handle({ caller, params, body: { secret, overlapSeconds } }) {
        const given = secret === undefined ? {} : { secret };
        return reply(201, await webhooks.rotate({ caller, id: params.id, overlapSeconds, ...given }));
      },
    }),
  ];
}

function withoutOrg<T extends { readonly orgId: string }>({ orgId: _orgId, ...rest }: T): Omit<T, "orgId"> {
  return rest;
}
