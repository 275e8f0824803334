import { Type } from "@alkdev/typebox";
import type { Runs, Versions } from "../../runs/mod.ts";
import type { ServerDeps } from "../ports.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { pageOf } from "../schemas/nullable.ts";
import { IdParams, Name, NameParams } from "../schemas/parameters.ts";
import { MigrationSchema, VersionDiffSchema, VersionViewSchema } from "../schemas/versions.ts";

const strict = { additionalProperties: false } as const;

/** Versions of a workflow, and moving a live run to another. */
export function versionRoutes({ runs, versions }: ServerDeps): readonly Route[] {
  return [versionsRoute(versions), diffRoute(versions), migrateRoute(runs)];
}

function versionsRoute(versions: Versions): Route {
  return defineRoute({
    tag: "workflows",
    method: "GET",
    path: "/api/workflows/:name/versions",
    name: "listWorkflowVersions",
    summary: "The versions of a workflow, the one served first, with the runs on each that have not ended",
    scope: "workflow:read",
    params: NameParams,
    responses: { 200: { description: "All versions known", schema: pageOf(VersionViewSchema) } },
    async handle({ caller, params }) {
      return ok({ items: await versions.list({ caller, name: params.name }), nextCursor: null });
    },
  });
}

function diffRoute(versions: Versions): Route {
  return defineRoute({
    tag: "workflows",
    method: "GET",
    path: "/api/workflows/:name/diff",
    name: "diffWorkflowVersions",
    summary: "How the graphs of two versions differ: nodes added, removed and changed",
    scope: "workflow:read",
    params: NameParams,
    query: Type.Object({ from: Name, to: Type.Optional(Name) }),
    responses: { 200: { description: "The difference; `to` absent: to the one served", schema: VersionDiffSchema } },
    async handle({ caller, params, query }) {
      return ok(await versions.diff({ caller, name: params.name, ...query }));
    },
  });
}

function migrateRoute(runs: Runs): Route {
  return defineRoute({
    tag: "runs",
    method: "POST",
    path: "/api/runs/:id/migrate",
    name: "migrateRun",
    summary: "Move a live run to another version of its workflow, where what has begun is the same in both",
    scope: "run:write",
    params: IdParams,
    body: Type.Object({
      version: Name,
      dryRun: Type.Optional(Type.Boolean({ description: "Only say whether it could be, and why not" })),
    }, strict),
    responses: {
      200: { description: "It has been moved; after a dry run, whether it could be", schema: MigrationSchema },
      409: { description: "It cannot: `details.reasons` names the nodes" },
    },
    async handle({ caller, params, body }) {
      return ok(await runs.migrate({ caller, runId: params.id, ...body }));
    },
  });
}
