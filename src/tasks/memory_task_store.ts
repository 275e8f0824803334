import type { TaskStore } from "./ports.ts";
import type { Board, Task } from "./task.ts";

/** Boards of one process: the reference implementation. */
export function createMemoryTaskStore(): TaskStore {
  const boards = new Map<string, Board>();
  const tasks = new Map<string, Map<string, Task>>();
  /** Keys of the attempts that are counted, by board and task. */
  const begun = new Map<string, string>();
  const nameOf = ({ orgId, name }: { readonly orgId: string; readonly name: string }): string => `${orgId} ${name}`;
  return {
    createBoard(board) {
      if (boards.has(nameOf(board))) return Promise.resolve(false);
      boards.set(nameOf(board), structuredClone(board));
      tasks.set(board.id, new Map());
      return Promise.resolve(true);
    },
    board: (params) => Promise.resolve(structuredClone(boards.get(nameOf(params)) ?? null)),
    boards({ orgId, limit, after }) {
      const found = [...boards.values()].filter((it) => it.orgId === orgId && (after === null || it.name > after));
      found.sort((left, right) => left.name < right.name ? -1 : 1);
      return Promise.resolve(structuredClone(found.slice(0, limit)));
    },
    changeBoard({ orgId, name, title, source, now }) {
      const board = boards.get(nameOf({ orgId, name }));
      if (board === undefined) return Promise.resolve(null);
      const changed = {
        ...board,
        ...(title !== undefined && { title }),
        ...(source !== undefined && { source }),
        updatedAt: now,
      };
      boards.set(nameOf(board), structuredClone(changed));
      return Promise.resolve(changed);
    },
    removeBoard(params) {
      const board = boards.get(nameOf(params));
      if (board !== undefined) tasks.delete(board.id);
      return Promise.resolve(boards.delete(nameOf(params)));
    },
    tasks({ boardId }) {
      const found = [...tasks.get(boardId)?.values() ?? []].sort((left, right) => left.id < right.id ? -1 : 1);
      return Promise.resolve(structuredClone(found));
    },
    task: ({ boardId, id }) => Promise.resolve(structuredClone(tasks.get(boardId)?.get(id) ?? null)),
    write(task) {
      const known = tasks.get(task.boardId);
      if (known === undefined || task.revision !== (known.get(task.id)?.revision ?? 0) + 1) {
        return Promise.resolve(false);
      }
      known.set(task.id, structuredClone(task));
      return Promise.resolve(true);
    },
    remove({ boardId, id, revision }) {
      const known = tasks.get(boardId);
      if (known?.get(id)?.revision !== revision) return Promise.resolve(false);
      return Promise.resolve(known.delete(id));
    },
    setStatus({ boardId, id, to, from, note, begin, now }) {
      const task = tasks.get(boardId)?.get(id);
      if (task === undefined) return Promise.resolve(null);
      const place = `${boardId} ${id}`;
      if (begin !== undefined && begun.get(place) === begin.key) {
        return Promise.resolve({ task: structuredClone(task), refused: false });
      }
      if (from !== undefined && !from.includes(task.status)) {
        return Promise.resolve({ task: structuredClone(task), refused: true });
      }
      const changed: Task = {
        ...task,
        status: to,
        note,
        ...(begin !== undefined && { attempts: task.attempts + 1, runId: begin.runId }),
        revision: task.revision + 1,
        updatedAt: now,
      };
      if (begin !== undefined) begun.set(place, begin.key);
      tasks.get(boardId)?.set(id, changed);
      return Promise.resolve({ task: structuredClone(changed), refused: false });
    },
  };
}
