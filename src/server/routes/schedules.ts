import { type TObject, type TSchema, type TUnsafe, Type } from "@alkdev/typebox";
import { type ScheduleDefinition, ScheduleDefinitionSchema, type Schedules } from "../../triggers/mod.ts";
import { paginate } from "../paginate.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { JsonSchema } from "../schemas/json.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { IdParams, PageQuery } from "../schemas/parameters.ts";
import { StartedRunSchema } from "../schemas/runs.ts";
import { runUrl } from "./start_run.ts";

const head = { tag: "schedules" } as const;
const nothing = { body: Type.Object({}, { additionalProperties: false }), bodyDefault: {} } as const;
const instant = Type.Integer({ description: "Ms since the epoch" });

const Definition: TUnsafe<ScheduleDefinition> = Type.Unsafe<ScheduleDefinition>(ScheduleDefinitionSchema);
const NewSchedule: TUnsafe<ScheduleDefinition & { readonly paused?: boolean }> = Type.Unsafe<
  ScheduleDefinition & { readonly paused?: boolean }
>(
  Type.Object({ ...ScheduleDefinitionSchema.properties, paused: Type.Optional(Type.Boolean()) }, {
    additionalProperties: false,
  }),
);

const ScheduleSchema: TObject = Type.Object({
  id: Type.String(),
  name: Type.String(),
  workflow: Type.String(),
  version: nullable(Type.String()),
  input: JsonSchema,
  cron: Type.String(),
  timeZone: Type.String(),
  catchUp: Type.String(),
  jitterMs: Type.Integer(),
  overlap: Type.String(),
  labels: Type.Record(Type.String(), Type.String()),
  priority: Type.Integer(),
  startAt: nullable(instant),
  endAt: nullable(instant),
  paused: Type.Boolean(),
  ownerId: Type.String(),
  nextAt: nullable(instant),
  lastRunId: nullable(Type.String()),
  lastError: nullable(Type.String()),
  lastErrorAt: nullable(instant),
  createdAt: instant,
  updatedAt: instant,
});

const TimesSchema: TSchema = Type.Object({
  next: Type.Array(instant),
  past: Type.Array(Type.Object({
    id: Type.String(),
    scheduleId: Type.String(),
    tick: instant,
    at: instant,
    kind: Type.String(),
    outcome: Type.String(),
    runId: nullable(Type.String()),
    reason: nullable(Type.String()),
  })),
});

const one = { 200: { description: "The schedule", schema: ScheduleSchema } } as const;

/** `/api/schedules`. */
export function scheduleRoutes(schedules: Schedules): readonly Route[] {
  return [...collection(schedules), ...single(schedules), ...commands(schedules)];
}

function collection(schedules: Schedules): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/schedules",
      name: "listSchedules",
      summary: "Schedules, by name",
      scope: "schedule:read",
      query: PageQuery,
      responses: { 200: { description: "A page of schedules", schema: pageOf(ScheduleSchema) } },
      async handle({ caller, query }) {
        return ok(paginate(await schedules.list({ caller }), ({ name }) => name, query));
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/schedules",
      name: "createSchedule",
      summary: "Start a workflow at the times of a cron expression, with the rights of one's own key",
      scope: "schedule:write",
      body: NewSchedule,
      responses: { 201: { description: "The schedule", schema: ScheduleSchema } },
      async handle({ principal, body: { paused, ...definition } }) {
        const made = await schedules.create({ principal, definition, ...(paused === undefined ? {} : { paused }) });
        return reply(201, made, { location: `/api/schedules/${made.id}` });
      },
    }),
  ];
}

function single(schedules: Schedules): readonly Route[] {
  const path = "/api/schedules/:id";
  return [
    defineRoute({
      ...head,
      method: "GET",
      path,
      name: "getSchedule",
      summary: "A schedule",
      scope: "schedule:read",
      params: IdParams,
      responses: one,
      async handle({ caller, params }) {
        return ok(await schedules.get({ caller, id: params.id }));
      },
    }),
    defineRoute({
      ...head,
      method: "PUT",
      path,
      name: "replaceSchedule",
      summary: "Change a schedule, whose runs then have the rights of one's own key",
      scope: "schedule:write",
      params: IdParams,
      body: Definition,
      responses: one,
      async handle({ principal, params, body }) {
        return ok(await schedules.replace({ principal, id: params.id, definition: body }));
      },
    }),
    defineRoute({
      ...head,
      method: "DELETE",
      path,
      name: "removeSchedule",
      summary: "Remove a schedule; its runs stay",
      scope: "schedule:write",
      params: IdParams,
      responses: { 204: { description: "It is gone" } },
      async handle({ caller, params }) {
        await schedules.remove({ caller, id: params.id });
        return { status: 204, body: undefined };
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: `${path}/times`,
      name: "getScheduleTimes",
      summary: "When a schedule fires next, and what its last times came to",
      scope: "schedule:read",
      params: IdParams,
      query: Type.Object({ count: Type.Integer({ minimum: 1, maximum: 100, default: 10 }) }),
      responses: { 200: { description: "Times", schema: TimesSchema } },
      async handle({ caller, params, query }) {
        return ok(await schedules.times({ caller, id: params.id, count: query.count }));
      },
    }),
  ];
}

function commands(schedules: Schedules): readonly Route[] {
  const pausing = (verb: "pause" | "resume", summary: string) =>
    defineRoute({
      ...head,
      ...nothing,
      method: "POST",
      path: `/api/schedules/:id/${verb}`,
      name: `${verb}Schedule`,
      summary,
      scope: "schedule:write",
      params: IdParams,
      responses: one,
      async handle({ caller, params }) {
        return ok(await schedules.setPaused({ caller, id: params.id, paused: verb === "pause" }));
      },
    });
  return [
    pausing("pause", "Let a schedule's times pass"),
    pausing("resume", "Go on with the next time; those that passed are not made up for"),
    defineRoute({
      ...head,
      ...nothing,
      method: "POST",
      path: "/api/schedules/:id/run",
      name: "runSchedule",
      summary: "Start a schedule's workflow now, with the rights of one's own key",
      scope: "workflow:run",
      params: IdParams,
      responses: { 202: { description: "The run is durable and goes on", schema: StartedRunSchema } },
      async handle({ caller, params }) {
        const { id, status, duplicate } = await schedules.run({ caller, id: params.id });
        const location = runUrl(id);
        return reply(202, { id, status, duplicate, url: location }, { location });
      },
    }),
  ];
}
