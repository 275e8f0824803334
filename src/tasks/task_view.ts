import type { Board, Task, TaskContent } from "./task.ts";

/** A task in a list. */
export interface TaskSummary extends Omit<TaskContent, "body"> {
  readonly id: string;
  readonly board: string;
  readonly note: string | null;
  readonly attempts: number;
  readonly runId: string | null;
  readonly revision: number;
  readonly path: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface TaskView extends TaskSummary {
  readonly body: string;
}

export type BoardView = Omit<Board, "id" | "orgId">;

export function boardView({ id: _id, orgId: _orgId, ...view }: Board): BoardView {
  return view;
}

export function taskSummary(board: string, task: Task): TaskSummary {
  const { orgId: _orgId, boardId: _boardId, file, body: _body, ...rest } = task;
  return { ...rest, board, path: file?.path ?? null };
}

export function taskView(board: string, task: Task): TaskView {
  return { ...taskSummary(board, task), body: task.body };
}
