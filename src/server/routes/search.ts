import { type TObject, Type } from "@alkdev/typebox";
import type { Match, RunSearch, SearchPage } from "../../sight/mod.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { nullable } from "../schemas/nullable.ts";
import { Cursor, instant, Limit, Name } from "../schemas/parameters.ts";
import { RunRecordSchema, RunStatusSchema } from "../schemas/runs.ts";

const match = Type.Object({
  where: Type.Union([
    Type.Literal("label"),
    Type.Literal("input"),
    Type.Literal("output"),
    Type.Literal("error"),
    Type.Literal("operation"),
  ]),
  key: nullable(Type.String({ description: "Key of the node" })),
  seq: nullable(Type.Integer()),
  excerpt: Type.String(),
});

const searched = Type.Object({
  runs: Type.Integer({ description: "Runs looked at for this answer" }),
  skipped: Type.Integer({ description: "Of these, runs too large to be looked into in time" }),
  back: nullable(Type.Integer({ description: "Ms since the epoch, of the oldest run looked at" })),
  complete: Type.Boolean({ description: "False: older runs may match too; `nextCursor` goes on there" }),
});

const SearchPageSchema: TObject = Type.Object({
  items: Type.Array(
    Type.Object({ ...RunRecordSchema.properties, matches: Type.Array(match satisfies { static: Match }) }),
  ),
  nextCursor: nullable(Type.String()),
  searched: searched satisfies { static: SearchPage["searched"] },
}, { $id: "SearchPage" });
/** `GET /api/search` */
export function searchRoute({ search }: { readonly search: RunSearch }): Route {
  return defineRoute({
    method: "GET",
    path: "/api/search",
    name: "searchRuns",
    tag: "runs",
    summary: "Runs by what is in them, newest first, some thousands of runs an answer",
    scope: "run:read",
    query: Type.Object({
      text: Type.Optional(Type.String({
        minLength: 2,
        maxLength: 256,
        pattern: "^[^\\x00-\\x1f\\x7f]*$",
        description: "In inputs, outputs, errors, answers, operation ids and label values, whatever the case",
      })),
      error: Type.Optional({ ...Name, description: "The exact code that the run failed with" }),
      workflow: Type.Optional(Name),
      status: Type.Optional(Type.Array(RunStatusSchema, { maxItems: 5 })),
      label: Type.Optional(Type.Array(Name, { maxItems: 16, description: "`key=value`, or `key` for any value" })),
      since: Type.Optional(instant(", inclusive")),
      until: Type.Optional(instant(", exclusive")),
      limit: Limit,
      cursor: Cursor,
    }),
    responses: { 200: { description: "Runs that match, and how far they were looked for", schema: SearchPageSchema } },
    async handle({ caller, query }) {
      return ok(await search.search({ caller, ...query }));
    },
  });
}
