/** Task boards: tasks that depend on each other, in the database and in markdown files, and how they are worked off. @module */
export { createMemoryTaskStore } from "./memory_task_store.ts";
export type { BoardRuns, StatusChange, TaskFiles, TaskStore } from "./ports.ts";
export { BoardSourceSchema, TaskContentSchema } from "./schemas.ts";
export { type Board, type BoardSource, contentOf, type Task, type TaskContent, type TaskFile } from "./task.ts";
