import { type TObject, type TSchema, Type } from "@alkdev/typebox";
import {
  COORDINATION_SPECS,
  type CoordinationSpec,
  type CoordinationStore,
  type Detection,
  type Notice,
} from "../../coordination/mod.ts";
import type { Caller } from "../../runs/mod.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { Cursor, Limit, Name } from "../schemas/parameters.ts";
import { whileConnected } from "../while_connected.ts";

/** Coordination, as the edge sees it: its operations, and what they have written down. */
export interface CoordinationEdge {
  /** Calls `coord.<name>`. Rejects with its errors. */
  call(
    params: {
      readonly caller: Caller;
      readonly name: CoordinationSpec["name"];
      readonly input: unknown;
      readonly signal: AbortSignal;
    },
  ): Promise<unknown>;
  readonly store: Pick<CoordinationStore, "notices" | "detections">;
}

const tag = "coordination";
const time = (description: string): TSchema => Type.Integer({ description: `${description}, ms since the epoch` });
const Level = Type.Union([Type.Literal("info"), Type.Literal("warning"), Type.Literal("blocking")]);
const Kind = Type.Union([Type.Literal("message"), Type.Literal("notice"), Type.Literal("detection")]);

const NoticeSchema: TObject = Type.Object({
  id: Type.String(),
  mappingId: Type.String({ description: "The spawned session that it is of or for" }),
  kind: Kind,
  level: Level,
  recipient: nullable(Type.String({ description: "Session; null: people" })),
  text: Type.String(),
  sender: Type.String(),
  runId: nullable(Type.String({ description: "Run that waits for the answer" })),
  answer: Type.Unknown(),
  answeredAt: nullable(time("When it was answered")),
  deliveredAt: nullable(time("When its recipient was given it")),
  createdAt: time("When it was sent"),
}, { $id: "Notice" });

const DetectionSchema: TObject = Type.Object({
  id: Type.String(),
  mappingId: nullable(Type.String()),
  sessionId: Type.String(),
  type: Type.String(),
  severity: Type.Union([Type.Literal("low"), Type.Literal("medium"), Type.Literal("high")]),
  occurrence: Type.String({ description: "The same as long as it is the same thing that was found" }),
  suggestion: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
  createdAt: time("When it was found"),
}, { $id: "Detection" });

/** `/api/coord/…` and `/api/detections`. */
export function coordinationRoutes(edge: CoordinationEdge): readonly Route[] {
  return [...COORDINATION_SPECS.map((spec) => operationRoute(edge, spec)), noticesRoute(edge), detectionsRoute(edge)];
}

/** All take what the operation takes: a selection of sessions is too much for an address. */
function operationRoute({ call }: CoordinationEdge, spec: CoordinationSpec): Route {
  const { name, title, scope, input, output } = spec;
  return defineRoute({
    tag,
    method: "POST",
    path: `/api/coord/${name}`,
    name: `coord${name[0]?.toUpperCase()}${name.slice(1)}`,
    summary: title,
    scope,
    body: input,
    bodyDefault: {},
    responses: { 200: { description: "What the operation answers", schema: output } },
    async handle({ caller, body, request }) {
      const answer = await whileConnected(request, (signal) => call({ caller, name, input: body, signal }));
      return ok(answer as object); // the operation's output schema is an object
    },
  });
}

function noticesRoute({ store }: CoordinationEdge): Route {
  return defineRoute({
    tag,
    method: "GET",
    path: "/api/coord/notices",
    name: "listNotices",
    summary: "What spawned sessions and their parents told each other, newest first",
    scope: "coord:read",
    query: Type.Object({
      mapping: Type.Optional(Name),
      level: Type.Optional(Level),
      kind: Type.Optional(Kind),
      open: Type.Optional(Type.Boolean({ description: "Only blocking ones that wait for an answer" })),
      limit: Limit,
      cursor: Cursor,
    }),
    responses: { 200: { description: "A page of notices", schema: pageOf(NoticeSchema) } },
    async handle({ caller: { orgId }, query: { mapping, level, kind, open, limit, cursor } }) {
      const found = await store.notices({
        orgId,
        limit: limit + 1,
        ...(mapping !== undefined && { mappingIds: [mapping] }),
        ...(level !== undefined && { level }),
        ...(kind !== undefined && { kind }),
        ...(open !== undefined && { open }),
        ...(cursor !== undefined && { after: cursor }),
      });
      return ok(page(found, limit, noticeView));
    },
  });
}

function detectionsRoute({ store }: CoordinationEdge): Route {
  return defineRoute({
    tag,
    method: "GET",
    path: "/api/detections",
    name: "listDetections",
    summary: "Anomalies of sessions, newest first",
    scope: "coord:read",
    query: Type.Object({
      session: Type.Optional(Name),
      type: Type.Optional(Name),
      limit: Limit,
      cursor: Cursor,
    }),
    responses: { 200: { description: "A page of detections", schema: pageOf(DetectionSchema) } },
    async handle({ caller: { orgId }, query: { session, type, limit, cursor } }) {
      const found = await store.detections({
        orgId,
        limit: limit + 1,
        ...(session !== undefined && { sessionIds: [session] }),
        ...(type !== undefined && { type }),
        ...(cursor !== undefined && { after: cursor }),
      });
      return ok(page(found, limit, detectionView));
    },
  });
}

function page<T extends { readonly id: string }>(found: readonly T[], limit: number, view: (one: T) => object): object {
  const items = found.slice(0, limit);
  return { items: items.map(view), nextCursor: found.length > limit ? items.at(-1)?.id ?? null : null };
}

function noticeView({ orgId: _orgId, dueAt: _dueAt, ...view }: Notice): object {
  return view;
}

function detectionView({ orgId: _orgId, ...view }: Detection): object {
  return view;
}
