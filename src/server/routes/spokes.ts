import { Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import { paginate } from "../paginate.ts";
import type { ServerDeps } from "../ports.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { SpokeSchema } from "../schemas/catalog.ts";
import { pageOf } from "../schemas/nullable.ts";
import { IdParams, PageQuery } from "../schemas/parameters.ts";

const head = { tag: "spokes" } as const;

/** `/api/spokes`. */
export function spokeRoutes({ spokes }: ServerDeps): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/spokes",
      name: "listSpokes",
      summary: "Spokes",
      scope: "spoke:read",
      query: PageQuery,
      responses: { 200: { description: "A page of spokes", schema: pageOf(SpokeSchema) } },
      async handle({ caller, query }) {
        return ok(paginate(await spokes.list(caller), ({ id }) => id, query));
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/spokes/:id",
      name: "getSpoke",
      summary: "A spoke",
      scope: "spoke:read",
      params: IdParams,
      responses: { 200: { description: "The spoke", schema: SpokeSchema } },
      async handle({ caller, params }) {
        const spoke = await spokes.get(caller, params.id);
        if (spoke === null) throw new CallError("SPOKE_NOT_FOUND", `Cannot find spoke "${params.id}"`);
        return ok(spoke);
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/spokes/:id/drain",
      name: "drainSpoke",
      summary: "Give a spoke no new calls; those under way go on",
      scope: "spoke:write",
      params: IdParams,
      body: Type.Object({}, { additionalProperties: false }),
      bodyDefault: {},
      responses: { 200: { description: "The spoke", schema: SpokeSchema } },
      async handle({ caller, params }) {
        return ok(await spokes.drain(caller, params.id));
      },
    }),
  ];
}
