import { type TSchema, Type } from "@alkdev/typebox";
import {
  BoardEstimateSchema,
  BoardName,
  type BoardRunOptions,
  BoardRunOptionsSchema,
  BoardSchema,
  type BoardSource,
  BoardSourceSchema,
  boardView,
  type Decisions,
  DecisionsSchema,
  estimateBoard,
  type NewTask,
  NewTaskSchema,
  SyncReportSchema,
  type Tasks,
  TaskSchema,
  taskSummary,
  TaskSummarySchema,
  taskView,
} from "../../tasks/mod.ts";
import type { Caller } from "../../runs/mod.ts";
import { paginate } from "../paginate.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { Cursor, Limit, Name, NameParams, PageQuery } from "../schemas/parameters.ts";

/** What the routes work with. */
export interface TaskRoutesOptions {
  readonly tasks: Tasks;
  run(
    params: { readonly caller: Caller; readonly board: string; readonly options: BoardRunOptions },
  ): Promise<{ readonly id: string; readonly status: string }>;
}

const head = { tag: "tasks" } as const;
const strict = { additionalProperties: false } as const;
const Title = Type.String({ minLength: 1, maxLength: 200 });
const TaskParams = Type.Object({ name: Name, id: Name });
const source = (given: unknown): BoardSource | null => given as BoardSource | null; // checked against its schema
const Status = Type.Union(
  ["pending", "in-progress", "completed", "failed", "blocked"].map((status) => Type.Literal(status)),
);

/** `/api/tasks` and `/api/boards`. */
export function taskRoutes(options: TaskRoutesOptions): readonly Route[] {
  return [...boardRoutes(options), ...workRoutes(options), ...ofTasks(options)];
}

function boardRoutes({ tasks }: TaskRoutesOptions): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/boards",
      name: "listBoards",
      summary: "Boards by name",
      scope: "task:read",
      query: PageQuery,
      responses: { 200: { description: "A page of boards", schema: pageOf(BoardSchema) } },
      async handle({ caller, query }) {
        const { items, nextCursor } = await tasks.boards({ caller, ...query });
        return ok({ items: items.map(boardView), nextCursor });
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/boards",
      name: "createBoard",
      summary: "Make an empty board, in the database alone or beside a directory of markdown files on a spoke",
      scope: "task:write",
      body: Type.Object({
        name: BoardName,
        title: Type.Optional(Title),
        source: Type.Optional(nullable(BoardSourceSchema)),
      }, strict),
      responses: { 201: { description: "The board", schema: BoardSchema } },
      async handle({ caller, body: { name, title, source: given } }) {
        const more = { ...(title !== undefined && { title }), ...(given !== undefined && { source: source(given) }) };
        return reply(201, boardView(await tasks.createBoard({ caller, name, ...more })));
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/boards/:name",
      name: "getBoard",
      summary: "A board with what it is expected to take",
      scope: "task:read",
      params: NameParams,
      responses: {
        200: {
          description: "The board, its tasks by status, and the estimate of what is left",
          schema: Type.Object({
            board: BoardSchema,
            counts: Type.Record(Type.String(), Type.Integer()),
            estimate: BoardEstimateSchema,
          }),
        },
      },
      async handle({ caller, params }) {
        const { board, tasks: all, graph } = await tasks.graph({ caller, board: params.name });
        const counts: Record<string, number> = {};
        for (const { status } of all) counts[status] = (counts[status] ?? 0) + 1;
        return ok({ board: boardView(board), counts, estimate: estimateBoard({ tasks: all, graph }) });
      },
    }),
    defineRoute({
      ...head,
      method: "PUT",
      path: "/api/boards/:name",
      name: "changeBoard",
      summary: "Change a board's title or source",
      scope: "task:write",
      params: NameParams,
      body: Type.Object(
        { title: Type.Optional(Title), source: Type.Optional(nullable(BoardSourceSchema)) },
        strict,
      ),
      responses: { 200: { description: "The board", schema: BoardSchema } },
      async handle({ caller, params, body: { title, source: given } }) {
        const more = { ...(title !== undefined && { title }), ...(given !== undefined && { source: source(given) }) };
        return ok(boardView(await tasks.changeBoard({ caller, name: params.name, ...more })));
      },
    }),
    defineRoute({
      ...head,
      method: "DELETE",
      path: "/api/boards/:name",
      name: "removeBoard",
      summary: "Remove a board with its tasks; files stay",
      scope: "task:write",
      params: NameParams,
      responses: { 204: { description: "It is gone" } },
      async handle({ caller, params }) {
        await tasks.removeBoard({ caller, name: params.name });
        return reply(204, undefined);
      },
    }),
  ];
}

function workRoutes({ tasks, run }: TaskRoutesOptions): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/boards/:name/sync",
      name: "syncBoard",
      summary: "Bring a board and its files together; what both have changed is reported, and touched on neither side",
      scope: "task:write",
      params: NameParams,
      body: Type.Object({ dryRun: Type.Optional(Type.Boolean()), take: Type.Optional(DecisionsSchema) }, strict),
      bodyDefault: {},
      responses: { 200: { description: "What was done", schema: SyncReportSchema } },
      async handle({ caller, params, body: { dryRun = false, take = {} }, request: { signal } }) {
        const decisions = take as Decisions; // checked against its schema
        return ok(await tasks.sync({ caller, board: params.name, dryRun, decisions, signal }));
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/boards/:name/dry-run",
      name: "dryRunBoard",
      summary: "What working off the rest of a board is expected to take",
      scope: "task:read",
      params: NameParams,
      responses: { 200: { description: "The estimate", schema: BoardEstimateSchema } },
      handle: async ({ caller, params }) => ok(estimateBoard(await tasks.graph({ caller, board: params.name }))),
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/boards/:name/runs",
      name: "runBoard",
      summary: "Work a board off: a run in which each task is a session, when what it depends on is done",
      scope: "task:write",
      params: NameParams,
      body: BoardRunOptionsSchema,
      bodyDefault: {},
      responses: {
        202: { description: "The run", schema: Type.Object({ id: Type.String(), status: Type.String() }) },
      },
      async handle({ caller, params, body }) {
        // Checked against its schema.
        return reply(202, await run({ caller, board: params.name, options: body as BoardRunOptions }));
      },
    }),
  ];
}

function ofTasks({ tasks }: TaskRoutesOptions): readonly Route[] {
  const task = { ...head, path: "/api/boards/:name/tasks/:id", params: TaskParams } as const;
  const answer = (
    description: string,
  ): { readonly 200: { readonly description: string; readonly schema: TSchema } } => ({
    200: { description, schema: TaskSchema },
  });
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/tasks",
      name: "listTasks",
      summary: "Tasks of a board by id, without their texts",
      scope: "task:read",
      query: Type.Object({ board: BoardName, status: Type.Optional(Status), limit: Limit, cursor: Cursor }),
      responses: { 200: { description: "A page of tasks", schema: pageOf(TaskSummarySchema) } },
      async handle({ caller, query: { board, status, ...page } }) {
        const { tasks: all } = await tasks.tasks({ caller, board });
        const found = all.filter((one) => status === undefined || one.status === status);
        const { items, nextCursor } = paginate(found, ({ id }) => id, page);
        return ok({ items: items.map((one) => taskSummary(board, one)), nextCursor });
      },
    }),
    defineRoute({
      ...task,
      method: "GET",
      name: "getTask",
      summary: "A task with its text",
      scope: "task:read",
      responses: answer("The task"),
      async handle({ caller, params: { name: board, id } }) {
        return ok(taskView(board, await tasks.task({ caller, board, id })));
      },
    }),
    defineRoute({
      ...task,
      method: "PUT",
      name: "putTask",
      summary: "Make a task, or write it anew",
      scope: "task:write",
      query: Type.Object({
        revision: Type.Optional(Type.Integer({
          minimum: 0,
          maximum: 1_000_000_000,
          description: "The one it is meant to follow, 0 for a new task; another one is refused",
        })),
      }),
      body: NewTaskSchema,
      responses: answer("The task"),
      async handle({ caller, params: { name: board, id }, query, body }) {
        const given = body as unknown as NewTask; // checked against its schema
        return ok(taskView(board, await tasks.put({ caller, board, id, task: given, ...query })));
      },
    }),
    defineRoute({
      ...task,
      method: "DELETE",
      name: "removeTask",
      summary: "Remove a task that is in no file",
      scope: "task:write",
      responses: { 204: { description: "It is gone" } },
      async handle({ caller, params: { name: board, id } }) {
        await tasks.remove({ caller, board, id });
        return reply(204, undefined);
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/boards/:name/tasks/:id/status",
      name: "updateTaskStatus",
      summary: "Change a task's status in one step, and say why",
      scope: "task:write",
      params: TaskParams,
      body: Type.Object({
        status: Status,
        note: Type.Optional(nullable(Type.String({ maxLength: 4_000 }))),
        from: Type.Optional(Type.Array(Status, { maxItems: 5, description: "Only from one of these" })),
      }, strict),
      responses: { 200: { description: "The task", schema: TaskSummarySchema } },
      async handle({ caller, params: { name: board, id }, body }) {
        const change = body as Omit<Parameters<Tasks["updateStatus"]>[0], "caller" | "board" | "id">; // as its schema says
        return ok(taskSummary(board, await tasks.updateStatus({ caller, board, id, ...change })));
      },
    }),
  ];
}
