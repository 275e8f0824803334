import assert from "node:assert/strict";
import { createMemoryTaskFiles } from "./memory_task_files.ts";
import { createMemoryTaskStore } from "./memory_task_store.ts";
import type { TaskFiles, TaskStore } from "./ports.ts";
import { type Decisions, syncBoard, type SyncReport } from "./sync_board.ts";
import type { Board, Task } from "./task.ts";

const source = { spoke: null, directory: "tasks" };
const board: Board = {
  id: "b",
  orgId: "o",
  name: "main",
  title: "Main",
  source,
  createdBy: "ada",
  createdAt: 1,
  updatedAt: 1,
};
const text = (id: string, more = "", body = "Do it.\n"): string =>
  `---\nid: ${id}\nname: ${id.toUpperCase()}\n${more}---\n${body}`;

interface World {
  readonly files: Map<string, string>;
  readonly store: TaskStore;
  readonly port: TaskFiles;
  sync(decisions?: Decisions, dryRun?: boolean): Promise<SyncReport>;
  change(id: string, change: Partial<Task>): Promise<void>;
  task(id: string): Promise<Task | null>;
}

async function world(initial: Readonly<Record<string, string>>): Promise<World> {
  const files = new Map(Object.entries(initial));
  const store = createMemoryTaskStore();
  await store.createBoard(board);
  const port = createMemoryTaskFiles(files);
  const task = (id: string) => store.task({ boardId: "b", id });
  return {
    files,
    store,
    port,
    sync: (decisions = {}, dryRun = false) => {
      const caller = { identity: { id: "ada", scopes: ["*"] }, orgId: "o" };
      return syncBoard({ caller, board, source, store, files: port, decisions, dryRun, now: 7 });
    },
    async change(id, change) {
      const known = await task(id);
      assert.ok(known !== null && await store.write({ ...known, ...change, revision: known.revision + 1 }));
    },
    task,
  };
}

const NOTHING = { created: [], updated: [], written: [], removed: [], conflicts: [], problems: [] };

Deno.test("syncBoard() takes files in, and does nothing the second time", async () => {
  const it = await world({
    "tasks/a.md": text("a", "risk: high\n"),
    "tasks/deep/b.md": text("b", "depends_on: [a]\n"),
  });
  assert.deepEqual(await it.sync({}, true), { ...NOTHING, created: ["a", "b"], unchanged: 0 });
  assert.equal(await it.task("a"), null);
  assert.deepEqual(await it.sync(), { ...NOTHING, created: ["a", "b"], unchanged: 0 });
  const task = await it.task("b");
  assert.deepEqual([task?.name, task?.dependsOn, task?.status, task?.body, task?.file?.path], [
    "B",
    ["a"],
    "pending",
    "Do it.\n",
    "tasks/deep/b.md",
  ]);
  assert.deepEqual(await it.sync(), { ...NOTHING, unchanged: 2 });
});

Deno.test("syncBoard() brings what each side has changed to the other, and keeps the rest of the file", async () => {
  const it = await world({ "tasks/a.md": text("a", "owner: me # mine\n") });
  await it.sync();
  await it.change("a", { status: "completed", note: "merged" });
  it.files.set("tasks/a.md", text("a", "owner: me # mine\nscope: broad\n", "Do it well.\n"));
  assert.deepEqual(await it.sync(), { ...NOTHING, updated: ["a"], written: ["a"], unchanged: 0 });
  assert.equal(
    it.files.get("tasks/a.md"),
    text("a", "owner: me # mine\nscope: broad\nstatus: completed\n", "Do it well.\n"),
  );
  const task = await it.task("a");
  assert.deepEqual([task?.status, task?.scope, task?.body, task?.note], [
    "completed",
    "broad",
    "Do it well.\n",
    "merged",
  ]);
  assert.deepEqual(await it.sync(), { ...NOTHING, unchanged: 1 });
});

Deno.test("syncBoard() touches neither side of a conflict until somebody decides", async () => {
  const it = await world({ "tasks/a.md": text("a"), "tasks/b.md": text("b") });
  await it.sync();
  for (const id of ["a", "b"]) {
    await it.change(id, { body: "Ours.\n", risk: "low" });
    it.files.set(`tasks/${id}.md`, text(id, "", "Theirs.\n"));
  }
  const conflict = (id: string) => ({
    id,
    path: `tasks/${id}.md`,
    fields: [{ field: "body", board: "Ours.\n", file: "Theirs.\n" }],
  });
  const before = [it.files.get("tasks/a.md"), (await it.task("a"))?.body];
  assert.deepEqual(await it.sync(), { ...NOTHING, unchanged: 0, conflicts: [conflict("a"), conflict("b")] });
  assert.deepEqual([it.files.get("tasks/a.md"), (await it.task("a"))?.body], before);
  const decided = await it.sync({ a: "file", b: "board" });
  assert.deepEqual([decided.conflicts, decided.updated, decided.written], [[], ["a"], ["b"]]);
  assert.deepEqual([(await it.task("a"))?.body, (await it.task("a"))?.risk], ["Theirs.\n", null]);
  assert.equal(it.files.get("tasks/b.md"), text("b", "risk: low\n", "Ours.\n"));
});

Deno.test("syncBoard() removes a task whose file is gone, unless the task has changed or all files are gone", async () => {
  const it = await world({ "tasks/a.md": text("a"), "tasks/b.md": text("b"), "tasks/c.md": text("c") });
  await it.sync();
  await it.change("b", { status: "failed" });
  it.files.delete("tasks/a.md");
  it.files.delete("tasks/b.md");
  const report = await it.sync();
  assert.deepEqual([report.removed, report.conflicts], [["a"], [{ id: "b", path: "tasks/b.md", fields: [] }]]);
  it.files.delete("tasks/c.md");
  const empty = await it.sync();
  assert.deepEqual(empty.removed, []);
  assert.match(empty.problems[0]?.message ?? "", /no task in the directory: 2 tasks stay/);
  it.files.set("tasks/d.md", text("d"));
  const written = await it.sync({ b: "board", c: "file" });
  assert.deepEqual([written.written, written.removed, written.created], [["b"], ["c"], ["d"]]);
  assert.match(it.files.get("tasks/b.md") ?? "", /status: failed/);
});

Deno.test("syncBoard() writes tasks that are in no file, over nobody's file", async () => {
  const it = await world({ "tasks/a.md": text("a"), "tasks/n.md": "# Notes\n" });
  await it.sync();
  const known = await it.task("a");
  assert.ok(known !== null);
  await it.store.write({ ...known, id: "new", revision: 1, file: null });
  await it.store.write({ ...known, id: "n", revision: 1, file: null });
  const report = await it.sync();
  assert.deepEqual(report.written, ["new"]);
  assert.match(
    it.files.get("tasks/new.md") ?? "",
    /^---\nid: new\nname: A\ndepends_on: \[\]\nstatus: pending\n---\nDo it/,
  );
  assert.equal(it.files.get("tasks/n.md"), "# Notes\n");
  assert.deepEqual(report.problems.map(({ path }) => path), ["tasks/n.md", "tasks/n.md"]);
  assert.equal((await it.sync()).unchanged, 2);
});

Deno.test("syncBoard() names files that hold no task, and takes their tasks for neither gone nor new", async () => {
  const it = await world({ "tasks/a.md": text("a"), "tasks/b.md": text("b") });
  await it.sync();
  it.files.set("tasks/a.md", "---\nid: a\n---\n");
  it.files.set("tasks/c.md", text("b"));
  it.files.set("tasks/d.md", text("../x"));
  it.files.set("tasks/e.md", text("e", "risk: enormous\n"));
  const report = await it.sync();
  assert.deepEqual([report.removed, report.created, report.updated], [[], [], []]);
  assert.deepEqual(report.problems.map(({ path }) => path).sort(), [
    "tasks/a.md",
    "tasks/b.md",
    "tasks/c.md",
    "tasks/d.md",
    "tasks/e.md",
  ]);
  assert.ok(await it.task("a") !== null && await it.task("b") !== null);
});

Deno.test("syncBoard() says what changed while it was at work, and loses none of it", async () => {
  const it = await world({ "tasks/a.md": text("a") });
  await it.sync();
  await it.change("a", { status: "completed" });
  const { read } = it.port;
  const late = text("a", "", "Written meanwhile.\n");
  Object.assign(it.port, {
    read: async (params: Parameters<typeof read>[0]) => {
      const texts = await read(params);
      it.files.set("tasks/a.md", late);
      return texts;
    },
  });
  assert.match((await it.sync()).problems[0]?.message ?? "", /changed meanwhile/);
  assert.equal(it.files.get("tasks/a.md"), late);
  Object.assign(it.port, { read });
  assert.deepEqual(await it.sync(), { ...NOTHING, updated: ["a"], written: ["a"], unchanged: 0 });
  assert.equal(it.files.get("tasks/a.md"), text("a", "status: completed\n", "Written meanwhile.\n"));
});
