import { Type } from "@alkdev/typebox";
import { hasScope, hasScopeFor } from "@alkdev/operations";
import type { Runs, RunView } from "../../runs/mod.ts";
import type { GraphsPort, ServerDeps } from "../ports.ts";
import { assertFieldSize } from "../read_body.ts";
import { ok, reply, text } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { pageOf } from "../schemas/nullable.ts";
import { Cursor, IdParams, instant, Limit, Name, SearchText } from "../schemas/parameters.ts";
import {
  CallSchema,
  CallTreeSchema,
  RunGraphSchema,
  RunRecordSchema,
  RunStatusSchema,
  RunViewSchema,
  WhyEntrySchema,
} from "../schemas/runs.ts";
import { runEventsRoute } from "./run_events.ts";
import { forkRoute, rerunRoute } from "./lineage.ts";
import { startRunRoute } from "./start_run.ts";
import { runNodeRoutes } from "./run_nodes.ts";

const head = { tag: "runs" } as const;
const GRAPH_TYPES = {
  mermaid: "text/vnd.mermaid; charset=utf-8",
  dot: "text/vnd.graphviz; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
} as const;
const At = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "As of this seq" });
const strict = { additionalProperties: false } as const;

/** `/api/runs`, `/api/calls`, and starting runs. */
export function runRoutes(deps: ServerDeps): readonly Route[] {
  const { runs, graphs, limits } = deps;
  return [
    startRunRoute(deps),
    listRoute(runs),
    getRoute(runs),
    graphRoute(runs, graphs),
    runEventsRoute(deps),
    ...callRoutes(runs),
    whyRoute(runs),
    abortRoute(runs),
    ...(["pause", "resume"] as const).map((act) => holdRoute(runs, act)),
    ...runNodeRoutes(runs),
    rerunRoute(runs, limits.inputBytes),
    forkRoute(runs, limits.inputBytes),
    signalRoute(runs, limits.inputBytes),
  ];
}

function listRoute(runs: Runs): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/runs",
    name: "listRuns",
    summary: "Runs, newest first",
    scope: "run:read",
    query: Type.Object({
      workflow: Type.Optional(Name),
      status: Type.Optional(Type.Array(RunStatusSchema, { maxItems: 5 })),
      label: Type.Optional(Type.Array(Name, { maxItems: 16, description: "`key=value`, or `key` for any value" })),
      parent: Type.Optional(Name),
      lineage: Type.Optional(
        Type.String({ maxLength: 64, description: "Id of a run: those made of it by a rerun or fork" }),
      ),
      since: Type.Optional(instant(", inclusive")),
      until: Type.Optional(instant(", exclusive")),
      q: Type.Optional(SearchText),
      limit: Limit,
      cursor: Cursor,
    }),
    responses: { 200: { description: "A page of runs", schema: pageOf(RunRecordSchema) } },
    async handle({ caller, query }) {
      const page = await runs.list({ caller, ...query });
      const { scopes } = caller.identity;
      if (hasScope(scopes, "run:read")) return ok(page);
      // With narrowed scopes pages may hold fewer than `limit`.
      return ok({ ...page, items: page.items.filter(({ workflow }) => hasScopeFor(scopes, "run:read", workflow)) });
    },
  });
}

function getRoute(runs: Runs): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/runs/:id",
    name: "getRun",
    isConditional: true,
    summary: "A run with its input, output and progress, now or at a past seq",
    scope: "run:read",
    params: IdParams,
    query: Type.Object({ at: Type.Optional(At) }),
    responses: { 200: { description: "The run", schema: RunViewSchema } },
    async handle({ caller, params, query }) {
      const at = query.at === undefined ? {} : { at: query.at };
      return ok(await runs.get({ caller, runId: params.id, ...at }));
    },
  });
}

function graphRoute(runs: Runs, graphs: GraphsPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/runs/:id/graph",
    name: "getRunGraph",
    isConditional: true,
    summary: "The graph of a run, now or at a past seq",
    scope: "run:read",
    params: IdParams,
    query: Type.Object({
      format: Type.Union([
        Type.Literal("json"),
        Type.Literal("mermaid"),
        Type.Literal("dot"),
        Type.Literal("svg"),
      ], { default: "json" }),
      at: Type.Optional(At),
      data: Type.Boolean({ default: true, description: "False leaves inputs and outputs out" }),
    }),
    responses: {
      200: {
        description: "The graph; as text with another format",
        schema: RunGraphSchema,
        otherTypes: Object.values(GRAPH_TYPES).map((type) => type.replace(/;.*/, "")),
      },
    },
    async handle({ caller, params, query, requestId }) {
      const data = query.data && query.format === "json";
      const at = query.at === undefined ? {} : { at: query.at };
      const graph = await runs.graph({ caller, runId: params.id, data, ...at });
      if (query.format === "json") return ok(graph);
      return text(graphs[query.format](graph), GRAPH_TYPES[query.format], {
        "x-request-id": requestId,
        "cache-control": "no-store",
        // A picture that is opened by itself is a page: it may load and run nothing.
        "content-security-policy": "default-src 'none'; sandbox",
      });
    },
  });
}

function callRoutes(runs: Runs): readonly Route[] {
  const CallParams = Type.Object({ requestId: Name });
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/runs/:id/calls",
      name: "listRunCalls",
      summary: "Calls of a run",
      scope: "run:read",
      params: IdParams,
      responses: { 200: { description: "All calls", schema: pageOf(CallSchema) } },
      async handle({ caller, params }) {
        return ok({ items: await runs.calls({ caller, runId: params.id }), nextCursor: null });
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/calls/:requestId",
      name: "getCall",
      summary: "A call",
      scope: "run:read",
      params: CallParams,
      responses: { 200: { description: "The call", schema: CallSchema } },
      async handle({ caller, params }) {
        return ok(await runs.call({ caller, requestId: params.requestId }));
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/calls/:requestId/tree",
      name: "getCallTree",
      summary: "A call with all its descendants, across child runs",
      scope: "run:read",
      params: CallParams,
      responses: { 200: { description: "The call and its children", schema: CallTreeSchema } },
      async handle({ caller, params }) {
        return ok(await runs.callTree({ caller, requestId: params.requestId }));
      },
    }),
  ];
}

function whyRoute(runs: Runs): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/runs/:id/why",
    name: "whyRun",
    summary: "What each node that is not moving waits for",
    scope: "run:read",
    params: IdParams,
    responses: { 200: { description: "One entry a node", schema: pageOf(WhyEntrySchema) } },
    async handle({ caller, params }) {
      return ok({ items: await runs.why({ caller, runId: params.id }), nextCursor: null });
    },
  });
}

function abortRoute(runs: Runs): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/runs/:id/abort",
    name: "abortRun",
    summary: "Abort a run and all that descends from it",
    scope: "run:write",
    params: IdParams,
    bodyDefault: {},
    body: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 1024 })) }, strict),
    responses: { 200: { description: "The abort is durable", schema: RunViewSchema } },
    async handle({ caller, params, body }) {
      const reason = body.reason === undefined ? {} : { reason: body.reason };
      return ok(await runs.abort({ caller, runId: params.id, ...reason }));
    },
  });
}

function holdRoute(runs: Runs, act: "pause" | "resume"): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: `/api/runs/:id/${act}`,
    name: `${act}Run`,
    summary: act === "pause" ? "Start no new node; those under way go on" : "Go on with a paused run",
    scope: "run:write",
    params: IdParams,
    bodyDefault: {},
    body: Type.Object({}, strict),
    responses: { 200: { description: "The run", schema: RunViewSchema } },
    async handle({ caller, params }) {
      const view: RunView = await runs[act]({ caller, runId: params.id });
      return ok(view);
    },
  });
}

function signalRoute(runs: Runs, inputBytes: number): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/runs/:id/signals/:name",
    name: "signalRun",
    summary: "Answer a signal that a run waits for; the body is the payload",
    scope: "run:write",
    params: Type.Object({ id: Name, name: Name }),
    bodyDefault: null,
    body: JsonSchema,
    responses: {
      202: { description: "The answer is durable", schema: Type.Object({ accepted: Type.Literal(true) }) },
    },
    async handle({ caller, params, body, bodyBytes }) {
      assertFieldSize("payload", body, bodyBytes, inputBytes);
      // Without a body there is nothing to say beyond that it happened.
      await runs.signal({ caller, runId: params.id, name: params.name, payload: body });
      return reply(202, { accepted: true });
    },
  });
}
