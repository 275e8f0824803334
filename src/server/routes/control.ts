import { Type } from "@alkdev/typebox";
import { actOnRuns, type Approvals, type DeadLetters, type Runs } from "../../runs/mod.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { Cursor, instant, Limit, Name, SearchText } from "../schemas/parameters.ts";
import { RunStatusSchema } from "../schemas/runs.ts";

export interface ControlDeps {
  readonly runs: Runs;
  readonly deadLetters: DeadLetters;
  readonly approvals: Approvals;
}

const strict = { additionalProperties: false } as const;
const Labels = Type.Array(Name, { maxItems: 16, description: "`key=value`, or `key` for any value" });
const Since = instant(", inclusive");
const Until = instant(", exclusive");

const filter = {
  workflow: Type.Optional(Name),
  operation: Type.Optional(Name),
  code: Type.Optional(Name),
  since: Type.Optional(Since),
  until: Type.Optional(Until),
  label: Type.Optional(Labels),
};
const RunFilter = Type.Object({
  workflow: Type.Optional(Name),
  status: Type.Optional(Type.Array(RunStatusSchema, { minItems: 1, maxItems: 6 })),
  label: Type.Optional(Labels),
  parent: Type.Optional(Name),
  since: Type.Optional(Since),
  until: Type.Optional(Until),
  q: Type.Optional(SearchText),
}, strict);
const Ids = Type.Array(Name, { minItems: 1, maxItems: 1000 });
const ActLimit = Type.Integer({
  minimum: 1,
  maximum: 1000,
  default: 100,
  description: "Runs at most; ask again for more",
});
const FromFailed = Type.Boolean({ description: "Reuse what had completed, run what had not" });

const DeadLetterSchema = Type.Object({
  runId: Type.String(),
  workflow: Type.String(),
  labels: Type.Record(Type.String(), Type.String()),
  nodeKey: nullable(Type.String()),
  operationId: nullable(Type.String()),
  code: Type.String(),
  message: Type.String(),
  attempts: Type.Integer(),
  at: Type.Number({ description: "When it failed, ms since the epoch" }),
}, { $id: "DeadLetter" });
const GroupSchema = Type.Object({ value: nullable(Type.String()), count: Type.Integer(), at: Type.Number() });
const ActSchema = Type.Object({
  items: Type.Array(Type.Object({
    runId: Type.String(),
    done: Type.Boolean(),
    newRunId: Type.Optional(Type.String()),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
  })),
  more: Type.Boolean({ description: "There may be more that the filter takes: ask again" }),
});
const ApprovalSchema = Type.Object({
  runId: Type.String(),
  workflow: Type.String(),
  key: Type.String(),
  name: Type.String(),
  question: JsonSchema,
  schema: JsonSchema,
  answerers: nullable(Type.Array(Type.String())),
  mayAnswer: Type.Boolean(),
  since: Type.Number(),
  due: nullable(Type.Number()),
}, { $id: "Approval" });

/** `/api/dead-letters`, `/api/runs/act`, `/api/approvals`. */
export function controlRoutes(deps: ControlDeps): readonly Route[] {
  return [...deadLetterRoutes(deps.deadLetters), actOnRunsRoute(deps.runs), approvalsRoute(deps.approvals)];
}

function deadLetterRoutes(deadLetters: DeadLetters): readonly Route[] {
  const group = Type.Union([Type.Literal("code"), Type.Literal("operation"), Type.Literal("workflow")], {
    description: "Counts by this instead of runs",
  });
  return [
    defineRoute({
      tag: "dead letters",
      method: "GET",
      path: "/api/dead-letters",
      name: "listDeadLetters",
      summary: "Failed runs that nobody has dealt with, newest first; or how many, by code, operation or workflow",
      scope: "run:read",
      query: Type.Object({ ...filter, group: Type.Optional(group), limit: Limit, cursor: Cursor }),
      responses: {
        200: {
          description: "A page of them; with `group`, all counts",
          schema: pageOf(Type.Union([DeadLetterSchema, GroupSchema])),
        },
      },
      async handle({ caller, query: { group: by, limit, cursor, ...wanted } }) {
        if (by !== undefined) {
          return ok({ items: await deadLetters.groups({ ...wanted, caller, by }), nextCursor: null });
        }
        return ok(await deadLetters.list({ ...wanted, caller, limit, ...(cursor !== undefined && { cursor }) }));
      },
    }),
    defineRoute({
      tag: "dead letters",
      method: "POST",
      path: "/api/dead-letters/act",
      name: "actOnDeadLetters",
      summary: "Run many of them again, or discard them; says of each what happened",
      scope: "run:write",
      body: Type.Object({
        action: Type.Union([Type.Literal("rerun"), Type.Literal("discard")]),
        ids: Type.Optional(Ids),
        filter: Type.Optional(Type.Object(filter, strict)),
        fromFailed: Type.Optional(FromFailed),
        limit: Type.Optional(ActLimit),
      }, strict),
      responses: { 200: { description: "One entry a run", schema: ActSchema } },
      async handle({ caller, body }) {
        return ok(await deadLetters.act({ ...body, limit: body.limit ?? DEFAULT_LIMIT, caller }));
      },
    }),
  ];
}

const DEFAULT_LIMIT = 100;

function actOnRunsRoute(runs: Runs): Route {
  const actions = ["abort", "pause", "resume", "rerun", "retry"] as const;
  return defineRoute({
    tag: "runs",
    method: "POST",
    path: "/api/runs/act",
    name: "actOnRuns",
    summary: "Abort, pause, resume, rerun or retry many runs; says of each what happened",
    scope: "run:write",
    body: Type.Object({
      action: Type.Union(actions.map((action) => Type.Literal(action))),
      ids: Type.Optional(Ids),
      filter: Type.Optional(RunFilter),
      reason: Type.Optional(Type.String({ maxLength: 1024 })),
      fromFailed: Type.Optional(FromFailed),
      limit: Type.Optional(ActLimit),
    }, strict),
    responses: { 200: { description: "One entry a run", schema: ActSchema } },
    async handle({ caller, body }) {
      return ok(await actOnRuns(runs, { ...body, limit: body.limit ?? DEFAULT_LIMIT, caller }));
    },
  });
}

function approvalsRoute(approvals: Approvals): Route {
  return defineRoute({
    tag: "runs",
    method: "GET",
    path: "/api/approvals",
    name: "listApprovals",
    summary: "Questions that live runs ask, longest waiting first",
    scope: "run:read",
    query: Type.Object({
      workflow: Type.Optional(Name),
      all: Type.Boolean({ default: false, description: "Signals without a question too" }),
      limit: Limit,
      cursor: Cursor,
    }),
    responses: {
      200: { description: "A page, perhaps a short one; the last has no nextCursor", schema: pageOf(ApprovalSchema) },
    },
    async handle({ caller, query }) {
      return ok(await approvals.list({ ...query, caller }));
    },
  });
}
