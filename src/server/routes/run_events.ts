import { Type } from "@alkdev/typebox";
import type { Caller, RunEvent } from "../../runs/mod.ts";
import type { ServerDeps } from "../ports.ts";
import { toProblem } from "../problem.ts";
import { ok, type Reply, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { pageOf } from "../schemas/nullable.ts";
import { IdParams, LAST_SEQ, Limit, Seq } from "../schemas/parameters.ts";
import { RunEventSchema } from "../schemas/runs.ts";
import { sseFrame } from "../sse_frame.ts";
import { sseResponse } from "../sse_response.ts";

/** Between heartbeats of an event stream. */
export const HEARTBEAT_MS = 15_000;

/** `GET /api/runs/:id/events`, as a page or as a live stream. */
export function runEventsRoute(deps: ServerDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/runs/:id/events",
    name: "getRunEvents",
    tag: "runs",
    summary: "Events of a run: a page, or a live stream with Accept: text/event-stream",
    scope: "run:read",
    params: IdParams,
    query: Type.Object({
      after: Type.Optional(Seq),
      cursor: Type.Optional(Seq),
      limit: Limit,
    }),
    headers: [{ name: "Last-Event-ID", description: "Seq of the last event seen: the stream goes on after it" }],
    responses: {
      200: {
        description: "Events with a seq above `after`, ascending",
        schema: pageOf(RunEventSchema),
        otherTypes: ["text/event-stream"],
      },
      204: { description: "A stream was asked for, and nothing will follow `Last-Event-ID`" },
    },
    async handle({ caller, params, query, headers, requestId }) {
      const after = Math.min(readLastEventId(headers) ?? query.after ?? query.cursor ?? 0, LAST_SEQ);
      if (accepts(headers, "text/event-stream")) return await stream(deps, caller, params.id, after, requestId);
      const events = await deps.runs.events({ caller, runId: params.id, after, limit: query.limit });
      const last = events.at(-1);
      const nextCursor = last === undefined || events.length < query.limit ? null : String(last.seq);
      return ok({ items: events, nextCursor });
    },
  });
}

/** Watchers of one run are given the same events: each is written out once. */
const frames = new WeakMap<RunEvent, string>();

function frameOf(event: RunEvent): string {
  let frame = frames.get(event);
  if (frame === undefined) {
    frames.set(event, frame = sseFrame({ id: event.seq, event: event.type, data: JSON.stringify(event) }));
  }
  return frame;
}

/** Whether the client asks for this type by name. */
export function accepts(headers: Headers, type: string): boolean {
  return headers.get("accept")?.toLowerCase().includes(type) === true;
}

/** The id that a client says it has seen last; null: it says none. */
export function readLastEventId(headers: Headers): number | null {
  const id = headers.get("last-event-id");
  return id !== null && /^\d{1,15}$/.test(id) ? Number(id) : null;
}

async function stream(
  deps: ServerDeps,
  caller: Caller,
  runId: string,
  after: number,
  requestId: string,
): Promise<Response | Reply> {
  const { runs, log, closing, onStream } = deps;
  // Before the head is sent: a run that cannot be seen is a 404, not a broken stream. A browser's EventSource comes back after
  // the last event, for ever, unless it is told 204.
  if (!await runs.mayFollow({ caller, runId, after })) return reply(204, undefined);
  const stopped = new AbortController();
  const watch = runs.watch({ caller, runId, after, signal: stopped.signal });
  return sseResponse<RunEvent>({
    items: watch[Symbol.asyncIterator](),
    frame: frameOf,
    onError: (error) => sseFrame({ event: "error", data: JSON.stringify(toProblem(error, requestId, log)) }),
    end: null,
    stop: () => stopped.abort(),
    heartbeatMs: HEARTBEAT_MS,
    closing,
    onOpen: onStream,
  }, requestId);
}
