import { Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import { docsPage } from "../docs_page.ts";
import { openApiDocument } from "../open_api.ts";
import type { ServerDeps } from "../ports.ts";
import { ok, type Reply, reply, text } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

const head = { tag: "system", method: "GET" } as const;
const page = { 200: { description: "A page", contentType: "text/html", schema: Type.String() } };

/** Health, metrics, and the pages and documents that describe the rest. `all` answers every route, these included. */
export function systemRoutes(deps: ServerDeps, all: () => readonly Route[]): readonly Route[] {
  return [...probeRoutes(deps), metricsRoute(deps), ...documentRoutes(deps, all)];
}

function probeRoutes({ readiness, version }: ServerDeps): readonly Route[] {
  return [
    defineRoute({
      ...head,
      path: "/health",
      name: "getHealth",
      summary: "Whether the process answers",
      scope: null,
      responses: {
        200: {
          description: "It does",
          schema: Type.Object({
            status: Type.Literal("ok"),
            version: Type.String(),
            ready: Type.Boolean(),
            step: Type.String(),
          }),
        },
      },
      handle() {
        return ok({ status: "ok", version, ...readiness() });
      },
    }),
    defineRoute({
      ...head,
      path: "/ready",
      name: "getReady",
      summary: "Whether every start-up step is done",
      scope: null,
      responses: {
        200: { description: "It is", schema: Type.Object({ ready: Type.Boolean(), step: Type.String() }) },
        503: {
          description: "It is not: `step` is under way",
          schema: Type.Object({ ready: Type.Boolean(), step: Type.String() }),
        },
      },
      handle() {
        const state = readiness();
        return state.ready ? ok(state) : reply(503, state, { "retry-after": "1" });
      },
    }),
  ];
}

function metricsRoute(deps: ServerDeps): Route {
  return defineRoute({
    ...head,
    path: "/metrics",
    name: "getMetrics",
    summary: "Metrics of the whole hub in Prometheus's text format: for keys of its own organization",
    scope: "metrics:read",
    responses: { 200: { description: "The metrics", contentType: "text/plain", schema: Type.String() } },
    async handle({ requestId, caller: { orgId } }) {
      // They name the workflows and operations of all organizations.
      if (orgId !== deps.hubOrgId) {
        const message = `Cannot read metrics with this API key: wanted one of organization "${deps.hubOrgId}"`;
        throw new CallError("ACCESS_DENIED", message, { requiredScopes: ["metrics:read"] });
      }
      if (deps.metrics === undefined) throw new CallError("ROUTE_NOT_FOUND", "This hub keeps no metrics");
      return text(await deps.metrics(), "text/plain; version=0.0.4; charset=utf-8", { "x-request-id": requestId });
    },
  });
}

function documentRoutes({ version }: ServerDeps, all: () => readonly Route[]): readonly Route[] {
  let document: string | undefined;
  let docs: Reply | undefined;
  return [
    defineRoute({
      ...head,
      path: "/openapi.json",
      name: "getOpenApi",
      isConditional: true,
      summary: "This API as an OpenAPI 3.1 document",
      scope: null,
      responses: { 200: { description: "The document", schema: Type.Unknown() } },
      handle() {
        return text(document ??= JSON.stringify(openApiDocument(all(), version)), "application/json");
      },
    }),
    defineRoute({
      ...head,
      path: "/docs",
      name: "getDocs",
      isConditional: true,
      summary: "This API as a page",
      scope: null,
      responses: page,
      handle() {
        return docs ??= docsPage(all(), version);
      },
    }),
  ];
}
