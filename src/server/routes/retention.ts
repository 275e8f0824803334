import { type TSchema, Type } from "@alkdev/typebox";
import { parseDuration } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { Caller } from "../../runs/mod.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { nullable } from "../schemas/nullable.ts";
import { IdParams, instant, Name } from "../schemas/parameters.ts";
import { RunRecordSchema } from "../schemas/runs.ts";

type EndStatus = "completed" | "failed" | "aborted";
interface Filter {
  readonly status?: readonly EndStatus[];
  readonly endedBefore: number;
  readonly workflow?: string;
  readonly label?: string;
}
type Action = "delete" | "archive";

/** What the edge needs of retention. */
export interface RetentionPort {
  export(params: { readonly caller: Caller; readonly runId: string; readonly tree: boolean }): Promise<object>;
  import(
    params: { readonly caller: Caller; readonly exported: unknown },
  ): Promise<{ readonly id: string; readonly runs: number }>;
  count(params: { readonly caller: Caller; readonly filter: Filter }): Promise<object>;
  prune(params: { readonly caller: Caller; readonly filter: Filter; readonly action: Action }): Promise<PruneJobView>;
  job(params: { readonly caller: Caller; readonly id: string }): Promise<PruneJobView>;
}

/** The part of a job that is shown. */
export interface PruneJobView {
  readonly id: string;
  readonly state: string;
  readonly action: Action;
  readonly filter: object;
  readonly trees: number;
  readonly runs: number;
  readonly examined: number;
  readonly files: readonly string[];
  readonly error: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const head = { tag: "runs" } as const;
const strict = { additionalProperties: false } as const;
/** Of an import: a whole tree with all its events. */
const IMPORT_BYTES = 64 << 20;
const IMPORT_DEPTH = 400;
const DURATION = "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$";

const exported: TSchema = Type.Object({
  format: Type.Literal(1),
  run: RunRecordSchema,
  plan: Type.Object({}),
  plans: Type.Optional(Type.Record(Type.String(), Type.Object({}))),
  events: Type.Array(Type.Object({})),
  children: Type.Optional(Type.Array(Type.Object({}), { description: "Of the same form" })),
}, { $id: "RunExport" });

const jobFields = {
  id: Type.String(),
  state: Type.String({ description: "waiting, running, done or failed" }),
  action: Type.String(),
  filter: Type.Object({}),
  trees: Type.Integer({ description: "Runs without a parent that are gone" }),
  runs: Type.Integer({ description: "The same with all that was below them" }),
  examined: Type.Integer({ description: "Runs that were looked at" }),
  files: Type.Array(Type.String(), { description: "In `archive/` of the data directory of the hub that wrote them" }),
  error: nullable(Type.String()),
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
};
const job: TSchema = Type.Object(jobFields, { $id: "PruneJob" });

/** Export, import and pruning. */
export function retentionRoutes(retention: RetentionPort): readonly Route[] {
  return [exportRoute(retention), importRoute(retention), pruneRoute(retention), jobRoute(retention)];
}

function exportRoute(retention: RetentionPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/runs/:id/export",
    name: "exportRun",
    summary: "A run with its plan and all its events, to be kept or imported elsewhere",
    scope: "run:read",
    params: IdParams,
    query: Type.Object({ tree: Type.Boolean({ default: false, description: "With all child runs" }) }),
    responses: { 200: { description: "The run", schema: exported } },
    async handle({ caller, params, query }) {
      return ok(await retention.export({ caller, runId: params.id, tree: query.tree }));
    },
  });
}

function importRoute(retention: RetentionPort): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/runs/import",
    name: "importRun",
    summary: "Store a run that was exported and has ended, as one of this organization",
    scope: "run:delete",
    limits: { bodyBytes: IMPORT_BYTES, jsonDepth: IMPORT_DEPTH },
    body: JsonSchema,
    responses: {
      201: {
        description: "All of it is stored",
        schema: Type.Object({ id: Type.String(), runs: Type.Integer(), url: Type.String() }),
      },
    },
    async handle({ caller, body }) {
      const { id, runs } = await retention.import({ caller, exported: body });
      const url = `/api/runs/${id}`;
      return reply(201, { id, runs, url }, { location: url });
    },
  });
}

function pruneRoute(retention: RetentionPort): Route {
  const status = Type.Unsafe<EndStatus>(
    Type.Union([Type.Literal("completed"), Type.Literal("failed"), Type.Literal("aborted")]),
  );
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/runs/prune",
    name: "pruneRuns",
    summary: "Delete or archive runs that are over, with all below them, in the background",
    scope: "run:delete",
    body: Type.Object({
      filter: Type.Object({
        status: Type.Optional(Type.Array(status, { minItems: 1, maxItems: 3 })),
        olderThan: Type.Optional(
          Type.String({ pattern: DURATION, maxLength: 64, description: "Since the end: `30d`, `12h`" }),
        ),
        endedBefore: Type.Optional(instant()),
        workflow: Type.Optional(Name),
        label: Type.Optional(Name),
      }, strict),
      action: Type.Unsafe<Action>(Type.Union([Type.Literal("delete"), Type.Literal("archive")])),
      dryRun: Type.Optional(Type.Boolean()),
    }, strict),
    responses: {
      200: { description: "What it would take; nothing was changed", schema: Type.Object({}) },
      202: {
        description: "It goes on in the background: `url` says how far",
        schema: Type.Object({ ...jobFields, url: Type.String() }),
      },
    },
    async handle({ caller, body: { filter, action, dryRun = false } }) {
      const wanted = toFilter(filter, Date.now());
      if (dryRun) return ok(await retention.count({ caller, filter: wanted }));
      const started = shown(await retention.prune({ caller, filter: wanted, action }));
      const url = `/api/runs/prune/${started.id}`;
      return reply(202, { ...started, url }, { location: url });
    },
  });
}

function jobRoute(retention: RetentionPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/runs/prune/:id",
    name: "getPruneJob",
    summary: "How far a pruning is",
    scope: "run:read",
    params: IdParams,
    responses: { 200: { description: "The job", schema: job } },
    async handle({ caller, params }) {
      return ok(shown(await retention.job({ caller, id: params.id })));
    },
  });
}

function toFilter(
  { olderThan, endedBefore, ...rest }: Omit<Filter, "endedBefore"> & {
    readonly olderThan?: string;
    readonly endedBefore?: number;
  },
  now: number,
): Filter {
  if ((olderThan === undefined) === (endedBefore === undefined)) {
    const message = "takes one of olderThan and endedBefore";
    throw new CallError("VALIDATION_ERROR", `Field "filter" ${message}`, { errors: [{ path: "/filter", message }] });
  }
  return { ...rest, endedBefore: endedBefore ?? now - (parseDuration(olderThan) ?? 0) };
}

/** Neither whose it is nor where the look stands. */
function shown(one: PruneJobView): PruneJobView {
  const { id, state, action, filter, trees, runs, examined, files, error, createdAt, updatedAt } = one;
  return { id, state, action, filter, trees, runs, examined, files, error, createdAt, updatedAt };
}
