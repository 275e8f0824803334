/** What task boards need from the world. In memory: `memory_task_store.ts`; the suite is in tests/conformance. */
import type { TaskStatus } from "@alkdev/taskgraph";
import type { Caller } from "../runs/mod.ts";
import type { Board, BoardSource, Task } from "./task.ts";

/** How a task's status is changed. */
export interface StatusChange {
  readonly boardId: string;
  readonly id: string;
  readonly to: TaskStatus;
  /** Only from one of these; absent: from any. */
  readonly from?: readonly TaskStatus[];
  readonly note: string | null;
  /** Sets it to work: counts an attempt of this run, once for one `key`. */
  readonly begin?: { readonly runId: string | null; readonly key: string };
  /** Ms since the epoch. */
  readonly now: number;
}

/**
 * Boards and their tasks, by organization. A task is only changed from the revision that was read, so that of two changes none is
 * lost. Names and ids sort by their characters' codes.
 */
export interface TaskStore {
  /** False: the name is taken. */
  createBoard(board: Board): Promise<boolean>;
  board(params: { readonly orgId: string; readonly name: string }): Promise<Board | null>;
  /** By name; `after` is the last of the page before. */
  boards(
    params: { readonly orgId: string; readonly limit: number; readonly after: string | null },
  ): Promise<readonly Board[]>;
  /** Null: there is no such board. */
  changeBoard(
    params: {
      readonly orgId: string;
      readonly name: string;
      readonly title?: string;
      readonly source?: BoardSource | null;
      readonly now: number;
    },
  ): Promise<Board | null>;
  /** With its tasks. */
  removeBoard(params: { readonly orgId: string; readonly name: string }): Promise<boolean>;
  /** All of a board, by id. */
  tasks(params: { readonly boardId: string }): Promise<readonly Task[]>;
  task(params: { readonly boardId: string; readonly id: string }): Promise<Task | null>;
  /** Writes a task whose revision is one more than the stored one; revision 1 is a new task. False: somebody was first. */
  write(task: Task): Promise<boolean>;
  /** False: its revision is another, or it is gone. */
  remove(params: { readonly boardId: string; readonly id: string; readonly revision: number }): Promise<boolean>;
  /**
   * Changes a status in one step, whatever the revision is.
   *
   * @returns the task as it is then; `refused`: it is in none of the statuses `from`, and stays. Null: there is no such task
   */
  setStatus(change: StatusChange): Promise<{ readonly task: Task; readonly refused: boolean } | null>;
}

/** The files of one board's source. Rejects with what the spoke said. */
export interface TaskFiles {
  /** Markdown files below the directory, with their texts, by path. */
  read(params: { readonly caller: Caller; readonly source: BoardSource; readonly signal?: AbortSignal }): Promise<
    readonly { readonly path: string; readonly text: string }[]
  >;
  /**
   * Writes a file only where it still holds `before` (null: is not there yet). False: it does not.
   */
  write(
    params: {
      readonly caller: Caller;
      readonly source: BoardSource;
      readonly path: string;
      readonly text: string;
      readonly before: string | null;
      readonly signal?: AbortSignal;
    },
  ): Promise<boolean>;
}

/** Runs, as far as boards need them. */
export interface BoardRuns {
  /** Starts a board's run. */
  start(
    params: {
      readonly caller: Caller;
      readonly input: unknown;
      readonly labels: Readonly<Record<string, string>>;
    },
  ): Promise<{ readonly id: string; readonly status: string }>;
  /** How a run ended; null: it has not. A run that is gone has ended as `gone`. */
  ended(params: { readonly caller: Caller; readonly runId: string }): Promise<string | null>;
}
