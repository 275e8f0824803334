import { and, asc, eq, gt, sql } from "drizzle-orm";
import { type Board, contentOf, type Task, type TaskStore } from "../tasks/mod.ts";
import { checkedRow } from "./checked_row.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { boardRow, boards, taskDependencies, taskRow, tasks } from "./schema/mod.ts";

type Orm = Pick<Database["orm"], "select" | "insert" | "delete">;
type TaskRow = typeof tasks.$inferSelect;

/** Boards and their tasks in the database. */
export function createTaskStore(db: Database): TaskStore {
  const { orm } = db;
  const named = (orgId: string, name: string) => and(eq(boards.orgId, column(orgId)), eq(boards.name, column(name)));
  const is = (boardId: string, id: string) => and(eq(tasks.boardId, column(boardId)), eq(tasks.id, column(id)));
  return {
    async createBoard(board) {
      await ensureOrganization(db, board.orgId);
      const made = await orm.insert(boards).values(board).onConflictDoNothing().returning({ id: boards.id });
      return made.length > 0;
    },
    async board({ orgId, name }) {
      const [row] = await orm.select().from(boards).where(named(orgId, name));
      return row === undefined ? null : toBoard(row);
    },
    async boards({ orgId, limit, after }) {
      const byName = sql`${boards.name} collate "C"`;
      const rows = await orm.select().from(boards)
        .where(and(eq(boards.orgId, column(orgId)), after === null ? undefined : gt(byName, column(after))))
        .orderBy(asc(byName)).limit(limit);
      return rows.map(toBoard);
    },
    async changeBoard({ orgId, name, title, source, now }) {
      const [row] = await orm.update(boards).set({
        ...(title !== undefined && { title }),
        ...(source !== undefined && { source }),
        updatedAt: now,
      }).where(named(orgId, name)).returning();
      return row === undefined ? null : toBoard(row);
    },
    async removeBoard({ orgId, name }) {
      return (await orm.delete(boards).where(named(orgId, name)).returning({ id: boards.id })).length > 0;
    },
    async tasks({ boardId }) {
      const rows = await orm.select({ task: tasks, orgId: boards.orgId }).from(tasks)
        .innerJoin(boards, eq(boards.id, tasks.boardId)).where(eq(tasks.boardId, column(boardId)))
        .orderBy(asc(sql`${tasks.id} collate "C"`));
      return await withDependencies(orm, rows);
    },
    async task({ boardId, id }) {
      const rows = await orm.select({ task: tasks, orgId: boards.orgId }).from(tasks)
        .innerJoin(boards, eq(boards.id, tasks.boardId)).where(is(boardId, id));
      return (await withDependencies(orm, rows))[0] ?? null;
    },
    write(task) {
      const { boardId, id, revision } = task;
      return orm.transaction(async (tx) => {
        const values = { ...toColumns(task), createdAt: task.createdAt };
        const written = revision === 1
          ? await tx.insert(tasks).values(values).onConflictDoNothing().returning({ id: tasks.id })
          : await tx.update(tasks).set(values).where(and(is(boardId, id), eq(tasks.revision, revision - 1)))
            .returning({ id: tasks.id });
        if (written.length === 0) return false;
        await tx.delete(taskDependencies)
          .where(and(eq(taskDependencies.boardId, boardId), eq(taskDependencies.dependentTaskId, id)));
        const edges = task.dependsOn.map((prerequisiteTaskId, position) => ({
          boardId,
          dependentTaskId: id,
          prerequisiteTaskId,
          position,
        }));
        if (edges.length > 0) await tx.insert(taskDependencies).values(edges);
        return true;
      });
    },
    async remove({ boardId, id, revision }) {
      const gone = await orm.delete(tasks).where(and(is(boardId, id), eq(tasks.revision, revision)))
        .returning({ id: tasks.id });
      return gone.length > 0;
    },
    setStatus({ boardId, id, to, from, note, begin, now }) {
      return orm.transaction(async (tx) => {
        const [row] = await tx.select({ task: tasks, orgId: boards.orgId }).from(tasks)
          .innerJoin(boards, eq(boards.id, tasks.boardId)).where(is(boardId, id)).for("update", { of: tasks });
        if (row === undefined) return null;
        const answer = async (task: TaskRow, refused: boolean) => {
          const [known] = await withDependencies(tx, [{ task, orgId: row.orgId }]);
          return known === undefined ? null : { task: known, refused };
        };
        if (begin !== undefined && row.task.attemptKey === begin.key) return await answer(row.task, false);
        if (from !== undefined && !from.includes(row.task.status)) return await answer(row.task, true);
        const [changed] = await tx.update(tasks).set({
          status: to,
          note: note === null ? null : column(note),
          revision: row.task.revision + 1,
          updatedAt: now,
          ...(begin !== undefined && {
            attempts: row.task.attempts + 1,
            runId: begin.runId,
            attemptKey: column(begin.key),
          }),
        }).where(is(boardId, id)).returning();
        return changed === undefined ? null : await answer(changed, false);
      });
    },
  };
}

async function withDependencies(
  orm: Orm,
  rows: readonly { readonly task: TaskRow; readonly orgId: string }[],
): Promise<readonly Task[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const one = rows.length === 1 ? eq(taskDependencies.dependentTaskId, first.task.id) : undefined;
  const edges = await orm.select().from(taskDependencies)
    .where(and(eq(taskDependencies.boardId, first.task.boardId), one)).orderBy(asc(taskDependencies.position));
  const dependsOn = new Map<string, string[]>();
  for (const { dependentTaskId, prerequisiteTaskId } of edges) {
    const known = dependsOn.get(dependentTaskId);
    if (known === undefined) dependsOn.set(dependentTaskId, [prerequisiteTaskId]);
    else known.push(prerequisiteTaskId);
  }
  return rows.map(({ task, orgId }) => toTask(task, orgId, dependsOn.get(task.id) ?? []));
}

function toColumns(task: Task) {
  const { boardId, id, attempts, runId, revision, file, note, updatedAt } = task;
  const { name, dependsOn: _dependsOn, status, body, ...attributes } = contentOf(task);
  return {
    boardId,
    id,
    name: column(name),
    status,
    note: note === null ? null : column(note),
    attempts,
    runId,
    revision,
    attributes,
    body,
    filePath: file === null ? null : column(file.path),
    fileBase: file?.base ?? null,
    updatedAt,
  };
}

function toTask(unchecked: TaskRow, orgId: string, dependsOn: readonly string[]): Task {
  const row = checkedRow("tasks", taskRow, unchecked);
  const { boardId, id, name, status, note, attempts, runId, revision, attributes, body, filePath, fileBase } = row;
  return {
    orgId,
    boardId,
    id,
    name,
    dependsOn,
    status,
    ...attributes,
    body,
    note,
    attempts,
    runId,
    revision,
    file: filePath === null || fileBase === null ? null : { path: filePath, base: fileBase },
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function toBoard(row: typeof boards.$inferSelect): Board {
  const { metadata: _metadata, ...board } = checkedRow("boards", boardRow, row);
  return board;
}
