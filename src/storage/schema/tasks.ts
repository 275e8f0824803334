import { createSelectSchema } from "@alkdev/drizzlebox";
import { Type } from "@alkdev/typebox";
import { foreignKey, index, integer, pgTable, primaryKey, text, unique } from "drizzle-orm/pg-core";
import { type BoardSource, BoardSourceSchema, type TaskContent, TaskContentSchema } from "../../tasks/mod.ts";
import { common, exactJson } from "./columns.ts";
import { organizations } from "./organizations.ts";

type Attributes = Omit<TaskContent, "name" | "status" | "dependsOn" | "body">;
const { id: _id, ...rest } = common;

class Tasks {
  private static readonly boards = pgTable("boards", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    title: text("title").notNull(),
    source: exactJson("source").$type<BoardSource>(),
    createdBy: text("created_by").notNull(),
  }, (t) => [unique().on(t.orgId, t.name)]);
  private static readonly tasks = pgTable("tasks", {
    boardId: text("board_id").notNull().references(() => boards.id, { onDelete: "cascade" }),
    id: text("id").notNull(),
    ...rest,
    name: text("name").notNull(),
    status: text("status", { enum: ["pending", "in-progress", "completed", "failed", "blocked"] }).notNull(),
    note: text("note"),
    attempts: integer("attempts").notNull().default(0),
    attemptKey: text("attempt_key"),
    runId: text("run_id"),
    revision: integer("revision").notNull(),
    attributes: exactJson("attributes").$type<Attributes>().notNull(),
    body: exactJson("body").$type<string>().notNull(),
    filePath: text("file_path"),
    fileBase: exactJson("file_base").$type<TaskContent>(),
  }, (t) => [primaryKey({ columns: [t.boardId, t.id] })]);
  private static readonly dependencies = pgTable("task_dependencies", {
    boardId: text("board_id").notNull(),
    dependentTaskId: text("dependent_task_id").notNull(),
    prerequisiteTaskId: text("prerequisite_task_id").notNull(),
    position: integer("position").notNull(),
  }, (t) => [
    primaryKey({ columns: [t.boardId, t.dependentTaskId, t.prerequisiteTaskId] }),
    foreignKey({ columns: [t.boardId, t.dependentTaskId], foreignColumns: [tasks.boardId, tasks.id] })
      .onDelete("cascade"),
    index("task_dependencies_prerequisite_idx").on(t.boardId, t.prerequisiteTaskId),
  ]);
  private static readonly boardRow = createSelectSchema(Tasks.boards, {
    source: Type.Union([BoardSourceSchema, Type.Null()]),
    metadata: Type.Record(Type.String(), Type.Unknown()),
  });
  private static readonly taskRow = createSelectSchema(Tasks.tasks, {
    attributes: Type.Omit(TaskContentSchema, ["name", "status", "dependsOn", "body"]),
    body: Type.String(),
    fileBase: Type.Union([TaskContentSchema, Type.Null()]),
    metadata: Type.Record(Type.String(), Type.Unknown()),
  });
}

export const boards: (typeof Tasks)["boards"] = Tasks["boards"];
/** `body` is JSON, as a text of a client may hold what a text column does not. */
export const tasks: (typeof Tasks)["tasks"] = Tasks["tasks"];
export const taskDependencies: (typeof Tasks)["dependencies"] = Tasks["dependencies"];
export const boardRow: (typeof Tasks)["boardRow"] = Tasks["boardRow"];
export const taskRow: (typeof Tasks)["taskRow"] = Tasks["taskRow"];
