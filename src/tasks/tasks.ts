import { CallError } from "@alkdev/operations";
import type { TaskStatus } from "@alkdev/taskgraph";
import { Value } from "@alkdev/typebox/value";
import type { Caller, Page } from "../runs/mod.ts";
import type { BoardRuns, StatusChange, TaskFiles, TaskStore } from "./ports.ts";
import { BoardName, MAX_TASKS, NewTaskSchema, TaskId } from "./schemas.ts";
import { type Decisions, syncBoard, type SyncReport } from "./sync_board.ts";
import { type Board, type BoardSource, isSameContent, type Task, type TaskContent } from "./task.ts";
import { BoardGraph } from "./task_graph.ts";

export interface TasksOptions {
  readonly store: TaskStore;
  readonly files: TaskFiles;
  readonly runs: Pick<BoardRuns, "ended">;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** A board with all its tasks, as they are now. */
export interface BoardTasks {
  readonly board: Board;
  readonly tasks: readonly Task[];
}

/** A task as it is put: what is left out is not given. */
export type NewTask = Partial<Omit<TaskContent, "name">> & Pick<TaskContent, "name">;

const UNGIVEN: Omit<TaskContent, "name"> = {
  dependsOn: [],
  status: "pending",
  scope: null,
  risk: null,
  impact: null,
  level: null,
  priority: null,
  tags: [],
  assignee: null,
  due: null,
  created: null,
  modified: null,
  body: "",
};

/**
 * Use cases of boards and tasks, of one's own organization. Codes: `BOARD_NOT_FOUND`, `BOARD_EXISTS`, `TASK_NOT_FOUND`,
 * `TASK_CHANGED`, `BOARD_WITHOUT_FILES`, `TASKS_INVALID`, `VALIDATION_ERROR`.
 *
 * 1. A task that is in progress by a run is so only as long as that run lives: whoever looks sets right what a run left behind.
 */
export class Tasks {
  readonly #options: TasksOptions;

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  async createBoard(
    { caller, name, title = name, source = null }: {
      readonly caller: Caller;
      readonly name: string;
      readonly title?: string;
      readonly source?: BoardSource | null;
    },
  ): Promise<Board> {
    if (!Value.Check(BoardName, name)) {
      throw invalid("/name", `is "${name}": wanted lower-case letters, digits, - and _`);
    }
    const { store, now, newId } = this.#options;
    const at = now();
    const { orgId, identity } = caller;
    const board = { id: newId(), orgId, name, title, source, createdBy: identity.id, createdAt: at, updatedAt: at };
    if (await store.createBoard(board)) return board;
    throw new CallError("BOARD_EXISTS", `There is a board "${name}" already`, { board: name });
  }

  async boards(
    { caller: { orgId }, limit, cursor }: { readonly caller: Caller; readonly limit: number; readonly cursor?: string },
  ): Promise<Page<Board>> {
    const rows = await this.#options.store.boards({ orgId, limit: limit + 1, after: cursor ?? null });
    const items = rows.slice(0, limit);
    return { items, nextCursor: rows.length > limit ? items.at(-1)?.name ?? null : null };
  }

  async board({ caller: { orgId }, name }: { readonly caller: Caller; readonly name: string }): Promise<Board> {
    return await this.#options.store.board({ orgId, name }) ?? boardNotFound(name);
  }

  async changeBoard(
    { caller: { orgId }, name, ...change }: {
      readonly caller: Caller;
      readonly name: string;
      readonly title?: string;
      readonly source?: BoardSource | null;
    },
  ): Promise<Board> {
    const { store, now } = this.#options;
    return await store.changeBoard({ orgId, name, ...change, now: now() }) ?? boardNotFound(name);
  }

  /** With its tasks; files stay. */
  async removeBoard({ caller: { orgId }, name }: { readonly caller: Caller; readonly name: string }): Promise<void> {
    if (!await this.#options.store.removeBoard({ orgId, name })) boardNotFound(name);
  }

  /** All tasks of a board, by id. */
  async tasks({ caller, board: name }: { readonly caller: Caller; readonly board: string }): Promise<BoardTasks> {
    const board = await this.board({ caller, name });
    const tasks = await this.#options.store.tasks({ boardId: board.id });
    return { board, tasks: await Promise.all(tasks.map((task) => this.#settled(caller, task))) };
  }

  async graph(
    params: { readonly caller: Caller; readonly board: string },
  ): Promise<BoardTasks & { graph: BoardGraph }> {
    const found = await this.tasks(params);
    return { ...found, graph: new BoardGraph(found.tasks) };
  }

  async task(
    { caller, board: name, id }: { readonly caller: Caller; readonly board: string; readonly id: string },
  ): Promise<Task> {
    const board = await this.board({ caller, name });
    const task = await this.#options.store.task({ boardId: board.id, id });
    return task === null ? taskNotFound(name, id) : await this.#settled(caller, task);
  }

  /** Makes a task or writes it anew. `revision` is the one it is meant to follow, 0 for a new one; absent: any. */
  async put(
    { caller, board: name, id, task: given, revision }: {
      readonly caller: Caller;
      readonly board: string;
      readonly id: string;
      readonly task: NewTask;
      readonly revision?: number;
    },
  ): Promise<Task> {
    const content = readTask(id, given);
    const board = await this.board({ caller, name });
    const { store, now } = this.#options;
    const known = await store.task({ boardId: board.id, id });
    if (revision !== undefined && revision !== (known?.revision ?? 0)) throw taskChanged(id, known?.revision ?? 0);
    if (known !== null && isSameContent(known, content)) return known;
    if (known === null && (await store.tasks({ boardId: board.id })).length >= MAX_TASKS) {
      throw invalid("/board", `is "${name}", which has ${MAX_TASKS} tasks: wanted one with room`);
    }
    const at = now();
    const fresh = { note: null, attempts: 0, runId: null, revision: 0, file: null, createdAt: at };
    const before = known ?? { orgId: board.orgId, boardId: board.id, id, ...fresh };
    const note = content.status === known?.status ? known.note : null;
    const task: Task = { ...before, ...content, note, revision: before.revision + 1, updatedAt: at };
    if (await store.write(task)) return task;
    throw taskChanged(id, task.revision);
  }

  async remove(
    { caller, board: name, id }: { readonly caller: Caller; readonly board: string; readonly id: string },
  ): Promise<void> {
    const { boardId, revision, file } = await this.task({ caller, board: name, id });
    if (file !== null) {
      throw invalid(
        "/id",
        `is "${id}", which is in file "${file.path}": wanted that file removed, and a synchronisation`,
      );
    }
    if (!await this.#options.store.remove({ boardId, id, revision })) throw taskChanged(id, revision);
  }

  /** In one step, seen by all at once. `from`: only from one of these. @throws {CallError} `TASK_CHANGED` */
  async updateStatus(
    { caller, board: name, id, status, note = null, from, begin }: {
      readonly caller: Caller;
      readonly board: string;
      readonly id: string;
      readonly status: TaskStatus;
      readonly note?: string | null;
      readonly from?: readonly TaskStatus[];
      readonly begin?: NonNullable<StatusChange["begin"]>;
    },
  ): Promise<Task> {
    const board = await this.board({ caller, name });
    const { store, now } = this.#options;
    const given = { ...(from !== undefined && { from }), ...(begin !== undefined && { begin }) };
    const changed = await store.setStatus({ boardId: board.id, id, to: status, note, now: now(), ...given });
    if (changed === null) return taskNotFound(name, id);
    if (!changed.refused) return changed.task;
    const { task } = changed;
    const message = `Cannot set task "${id}" to ${status}: it is ${task.status}, wanted ${from?.join(" or ")}`;
    throw new CallError("TASK_CHANGED", message, { id, status: task.status });
  }

  /** Brings the board and its files together. */
  async sync(
    { caller, board: name, decisions = {}, dryRun = false, signal }: {
      readonly caller: Caller;
      readonly board: string;
      readonly decisions?: Decisions;
      readonly dryRun?: boolean;
      readonly signal?: AbortSignal;
    },
  ): Promise<SyncReport> {
    const board = await this.board({ caller, name });
    const { source } = board;
    if (source === null) {
      throw new CallError("BOARD_WITHOUT_FILES", `Board "${name}" is in the database alone: wanted one with a source`, {
        board: name,
      });
    }
    const { store, files, now } = this.#options;
    const given = signal === undefined ? {} : { signal };
    return await syncBoard({ caller, board, source, store, files, decisions, dryRun, now: now(), ...given });
  }

  /** A task in progress whose run has ended is in progress no more. */
  async #settled(caller: Caller, task: Task): Promise<Task> {
    const { store, runs, now } = this.#options;
    if (task.status !== "in-progress" || task.runId === null) return task;
    const ended = await runs.ended({ caller, runId: task.runId });
    if (ended === null) return task;
    const { boardId, id } = task;
    const note = `Its run ended (${ended}) before it was done`;
    const from = ["in-progress"] as const;
    return (await store.setStatus({ boardId, id, to: "failed", from, note, now: now() }))?.task ?? task;
  }
}

function readTask(id: string, given: NewTask): TaskContent {
  if (!Value.Check(TaskId, id)) {
    throw invalid("/id", `is "${String(id).slice(0, 120)}": wanted letters, digits, ".", "_" and "-", at most 100`);
  }
  const first = Value.Errors(NewTaskSchema, given).First();
  if (first !== undefined) throw invalid(first.path, `is not valid: ${first.message}`);
  const content = { ...UNGIVEN, ...given, dependsOn: [...new Set(given.dependsOn ?? [])] };
  if (content.dependsOn.includes(id)) throw invalid("/dependsOn", `names "${id}" itself: wanted other tasks`);
  return content;
}

function taskChanged(id: string, revision: number): CallError {
  return new CallError("TASK_CHANGED", `Task "${id}" has changed meanwhile: its revision is ${revision}`, {
    id,
    revision,
  });
}

function boardNotFound(name: string): never {
  throw new CallError("BOARD_NOT_FOUND", `There is no board "${name.slice(0, 100)}"`, { board: name.slice(0, 100) });
}

function taskNotFound(board: string, id: string): never {
  throw new CallError("TASK_NOT_FOUND", `There is no task "${id.slice(0, 100)}" on board "${board}"`, {
    board,
    id: id.slice(0, 100),
  });
}

function invalid(path: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", `Field "${path.slice(1).replaceAll("/", ".")}" ${message}`, {
    errors: [{ path, message }],
  });
}
