import { Type } from "@alkdev/typebox";
import type { RerunStarted, Runs } from "../../runs/mod.ts";
import { assertFieldSize } from "../read_body.ts";
import { reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { IdParams, Name } from "../schemas/parameters.ts";
import { RerunStartedSchema } from "../schemas/runs.ts";
import { runUrl } from "./start_run.ts";

const head = { tag: "runs", method: "POST", scope: ["workflow:run", "run:write"], params: IdParams } as const;
const strict = { additionalProperties: false } as const;
const fields = {
  from: Type.Optional(Type.Union([Name, Type.Array(Name, { minItems: 1, maxItems: 1000 })], {
    description:
      "Keys of nodes, Map items (`measure[3]`), Loop turns or containers: these and all after them run again",
  })),
  input: Type.Optional(JsonSchema),
  version: Type.Optional(Name),
};
const responses = { 202: { description: "The new run", schema: RerunStartedSchema } } as const;

/** `POST /api/runs/:id/rerun` */
export function rerunRoute(runs: Runs, inputBytes: number): Route {
  return defineRoute({
    ...head,
    path: "/api/runs/:id/rerun",
    name: "rerunRun",
    summary: "A new run of the same workflow: all anew, from some nodes on, or of what failed",
    bodyDefault: {},
    body: Type.Object({
      ...fields,
      fromFailed: Type.Optional(Type.Boolean({ description: "Reuse what had completed, run what had not" })),
    }, strict),
    responses,
    async handle({ caller, params, body, bodyBytes }) {
      assertFieldSize("input", body.input, bodyBytes, inputBytes);
      return started(await runs.rerun({ caller, runId: params.id, ...withList(body) }));
    },
  });
}

/** `POST /api/runs/:id/fork` */
export function forkRoute(runs: Runs, inputBytes: number): Route {
  return defineRoute({
    ...head,
    path: "/api/runs/:id/fork",
    name: "forkRun",
    summary: "A new run that goes on from where this one is, or was at an event; this one stays as it is",
    bodyDefault: {},
    body: Type.Object({
      ...fields,
      at: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "Seq of the event as of which this run is looked at; absent: now",
      })),
    }, strict),
    responses,
    async handle({ caller, params, body, bodyBytes }) {
      assertFieldSize("input", body.input, bodyBytes, inputBytes);
      return started(await runs.fork({ caller, runId: params.id, ...withList(body) }));
    },
  });
}

/** One key may stand for a list of one. */
function withList<Body extends { readonly from?: string | readonly string[] }>(
  body: Body,
): Omit<Body, "from"> & { readonly from?: readonly string[] } {
  const { from, ...rest } = body;
  if (from === undefined) return rest;
  return { ...rest, from: typeof from === "string" ? [from] : from };
}

function started(run: RerunStarted): ReturnType<typeof reply> {
  const location = runUrl(run.id);
  return reply(202, { ...run, url: location }, { location });
}
