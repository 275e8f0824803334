/** The JSON Schemas of the operations `coord.*`; their types are in `requests.ts`. */
import { type TObject, type TSchema, Type } from "@alkdev/typebox";

const closed = { additionalProperties: false } as const;
const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const literals = (...values: readonly string[]): TSchema => Type.Union(values.map((value) => Type.Literal(value)));
const list = (schema: TSchema, maxItems: number): TSchema => Type.Array(schema, { maxItems });
const ms = (description: string): TSchema => Type.Integer({ description: `${description}, ms since the epoch` });

const Id: TSchema = Type.String({ minLength: 1, maxLength: 100 });
const Key: TSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  description: "The same for a request that is sent again",
});
const Prompt: TSchema = Type.String({ minLength: 1, maxLength: 100_000 });
const TaskName: TSchema = Type.String({ minLength: 1, maxLength: 200 });
const RoleRef: TSchema = Type.String({ minLength: 1, maxLength: 80, description: "`name` or `name@version`" });
const Model: TSchema = Type.String({ minLength: 1, maxLength: 400 });
const Revision: TSchema = Type.String({ minLength: 1, maxLength: 200, pattern: "^[^-]" });
const Path: TSchema = Type.String({ minLength: 1, maxLength: 1000 });
const Amount: TSchema = Type.Integer({ minimum: 0 });
const Removal: TSchema = literals("clean", "force", "never");
const Status: TSchema = literals("active", "completed", "aborted", "failed");
const Level: TSchema = literals("info", "warning", "blocking");
const Worktree: TSchema = literals("none", "wanted", "present", "removed", "kept");
const Failure: TSchema = nullable(Type.Object({ code: Type.String(), message: Type.String() }));

const Budget: TSchema = Type.Object({
  calls: Type.Optional(Amount),
  tokens: Type.Optional(Amount),
  costMicros: Type.Optional(Amount),
  wallMs: Type.Optional(Amount),
  depth: Type.Optional(Amount),
}, { ...closed, description: "Of each session with all that is spawned below it" });

const selection = {
  ids: Type.Optional(list(Id, 200)),
  sessionIds: Type.Optional(list(Id, 200)),
  taskIds: Type.Optional(list(Id, 200)),
  parentSessionId: Type.Optional(Id),
  parentRunId: Type.Optional(Id),
  treeId: Type.Optional(Id),
};

const Task: TSchema = Type.Object({
  task: TaskName,
  prompt: Type.Optional(Prompt),
  role: Type.Optional(RoleRef),
  model: Type.Optional(Model),
  taskId: Type.Optional(Id),
  branch: Type.Optional(Revision),
  spoke: Type.Optional(Id),
  from: Type.Optional(Revision),
  budget: Type.Optional(Budget),
}, closed);

const Workspace: TSchema = Type.Object({
  spoke: Type.Optional(Id),
  repository: Type.Optional(Path),
  from: Type.Optional(Revision),
  directory: Type.Optional(Path),
  prefix: Type.Optional(Type.String({ maxLength: 60, pattern: "^([^-].*)?$" })),
  remove: Type.Optional(Removal),
}, { ...closed, description: "Makes a worktree on a dev spoke for each session; absent: none" });

const spawned = {
  id: Type.String({ description: "Of the mapping" }),
  task: Type.String(),
  taskId: nullable(Type.String()),
  sessionId: nullable(Type.String()),
  status: Status,
  branch: nullable(Type.String()),
  directory: nullable(Type.String()),
  spoke: nullable(Type.String()),
  depth: Type.Integer(),
  error: Failure,
};

export const SpawnInputSchema: TObject = Type.Object({
  tasks: Type.Array(Task, { minItems: 1, maxItems: 50 }),
  prompt: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 100_000,
    description: "For tasks without one of their own; {{task}} stands for the task's name",
  })),
  role: Type.Optional(RoleRef),
  model: Type.Optional(Model),
  workspace: Type.Optional(Workspace),
  budget: Type.Optional(Budget),
  parentSessionId: Type.Optional(Id),
  key: Type.Optional(Key),
}, closed);
export const SpawnOutputSchema: TObject = Type.Object({ spawned: Type.Array(Type.Object(spawned)) });

export const StatusInputSchema: TObject = Type.Object({
  ...selection,
  status: Type.Optional(list(Status, 4)),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  after: Type.Optional(Id),
}, closed);

const Usage: TSchema = Type.Object({
  inputTokens: Amount,
  outputTokens: Amount,
  costMicros: Amount,
  steps: Amount,
  turns: Amount,
  toolCalls: Amount,
  toolErrors: Amount,
  malformedCalls: Amount,
});
const Report: TSchema = Type.Object({
  ...spawned,
  treeId: Type.String(),
  parentSessionId: nullable(Type.String()),
  parentRunId: nullable(Type.String()),
  role: nullable(Type.String()),
  state: literals("spawning", "idle", "busy", "waiting", "stopped", "failed", "gone"),
  runId: nullable(Type.String()),
  current: Type.Array(Type.Object({
    runId: Type.String(),
    nodeKey: Type.String(),
    operationId: Type.String(),
    startedAt: ms("Since when"),
  })),
  lastMessage: nullable(Type.Object({ role: literals("user", "assistant", "system"), text: Type.String() })),
  usage: nullable(Usage),
  lastActivityAt: nullable(ms("When anything last happened in it")),
  anomalies: Type.Array(Type.Object({
    type: Type.String(),
    severity: literals("low", "medium", "high"),
    suggestion: Type.String(),
    createdAt: ms("When it was noticed"),
  })),
  blockedBy: nullable(Type.Object({ noticeId: Type.String(), runId: nullable(Type.String()), text: Type.String() })),
  worktree: Worktree,
  round: Type.Integer({ description: "How often it has been set to work" }),
  result: nullable(Type.String({ description: "What it said last when it ended" })),
  createdAt: ms("When it was spawned"),
  completedAt: nullable(ms("When it ended")),
});
export const StatusOutputSchema: TObject = Type.Object({
  sessions: Type.Array(Report),
  after: nullable(Type.String({ description: "For the next page" })),
});

export const MessageInputSchema: TObject = Type.Object({
  id: Type.Optional(Id),
  sessionId: Type.Optional(Id),
  message: Prompt,
  key: Type.Optional(Key),
}, closed);
export const MessageOutputSchema: TObject = Type.Object({
  noticeId: Type.String(),
  id: Type.String(),
  sessionId: nullable(Type.String()),
  outcome: literals("delivered", "answered", "queued"),
});

export const NotifyInputSchema: TObject = Type.Object({
  message: Type.String({ minLength: 1, maxLength: 20_000 }),
  level: Type.Optional(Level),
  sessionId: Type.Optional(Id),
  key: Type.Optional(Key),
}, closed);
export const NotifyOutputSchema: TObject = Type.Object({
  noticeId: Type.String(),
  answer: Type.Unknown({ description: "Of a blocking one: what was answered" }),
});

export const AbortInputSchema: TObject = Type.Object({
  ...selection,
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
  remove: Type.Optional(Removal),
}, closed);
export const AbortOutputSchema: TObject = Type.Object({
  aborted: Type.Array(Type.Object({
    id: Type.String(),
    sessionId: nullable(Type.String()),
    task: Type.String(),
    status: Status,
    worktree: Worktree,
  })),
});

export const WaitInputSchema: TObject = Type.Object({
  ...selection,
  until: Type.Optional(Type.Union([
    Type.Literal("all"),
    Type.Literal("any"),
    Type.Integer({ minimum: 1, maximum: 200 }),
  ])),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 7 * 24 * 3_600_000 })),
}, closed);
export const WaitOutputSchema: TObject = Type.Object({
  done: Type.Boolean(),
  ended: Type.Integer(),
  at: ms("When this was so"),
  sessions: Type.Array(Type.Object({
    ...spawned,
    result: nullable(Type.String()),
    round: Type.Integer(),
  })),
});

export const DetectInputSchema: TObject = Type.Object(selection, closed);
export const DetectOutputSchema: TObject = Type.Object({
  anomalies: Type.Array(Type.Object({
    id: Type.String(),
    sessionId: Type.String(),
    type: Type.String(),
    severity: literals("low", "medium", "high"),
    occurrence: Type.String(),
    suggestion: Type.String(),
    details: Type.Record(Type.String(), Type.Unknown()),
    isNew: Type.Boolean({ description: "False: it was recorded before" }),
  })),
});
