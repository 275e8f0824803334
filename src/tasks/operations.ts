import { defineOperation, type OperationContext, type OperationRegistration } from "@alkdev/operations";
import { TaskStatusEnum } from "@alkdev/taskgraph";
import { type TSchema, Type } from "@alkdev/typebox";
import type { Caller } from "../runs/mod.ts";
import { BoardRunOptionsSchema, estimateBoard, runBoard } from "./board_run.ts";
import type { BoardRuns } from "./ports.ts";
import {
  BoardName,
  BoardSchema,
  BoardSourceSchema,
  NewTaskSchema,
  TaskId,
  TaskSchema,
  TaskSummarySchema,
} from "./schemas.ts";
import type { NewTask, Tasks } from "./tasks.ts";
import { boardView, taskSummary, taskView } from "./task_view.ts";
import type { BoardSource } from "./task.ts";
import type { BoardRunOptions } from "./board_run.ts";

export interface TaskOperationsOptions {
  readonly tasks: Tasks;
  readonly runs: Pick<BoardRuns, "start">;
  /** On whose behalf a call is made. */
  readonly callerOf: (context: OperationContext) => Caller;
  /** Writes down who did what; must not throw. */
  readonly acted: (
    act: { readonly caller: Caller; readonly action: string; readonly details: Readonly<Record<string, unknown>> },
  ) => Promise<void>;
}

const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const closed = { additionalProperties: false } as const;
const ids = Type.Array(Type.String());
const Conflict = Type.Object({
  id: Type.String(),
  path: Type.String(),
  fields: Type.Array(Type.Object({ field: Type.String(), board: Type.Unknown(), file: Type.Unknown() })),
});
const FileProblem = Type.Object({ path: Type.String(), message: Type.String() });

/** What a synchronisation came to. */
export const SyncReportSchema: TSchema = Type.Object({
  created: ids,
  updated: ids,
  written: ids,
  removed: ids,
  unchanged: Type.Integer(),
  conflicts: Type.Array(Conflict, { description: "Touched on neither side; fields empty: the file is gone" }),
  problems: Type.Array(FileProblem),
}, { $id: "TaskSync" });

/** What is to be expected of a board. */
export const BoardEstimateSchema: TSchema = Type.Object({
  tasks: Type.Integer(),
  completed: Type.Integer(),
  left: Type.Integer(),
  groups: Type.Array(ids, { description: "What can be done at once, one group after the other" }),
  criticalPath: ids,
  expectedCost: Type.Number({ description: "In units of scope: 1 (single) to 5 (system), times the impact" }),
  expectedTokens: Type.Number(),
  probability: Type.Number({ description: "That no task fails at its first attempt" }),
  riskPath: ids,
  risk: Type.Number(),
  bottlenecks: ids,
  decompose: Type.Array(Type.Object({ id: Type.String(), reasons: ids })),
  problems: Type.Array(Type.String(), { description: "Why it cannot be run" }),
}, { $id: "BoardEstimate" });

/** How conflicts are decided. */
export const DecisionsSchema: TSchema = Type.Record(
  TaskId,
  Type.Union([Type.Literal("file"), Type.Literal("board")]),
  { maxProperties: 2_000 },
);

interface Reading {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input?: Readonly<Record<string, TSchema>>;
  readonly output: TSchema;
  readonly run: (tasks: Tasks, caller: Caller, input: never) => Promise<unknown>;
}

/** `task.list`, `.show`, `.deps`, `.topo` and the other questions; `.put`, `.updateStatus`, `.sync`, `.run`. */
export function taskOperations(options: TaskOperationsOptions): readonly OperationRegistration[] {
  return [...READINGS.map((reading) => readingOperation(options, reading)), ...changes(options)];
}

function readingOperation({ tasks, callerOf }: TaskOperationsOptions, reading: Reading): OperationRegistration {
  const { name, title, description, input = {}, output, run } = reading;
  return defineOperation({
    namespace: "task",
    name,
    version: "1.0.0",
    type: "query",
    title,
    description,
    tags: ["tasks"],
    accessControl: { requiredScopes: ["task:read"] },
    inputSchema: Type.Object({ board: BoardName, ...input }, closed),
    outputSchema: output,
    // The registry has checked the input against the schema of this very operation.
    handler: (given, context) => run(tasks, callerOf(context), given as never),
  });
}

type OfBoard = { readonly board: string };
type OfTask = OfBoard & { readonly id: string };
type Of<T> = OfBoard & T;
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000 }));

/** The questions; each is `task.<name>` and a route. */
export const READINGS: readonly Reading[] = [
  {
    name: "list",
    title: "List tasks",
    description: "Tasks of a board, without their texts, by id; of one status or tag if wanted.",
    input: {
      status: Type.Optional(TaskStatusEnum),
      tag: Type.Optional(Type.String({ maxLength: 100 })),
      ready: Type.Optional(Type.Boolean({ description: "Only those that could be begun now" })),
    },
    output: Type.Object({ tasks: Type.Array(TaskSummarySchema) }),
    async run(tasks, caller, { board, status, tag, ready }: Of<{ status?: string; tag?: string; ready?: boolean }>) {
      const { tasks: all, graph } = await tasks.graph({ caller, board });
      const found = all.filter((task) =>
        (status === undefined || task.status === status) && (tag === undefined || task.tags.includes(tag)) &&
        (ready === undefined || ready === (task.status === "pending" && graph.deps(task.id).ready))
      );
      return { tasks: found.map((task) => taskSummary(board, task)) };
    },
  },
  {
    name: "show",
    title: "Show a task",
    description: "A task with its text.",
    input: { id: TaskId },
    output: TaskSchema,
    run: async (tasks, caller, { board, id }: OfTask) => taskView(board, await tasks.task({ caller, board, id })),
  },
  {
    name: "deps",
    title: "What a task waits for",
    description: "Direct dependencies and dependents of a task, and whether it could be begun now.",
    input: { id: TaskId },
    output: Type.Object({
      dependencies: Type.Array(TaskSummarySchema),
      dependents: Type.Array(TaskSummarySchema),
      missing: ids,
      ready: Type.Boolean(),
    }),
    async run(tasks, caller, { board, id }: OfTask) {
      await tasks.task({ caller, board, id });
      const { tasks: all, graph } = await tasks.graph({ caller, board });
      const { dependencies, dependents, missing, ready } = graph.deps(id);
      const views = (wanted: readonly string[]) =>
        all.filter((task) => wanted.includes(task.id)).map((task) => taskSummary(board, task));
      return { dependencies: views(dependencies), dependents: views(dependents), missing, ready };
    },
  },
  {
    name: "validate",
    title: "Find what is wrong with a board",
    description: "Cycles, and dependencies on tasks that are not there.",
    output: Type.Object({
      problems: Type.Array(
        Type.Object({ category: Type.String(), taskId: nullable(Type.String()), message: Type.String() }),
      ),
    }),
    run: async (tasks, caller, { board }: OfBoard) => ({
      problems: (await tasks.graph({ caller, board })).graph.problems(),
    }),
  },
  {
    name: "topo",
    title: "Order tasks",
    description: "Ids, each after all that it depends on.",
    output: Type.Object({ order: ids }),
    run: async (tasks, caller, { board }: OfBoard) => ({ order: (await tasks.graph({ caller, board })).graph.topo() }),
  },
  {
    name: "parallelGroups",
    title: "What can be done at once",
    description: "Ids by depth: all of a group can be done at once when the groups before are done.",
    output: Type.Object({ groups: Type.Array(ids) }),
    run: async (tasks, caller, { board }: OfBoard) => ({
      groups: (await tasks.graph({ caller, board })).graph.parallelGroups(),
    }),
  },
  {
    name: "criticalPath",
    title: "The longest way through",
    description: "The path of most tasks, cost or risk.",
    input: {
      weight: Type.Optional(Type.Union([Type.Literal("tasks"), Type.Literal("cost"), Type.Literal("risk")])),
    },
    output: Type.Object({ path: ids }),
    run: async (tasks, caller, { board, weight }: Of<{ weight?: "tasks" | "cost" | "risk" }>) => ({
      path: (await tasks.graph({ caller, board })).graph.criticalPath(weight),
    }),
  },
  {
    name: "bottlenecks",
    title: "What most hangs on",
    description: "Tasks by how many shortest paths lead through them, most first.",
    input: { limit: Limit },
    output: Type.Object({ tasks: Type.Array(Type.Object({ taskId: Type.String(), score: Type.Number() })) }),
    run: async (tasks, caller, { board, limit = 10 }: Of<{ limit?: number }>) => ({
      tasks: (await tasks.graph({ caller, board })).graph.bottlenecks(limit),
    }),
  },
  {
    name: "risk",
    title: "Where it is likely to go wrong",
    description: "The path with the most risk on it, and tasks by risk.",
    output: Type.Object({ path: ids, totalRisk: Type.Number(), distribution: Type.Record(Type.String(), ids) }),
    run: async (tasks, caller, { board }: OfBoard) => (await tasks.graph({ caller, board })).graph.risk(),
  },
  {
    name: "cost",
    title: "What it is expected to cost",
    description: "Expected cost of each task in units of scope, given that those before it may fail, and the sum.",
    input: { includeCompleted: Type.Optional(Type.Boolean()), limit: Limit },
    output: Type.Object({
      tasks: Type.Array(Type.Record(Type.String(), Type.Unknown())),
      totalEv: Type.Number(),
      averageEv: Type.Number(),
      propagationMode: Type.String(),
    }),
    run: async (tasks, caller, { board, ...given }: Of<{ includeCompleted?: boolean; limit?: number }>) =>
      (await tasks.graph({ caller, board })).graph.cost(given),
  },
  {
    name: "decompose",
    title: "What is better divided",
    description: "Whether tasks are too risky or too wide to be done in one piece, and why.",
    input: { id: Type.Optional(TaskId) },
    output: Type.Object({
      tasks: Type.Array(Type.Object({ id: Type.String(), shouldDecompose: Type.Boolean(), reasons: ids })),
    }),
    async run(tasks, caller, { board, id }: Of<{ id?: string }>) {
      if (id !== undefined) await tasks.task({ caller, board, id });
      const all = (await tasks.graph({ caller, board })).graph.decompose();
      return { tasks: id === undefined ? all : all.filter((task) => task.id === id) };
    },
  },
  {
    name: "estimate",
    title: "What to expect of a board",
    description: "Groups, critical path, expected cost, tokens and risk of what is left of a board.",
    output: BoardEstimateSchema,
    run: async (tasks, caller, { board }: OfBoard) => estimateBoard(await tasks.graph({ caller, board })),
  },
];

function changes({ tasks, runs, callerOf, acted }: TaskOperationsOptions): readonly OperationRegistration[] {
  const head = {
    namespace: "task",
    version: "1.0.0",
    type: "mutation",
    tags: ["tasks"],
    accessControl: { requiredScopes: ["task:write"] },
  } as const;
  return [
    defineOperation({
      ...head,
      name: "createBoard",
      title: "Make a board",
      description: "Makes an empty board, in the database alone or beside a directory of markdown files on a spoke.",
      inputSchema: Type.Object({
        board: BoardName,
        title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
        source: Type.Optional(BoardSourceSchema),
      }, closed),
      outputSchema: BoardSchema,
      async handler({ board: name, title, source }, context) {
        const caller = callerOf(context);
        const given = {
          ...(title !== undefined && { title }),
          ...(source !== undefined && { source: source as unknown as BoardSource }), // as its schema says
        };
        const board = await tasks.createBoard({ caller, name, ...given });
        await acted({ caller, action: "board.created", details: { board: name } });
        return boardView(board);
      },
    }),
    defineOperation({
      ...head,
      name: "put",
      title: "Write a task",
      description: "Makes a task or writes it anew.",
      inputSchema: Type.Object({
        board: BoardName,
        id: TaskId,
        task: NewTaskSchema,
        revision: Type.Optional(
          Type.Integer({ minimum: 0, description: "The one it is meant to follow; 0: a new task" }),
        ),
      }, closed),
      outputSchema: TaskSchema,
      async handler({ board, id, task, revision }, context) {
        const given = { task: task as NewTask, ...(revision !== undefined && { revision }) }; // as its schema says
        return taskView(board, await tasks.put({ caller: callerOf(context), board, id, ...given }));
      },
    }),
    defineOperation({
      ...head,
      name: "updateStatus",
      title: "Change a task's status",
      description: "Changes a status in one step, for all at once, and says why.",
      inputSchema: Type.Object({
        board: BoardName,
        id: TaskId,
        status: TaskStatusEnum,
        note: Type.Optional(Type.String({ maxLength: 4_000, description: "Why" })),
        from: Type.Optional(Type.Array(TaskStatusEnum, { description: "Only from one of these" })),
      }, closed),
      outputSchema: TaskSummarySchema,
      async handler({ board, ...change }, context) {
        return taskSummary(board, await tasks.updateStatus({ caller: callerOf(context), board, ...change }));
      },
    }),
    defineOperation({
      ...head,
      name: "sync",
      title: "Bring a board and its files together",
      description: "Takes what files and board have changed to each other; what both have changed is reported.",
      inputSchema: Type.Object({
        board: BoardName,
        dryRun: Type.Optional(Type.Boolean()),
        take: Type.Optional(DecisionsSchema),
      }, closed),
      outputSchema: SyncReportSchema,
      async handler({ board, dryRun = false, take }, context) {
        const decisions = (take ?? {}) as Readonly<Record<string, "file" | "board">>; // as its schema says
        const signal = context.signal === undefined ? {} : { signal: context.signal };
        return await tasks.sync({ caller: callerOf(context), board, dryRun, decisions, ...signal });
      },
    }),
    defineOperation({
      ...head,
      name: "run",
      title: "Work a board off",
      description: "Starts a run over what is left of a board: each task a session, when what it depends on is done.",
      accessControl: { requiredScopes: ["task:write", "workflow:run"] },
      inputSchema: Type.Object({ board: BoardName, options: Type.Optional(BoardRunOptionsSchema) }, closed),
      outputSchema: Type.Object({ id: Type.String(), status: Type.String() }),
      async handler({ board, options = {} }, context) {
        const caller = callerOf(context);
        const started = await runBoard({ tasks, runs, caller, board, options: options as BoardRunOptions });
        await acted({ caller, action: "board.run", details: { board, runId: started.id } });
        return started;
      },
    }),
  ];
}
