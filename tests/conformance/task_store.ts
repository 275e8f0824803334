/** What every store of boards and tasks promises, the one in memory included. */
import assert from "node:assert/strict";
import { type Board, contentOf, type Task, type TaskStore } from "../../src/tasks/mod.ts";

const board = (name: string, orgId = "a"): Board => ({
  id: `${orgId}-${name}`,
  orgId,
  name,
  title: name,
  source: { spoke: null, directory: "tasks" },
  createdBy: "ada",
  createdAt: 1,
  updatedAt: 1,
});
const task = (id: string, more: Partial<Task> = {}): Task => ({
  orgId: "a",
  boardId: "a-main",
  id,
  name: id,
  dependsOn: [],
  status: "pending",
  scope: "narrow",
  risk: null,
  impact: null,
  level: null,
  priority: null,
  tags: ["x"],
  assignee: null,
  due: null,
  created: null,
  modified: null,
  body: "Do \u0000 it.\n",
  note: null,
  attempts: 0,
  runId: null,
  revision: 1,
  file: null,
  createdAt: 5,
  updatedAt: 5,
  ...more,
});

export function taskStoreConformance(
  name: string,
  open: () => Promise<{ readonly store: TaskStore; close(): Promise<void> }>,
): void {
  const test = (what: string, run: (store: TaskStore) => Promise<void>): void =>
    Deno.test(`${name}: ${what}`, async () => {
      const { store, close } = await open();
      try {
        await store.createBoard(board("main"));
        await run(store);
      } finally {
        await close();
      }
    });

  test("boards have a name each, of each organization apart, and are removed with their tasks", async (store) => {
    assert.equal(await store.createBoard({ ...board("main"), id: "another" }), false);
    assert.equal(await store.createBoard(board("main", "b")), true);
    for (const one of ["b_1", "b-1"]) await store.createBoard(board(one));
    assert.deepEqual(await store.board({ orgId: "a", name: "main" }), board("main"));
    const names = async (limit: number, after: string | null) =>
      (await store.boards({ orgId: "a", limit, after })).map((it) => it.name);
    assert.deepEqual([await names(2, null), await names(2, "b_1")], [["b-1", "b_1"], ["main"]]);
    const changed = await store.changeBoard({ orgId: "a", name: "main", title: "T", source: null, now: 9 });
    assert.deepEqual(changed, { ...board("main"), title: "T", source: null, updatedAt: 9 });
    assert.equal(await store.changeBoard({ orgId: "a", name: "none", now: 9 }), null);
    await store.write(task("one", { dependsOn: ["two"] }));
    assert.equal(await store.removeBoard({ orgId: "b", name: "none" }), false);
    assert.equal(await store.removeBoard({ orgId: "a", name: "main" }), true);
    assert.deepEqual(await store.tasks({ boardId: "a-main" }), []);
    assert.equal(await store.write(task("two", { revision: 2 })), false);
  });

  test("write() takes a task from one revision to the next, and of many at once one wins", async (store) => {
    const base = contentOf(task("one"));
    const first = task("one", { dependsOn: ["z", "a", "m"], file: { path: "tasks/one.md", base } });
    assert.equal(await store.write(first), true);
    assert.deepEqual(await store.task({ boardId: "a-main", id: "one" }), first);
    assert.equal(await store.write(first), false);
    const second = { ...first, revision: 2, dependsOn: ["m"], body: "", file: null, risk: "high" as const };
    const racing = await Promise.all(Array.from({ length: 8 }, () => store.write(second)));
    assert.equal(racing.filter(Boolean).length, 1);
    assert.deepEqual(await store.tasks({ boardId: "a-main" }), [second]);
    assert.equal(await store.remove({ boardId: "a-main", id: "one", revision: 1 }), false);
    assert.equal(await store.remove({ boardId: "a-main", id: "one", revision: 2 }), true);
    assert.equal(await store.task({ boardId: "a-main", id: "one" }), null);
  });

  test("tasks() are by id, each with its own dependencies", async (store) => {
    for (const id of ["b", "a_1", "a-1", "B"]) await store.write(task(id, { dependsOn: [`${id}x`, "b"] }));
    const rows = await store.tasks({ boardId: "a-main" });
    assert.deepEqual(rows.map(({ id, dependsOn }) => [id, ...dependsOn]), [
      ["B", "Bx", "b"],
      ["a-1", "a-1x", "b"],
      ["a_1", "a_1x", "b"],
      ["b", "bx", "b"],
    ]);
  });

  test("setStatus() changes only from the statuses it is told, and counts an attempt once", async (store) => {
    const change = { boardId: "a-main", id: "one", note: null, now: 7 };
    assert.equal(await store.setStatus({ ...change, to: "completed" }), null);
    await store.write(task("one", { dependsOn: ["two"] }));
    const begin = { ...change, to: "in-progress" as const, from: ["pending" as const] };
    const begun = await store.setStatus({ ...begin, begin: { runId: "r", key: "k" } });
    assert.deepEqual([
      begun?.refused,
      begun?.task.status,
      begun?.task.attempts,
      begun?.task.runId,
      begun?.task.dependsOn,
    ], [
      false,
      "in-progress",
      1,
      "r",
      ["two"],
    ]);
    const again = await store.setStatus({ ...begin, begin: { runId: "r", key: "k" } });
    assert.deepEqual(again, begun);
    const other = await store.setStatus({ ...begin, begin: { runId: "s", key: "l" } });
    assert.deepEqual([other?.refused, other?.task], [true, begun?.task]);
    const ended = await store.setStatus({ ...change, to: "failed", note: "why", from: ["in-progress"] });
    assert.deepEqual([ended?.task.status, ended?.task.note, ended?.task.revision, ended?.task.runId], [
      "failed",
      "why",
      3,
      "r",
    ]);
    const racing = await Promise.all(
      Array.from({ length: 8 }, () => store.setStatus({ ...change, to: "pending", from: ["failed"] })),
    );
    assert.equal(racing.filter((it) => it?.refused === false).length, 1);
  });
}
