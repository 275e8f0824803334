import type { Caller } from "../runs/mod.ts";
import { mergeContent } from "./merge_content.ts";
import type { TaskFiles, TaskStore } from "./ports.ts";
import { MAX_TASKS } from "./schemas.ts";
import { type Board, type BoardSource, contentOf, isSameContent, type Task, type TaskContent } from "./task.ts";
import { type FileProblem, newTaskText, type ParsedFile, parseTaskText, updateTaskText } from "./task_file.ts";

/** Which side a person has decided for, by task id. */
export type Decisions = Readonly<Record<string, "file" | "board">>;

export interface SyncConflict {
  readonly id: string;
  readonly path: string;
  /** What both sides have changed. Empty: the file is gone, and the task has changed since. */
  readonly fields: readonly { readonly field: string; readonly board: unknown; readonly file: unknown }[];
}

/** What a synchronisation has done, or would do. Ids of tasks. */
export interface SyncReport {
  /** Tasks that were in files only. */
  readonly created: readonly string[];
  /** Tasks changed by their files. */
  readonly updated: readonly string[];
  /** Tasks whose files were written. */
  readonly written: readonly string[];
  /** Tasks whose files are gone. */
  readonly removed: readonly string[];
  readonly unchanged: number;
  /** Neither side was touched. */
  readonly conflicts: readonly SyncConflict[];
  /** Files that hold no task, and what changed while it was looked at. */
  readonly problems: readonly FileProblem[];
}

export interface SyncParams {
  readonly caller: Caller;
  readonly board: Board;
  readonly source: BoardSource;
  readonly store: TaskStore;
  readonly files: TaskFiles;
  readonly decisions: Decisions;
  /** Nothing is written. */
  readonly dryRun: boolean;
  readonly now: number;
  readonly signal?: AbortSignal;
}

/**
 * Brings a board and its files together. What one side has changed since both were the same goes to the other, field by field; what
 * both have changed, differently, is a conflict: reported, and touched on neither side until somebody decides.
 *
 * 1. A file is written only where it still holds what was read, a task only from the revision that was read.
 * 2. The file is written before the task says so: a crash between leaves two sides that say the same, which the next call sees.
 * 3. A directory without any task removes nothing: it is more likely the wrong one.
 */
export async function syncBoard(params: SyncParams): Promise<SyncReport> {
  return await new Sync(params).run();
}

class Sync {
  readonly #params: SyncParams;
  readonly #report = {
    created: [] as string[],
    updated: [] as string[],
    written: [] as string[],
    removed: [] as string[],
    unchanged: 0,
    conflicts: [] as SyncConflict[],
    problems: [] as FileProblem[],
  };

  constructor(params: SyncParams) {
    this.#params = params;
  }

  async run(): Promise<SyncReport> {
    const { store, board, files, caller, source, signal } = this.#params;
    const read = await files.read({ caller, source, ...(signal !== undefined && { signal }) });
    const found = this.#parse(read);
    const tasks = new Map((await store.tasks({ boardId: board.id })).map((task) => [task.id, task]));
    const unread = new Set(this.#report.problems.map(({ path }) => path));
    let room = MAX_TASKS - tasks.size;
    for (const file of found.values()) {
      const task = tasks.get(file.id);
      if (task !== undefined) await this.#both(task, file);
      else if (room-- > 0) await this.#fromFile(file);
      else this.#problem(file.path, `The board has ${MAX_TASKS} tasks, which is all it may`);
    }
    const alone = [...tasks.values()].filter(({ id, file }) =>
      !found.has(id) && (file === null || !unread.has(file.path))
    );
    const gone = alone.filter(({ file }) => file !== null);
    if (gone.length > 0 && found.size === 0) {
      this.#problem(source.directory, `There is no task in the directory: ${gone.length} tasks stay as they are`);
    } else for (const task of gone) await this.#withoutFile(task);
    for (const task of alone.filter(({ file }) => file === null)) await this.#toFile(task, contentOf(task));
    return this.#report;
  }

  #parse(read: readonly { readonly path: string; readonly text: string }[]): Map<string, ParsedFile> {
    const found = new Map<string, ParsedFile>();
    const twice = new Map<string, string[]>();
    for (const one of read) {
      const parsed = parseTaskText(one);
      if (!("id" in parsed)) {
        this.#report.problems.push(parsed);
        continue;
      }
      const other = found.get(parsed.id);
      if (other === undefined) found.set(parsed.id, parsed);
      else twice.set(parsed.id, [...twice.get(parsed.id) ?? [other.path], parsed.path]);
    }
    for (const [id, paths] of twice) {
      found.delete(id);
      for (const path of paths) this.#problem(path, `Task "${id}" is in several files: ${paths.join(", ")}`);
    }
    return found;
  }

  async #both(task: Task, file: ParsedFile): Promise<void> {
    const base = task.file?.base ?? null;
    const own = contentOf(task);
    const decision = this.#params.decisions[task.id];
    const { content, conflicts } = decision === "file"
      ? { content: file.content, conflicts: [] }
      : decision === "board"
      ? { content: own, conflicts: [] }
      : mergeContent(base, own, file.content);
    if (conflicts.length > 0) {
      const fields = conflicts.map((field) => ({ field, board: own[field], file: file.content[field] }));
      this.#report.conflicts.push({ id: task.id, path: file.path, fields });
      return;
    }
    const toFile = !isSameContent(content, file.content);
    const toBoard = !isSameContent(content, own);
    const isKnown = base !== null && isSameContent(base, content) && task.file?.path === file.path;
    if (!toFile && !toBoard && isKnown) {
      this.#report.unchanged++;
      return;
    }
    if (toFile && !await this.#writeFile(file.path, updateTaskText(file, content), file.text)) return;
    const written = { ...task, ...content, file: { path: file.path, base: content } };
    if (!await this.#writeTask(written, toBoard && content.status !== task.status)) return;
    if (toFile) this.#report.written.push(task.id);
    if (toBoard) this.#report.updated.push(task.id);
    if (!toFile && !toBoard) this.#report.unchanged++;
  }

  async #fromFile({ id, path, content }: ParsedFile): Promise<void> {
    const { board, now } = this.#params;
    const task: Task = {
      orgId: board.orgId,
      boardId: board.id,
      id,
      ...content,
      note: null,
      attempts: 0,
      runId: null,
      revision: 0,
      file: { path, base: content },
      createdAt: now,
      updatedAt: now,
    };
    if (await this.#writeTask(task, false)) this.#report.created.push(id);
  }

  async #withoutFile(task: Task): Promise<void> {
    const { store, dryRun, decisions } = this.#params;
    const { id, boardId, revision, file } = task;
    if (file === null) return;
    const decision = decisions[id] ?? (isSameContent(file.base, contentOf(task)) ? "file" : null);
    if (decision === "board") return await this.#toFile(task, contentOf(task), file.path);
    if (decision === null) {
      this.#report.conflicts.push({ id, path: file.path, fields: [] });
      return;
    }
    if (dryRun || await store.remove({ boardId, id, revision })) this.#report.removed.push(id);
    else this.#problem(file.path, `Task "${id}" has changed meanwhile: synchronise again`);
  }

  async #toFile(task: Task, content: TaskContent, at?: string): Promise<void> {
    const path = at ?? `${this.#params.source.directory.replace(/\/+$/, "")}/${task.id}.md`;
    if (!await this.#writeFile(path, newTaskText(task.id, content), null)) return;
    if (await this.#writeTask({ ...task, file: { path, base: content } }, false)) this.#report.written.push(task.id);
  }

  async #writeFile(path: string, text: string, before: string | null): Promise<boolean> {
    const { files, caller, source, dryRun, signal } = this.#params;
    if (dryRun) return true;
    const asked = { caller, source, path, text, before, ...(signal !== undefined && { signal }) };
    if (await files.write(asked)) return true;
    this.#problem(
      path,
      before === null ? "There is another file already" : "The file has changed meanwhile: synchronise again",
    );
    return false;
  }

  async #writeTask(task: Task, isOtherStatus: boolean): Promise<boolean> {
    const { store, dryRun, now } = this.#params;
    if (dryRun) return true;
    const note = isOtherStatus ? null : task.note;
    if (await store.write({ ...task, note, revision: task.revision + 1, updatedAt: now })) return true;
    this.#problem(task.file?.path ?? task.id, `Task "${task.id}" has changed meanwhile: synchronise again`);
    return false;
  }

  #problem(path: string, message: string): void {
    this.#report.problems.push({ path, message });
  }
}
