import { type TObject, Type } from "@alkdev/typebox";
import type { LogLine, RunLogs } from "../../sight/mod.ts";
import type { ServerLog } from "../ports.ts";
import { toProblem } from "../problem.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { pageOf } from "../schemas/nullable.ts";
import { IdParams, Limit, Name, Seq } from "../schemas/parameters.ts";
import { sseFrame } from "../sse_frame.ts";
import { sseResponse } from "../sse_response.ts";
import { accepts, HEARTBEAT_MS, readLastEventId } from "./run_events.ts";

const level = Type.Union([
  Type.Literal("debug"),
  Type.Literal("info"),
  Type.Literal("warn"),
  Type.Literal("error"),
]);

const line = Type.Object({
  id: Type.Integer({ description: "Rises within the run; the id of the SSE event" }),
  runId: Type.String(),
  at: Type.Integer({ description: "Ms since the epoch" }),
  key: Type.String({ description: "Key of the node" }),
  attempt: Type.Integer(),
  requestId: Type.String(),
  level,
  message: Type.String(),
  data: JsonSchema,
}, { $id: "LogLine" });
const LogLineSchema: TObject = line satisfies { static: LogLine };

/** What the routes of logs stand on. */
export interface RunLogsDeps {
  readonly logs: RunLogs;
  readonly log: ServerLog;
  readonly closing?: AbortSignal;
  readonly onStream?: (isOpen: boolean) => void;
}

/** `GET /api/runs/:id/logs`, as a page or as a live stream. */
export function runLogsRoute({ logs, log, closing, onStream }: RunLogsDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/runs/:id/logs",
    name: "getRunLogs",
    tag: "runs",
    summary: "What handlers and spokes said while they worked: a page, or a live stream with Accept: text/event-stream",
    scope: "run:read",
    params: IdParams,
    query: Type.Object({
      node: Type.Optional({ ...Name, description: "Key of a node; without indices, all its items and turns" }),
      level: Type.Optional({ ...level, description: "This level and the graver ones" }),
      after: Type.Optional(Seq),
      cursor: Type.Optional(Seq),
      limit: Limit,
    }),
    headers: [{ name: "Last-Event-ID", description: "Id of the last line seen: the stream goes on after it" }],
    responses: {
      200: {
        description: "Lines with an id above `after`, ascending",
        schema: pageOf(LogLineSchema),
        otherTypes: ["text/event-stream"],
      },
    },
    async handle({ caller, params, query, headers, requestId }) {
      const { node, limit } = query;
      const after = readLastEventId(headers) ?? query.after ?? query.cursor ?? 0;
      const filter = {
        caller,
        runId: params.id,
        after,
        ...(node !== undefined && { node }),
        ...(query.level !== undefined && { level: query.level }),
      };
      // Asked first in any case: a run that cannot be seen is a 404, not a broken stream.
      const isStream = accepts(headers, "text/event-stream");
      const lines = await logs.read({ ...filter, limit: isStream ? 1 : limit });
      if (!isStream) {
        const last = lines.at(-1);
        return ok({ items: lines, nextCursor: last === undefined || lines.length < limit ? null : String(last.id) });
      }
      const stopped = new AbortController();
      return sseResponse<LogLine>({
        items: logs.watch({ ...filter, signal: stopped.signal })[Symbol.asyncIterator](),
        frame: (it) => sseFrame({ id: it.id, event: "log", data: JSON.stringify(it) }),
        onError: (error) => sseFrame({ event: "error", data: JSON.stringify(toProblem(error, requestId, log)) }),
        end: sseFrame({ event: "end", data: "{}" }),
        stop: () => stopped.abort(),
        heartbeatMs: HEARTBEAT_MS,
        closing,
        onOpen: onStream,
      }, requestId);
    },
  });
}
