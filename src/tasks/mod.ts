/** Task boards: tasks that depend on each other, in the database and in markdown files, and how they are worked off. @module */
export {
  type BoardEstimate,
  type BoardRunInput,
  boardRunInput,
  type BoardRunOptions,
  BoardRunOptionsSchema,
  estimateBoard,
  runBoard,
} from "./board_run.ts";
export { createMemoryTaskFiles } from "./memory_task_files.ts";
export { createMemoryTaskStore } from "./memory_task_store.ts";
export {
  BoardEstimateSchema,
  DecisionsSchema,
  SyncReportSchema,
  taskOperations,
  type TaskOperationsOptions,
} from "./operations.ts";
export type { BoardRuns, StatusChange, TaskFiles, TaskStore } from "./ports.ts";
export {
  BoardName,
  BoardSchema,
  BoardSourceSchema,
  NewTaskSchema,
  TaskContentSchema,
  TaskId,
  TaskSchema,
  TaskSummarySchema,
} from "./schemas.ts";
export { type CallOnSpoke, spokeFiles } from "./spoke_files.ts";
export { type StepsOptions, taskSteps } from "./steps.ts";
export type { Decisions, SyncReport } from "./sync_board.ts";
export { type Board, type BoardSource, contentOf, type Task, type TaskContent, type TaskFile } from "./task.ts";
export { type NewTask, Tasks, type TasksOptions } from "./tasks.ts";
export { boardView, taskSummary, taskView } from "./task_view.ts";
