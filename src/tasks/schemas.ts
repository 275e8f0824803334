/** The JSON Schemas of boards and tasks; their types are in `task.ts`. */
import { type TObject, type TSchema, type TString, Type } from "@alkdev/typebox";
import {
  TaskImpactEnum,
  TaskLevelEnum,
  TaskPriorityEnum,
  TaskRiskEnum,
  TaskScopeEnum,
  TaskStatusEnum,
} from "@alkdev/taskgraph";

const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const closed = { additionalProperties: false } as const;
const text = (maxLength: number, description?: string): TString =>
  Type.String({ maxLength, ...(description !== undefined && { description }) });

export const MAX_BODY = 262_144;
export const MAX_TASKS = 2_000;

/** Of tasks, as people write them. No path, no arrow: they name files and edges. */
export const TaskId: TString = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" });
export const BoardName: TString = Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,62}$" });

export const BoardSourceSchema: TObject = Type.Object({
  spoke: nullable(Type.String({ minLength: 1, maxLength: 256, description: "Name of the spoke; null: any with fs.*" })),
  directory: Type.String({ minLength: 1, maxLength: 1_000, pattern: "^[^\\x00-\\x1f\\x7f]*$" }),
}, closed);

const content = {
  name: Type.String({ minLength: 1, maxLength: 300 }),
  dependsOn: Type.Array(TaskId, { maxItems: 500, description: "Ids of tasks of the same board" }),
  status: TaskStatusEnum,
  scope: nullable(TaskScopeEnum),
  risk: nullable(TaskRiskEnum),
  impact: nullable(TaskImpactEnum),
  level: nullable(TaskLevelEnum),
  priority: nullable(TaskPriorityEnum),
  tags: Type.Array(text(100), { maxItems: 50 }),
  assignee: nullable(text(200)),
  due: nullable(text(100)),
  created: nullable(text(100)),
  modified: nullable(text(100)),
  body: text(MAX_BODY, "Markdown: what is to be done"),
};

export const TaskContentSchema: TObject = Type.Object(content, closed);

/** A task as it comes in: what is left out is not given. */
export const NewTaskSchema: TObject = Type.Object({
  ...Object.fromEntries(Object.entries(content).map(([field, schema]) => [field, Type.Optional(schema)])),
  name: content.name,
}, closed);

export const BoardSchema: TSchema = Type.Object({
  name: Type.String(),
  title: Type.String(),
  source: nullable(Type.Object({ spoke: nullable(Type.String()), directory: Type.String() })),
  createdBy: Type.String(),
  createdAt: Type.Integer({ description: "Ms since the epoch" }),
  updatedAt: Type.Integer({ description: "Ms since the epoch" }),
}, { $id: "Board" });

const summary = {
  id: Type.String(),
  board: Type.String(),
  name: Type.String(),
  dependsOn: Type.Array(Type.String()),
  status: TaskStatusEnum,
  note: nullable(Type.String({ description: "Why the status is what it is" })),
  scope: nullable(TaskScopeEnum),
  risk: nullable(TaskRiskEnum),
  impact: nullable(TaskImpactEnum),
  level: nullable(TaskLevelEnum),
  priority: nullable(TaskPriorityEnum),
  tags: Type.Array(Type.String()),
  assignee: nullable(Type.String()),
  due: nullable(Type.String()),
  created: nullable(Type.String()),
  modified: nullable(Type.String()),
  attempts: Type.Integer({ description: "How often it has been set to work" }),
  runId: nullable(Type.String({ description: "The run that last set it to work" })),
  revision: Type.Integer(),
  path: nullable(Type.String({ description: "Its file; null: it is in none" })),
  createdAt: Type.Integer({ description: "Ms since the epoch" }),
  updatedAt: Type.Integer({ description: "Ms since the epoch" }),
};

export const TaskSummarySchema: TSchema = Type.Object(summary, { $id: "TaskSummary" });
export const TaskSchema: TSchema = Type.Object({ ...summary, body: Type.String() }, { $id: "Task" });
