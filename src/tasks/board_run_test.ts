/** Boards on the real engine, with the real steps, in virtual time; sessions and spokes are mocked. */
import assert from "node:assert/strict";
import type { Json } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import { type CrashPoint, createWorkflowTest, type Mocks } from "@alkdev/testing";
import boardTask from "../../workflows/board_task.tsx";
import taskBoard from "../../workflows/task_board.tsx";
import type { Caller } from "../runs/mod.ts";
import { type BoardRunInput, boardRunInput, type BoardRunOptions, estimateBoard } from "./board_run.ts";
import { createMemoryTaskFiles } from "./memory_task_files.ts";
import { createMemoryTaskStore } from "./memory_task_store.ts";
import { taskSteps } from "./steps.ts";
import { type NewTask, Tasks } from "./tasks.ts";

const caller: Caller = { identity: { id: "ada", scopes: ["*"] }, orgId: "o" };

/** How the session of a task ends, by task and attempt; `review:<id>` for reviews. Default: it completes, and is approved. */
type Script = Readonly<Record<string, readonly string[]>>;

interface World {
  readonly tasks: Tasks;
  readonly merges: string[];
  readonly most: () => number;
  input(options?: BoardRunOptions): Promise<BoardRunInput>;
  mocks(script: Script): Mocks;
  statuses(): Promise<Readonly<Record<string, string>>>;
}

async function world(definitions: Readonly<Record<string, Partial<NewTask>>>): Promise<World> {
  const tasks = new Tasks({
    store: createMemoryTaskStore(),
    files: createMemoryTaskFiles(new Map()),
    runs: { ended: () => Promise.resolve(null) },
    now: () => 7,
    newId: () => crypto.randomUUID(),
  });
  await tasks.createBoard({ caller, name: "main" });
  for (const [id, task] of Object.entries(definitions)) {
    await tasks.put({ caller, board: "main", id, task: { name: `Do ${id}`, ...task } });
  }
  const merges: string[] = [];
  const attempts = new Map<string, number>();
  const working = new Set<string>();
  let most = 0;
  return {
    tasks,
    merges,
    most: () => most,
    input: async (options = {}) => boardRunInput(await tasks.graph({ caller, board: "main" }), options),
    mocks: (script) => ({
      "coord.spawn": ({ tasks: [task] }: { tasks: { task: string }[] }) => {
        const name = (task?.task ?? "").replace(/^review /, "review:");
        const n = attempts.get(name) ?? 0;
        attempts.set(name, n + 1);
        if (script[name]?.[n] === "refused") throw new CallError("SPAWN_LIMIT", "Too many");
        return { spawned: [{ id: `${name}#${n}`, task: name }] };
      },
      "coord.wait": async ({ ids: [id], timeoutMs }: { ids: string[]; timeoutMs: number }, call) => {
        const [name = "", n] = (id ?? "").split("#");
        working.add(name);
        most = Math.max(most, working.size);
        await call.sleep(1_000);
        working.delete(name);
        const end = script[name]?.[Number(n)] ?? "ok";
        if (end === "stalled") await call.sleep(timeoutMs);
        const session = {
          id,
          sessionId: `s-${id}`,
          status: end === "ok" || end === "rejected" ? "completed" : "failed",
          branch: `task/${id}`,
          directory: `.worktrees/${id}`,
          spoke: "one",
          error: end === "broken" ? { code: "PROVIDER_FAILED", message: "no answer" } : null,
          result: end === "rejected" ? "CHANGES REQUESTED\nNo tests." : "APPROVED\nFine.",
        };
        return { done: end !== "stalled", ended: 1, sessions: [session] };
      },
      "coord.abort": () => ({ aborted: [] }),
    }),
    async statuses() {
      const { tasks: all } = await tasks.tasks({ caller, board: "main" });
      return Object.fromEntries(all.map(({ id, status, note }) => [id, note === null ? status : `${status}: ${note}`]));
    },
  };
}

async function run(it: World, input: BoardRunInput, script: Script = {}, crashes: readonly CrashPoint[] = []) {
  const t = createWorkflowTest({
    registrations: taskSteps({
      tasks: it.tasks,
      callerOf: () => caller,
      call: ({ operationId, input }) => {
        if (operationId === "git.status") return Promise.resolve({ branch: "", files: [{ path: "left" }] });
        if (operationId === "git.merge") it.merges.push(String(input["branch"]));
        return Promise.resolve({ hash: "0123456789abcdef", merged: true });
      },
    }),
    operations: it.mocks(script),
    workflows: [boardTask],
    crashes,
  });
  const board = await t.run(taskBoard, JSON.parse(JSON.stringify(input)));
  await board.finish();
  return { board, t };
}

const CHAIN = { a: {}, b: { dependsOn: ["a"] }, c: { dependsOn: ["b"] }, d: {}, e: { dependsOn: ["a", "d"] } };

Deno.test("a board is worked off in the order of what depends on what, at most so many at once", async () => {
  const it = await world(CHAIN);
  const { board } = await run(it, await it.input({ concurrency: 2, review: false, workspace: {} }));
  assert.equal(board.status, "completed", JSON.stringify(board.error));
  assert.deepEqual(board.output, { completed: ["a", "b", "c", "d", "e"], failed: [], blocked: [], left: [] } as Json);
  const at = (id: string) => it.merges.findIndex((branch) => branch.startsWith(`task/${id}#`));
  assert.equal(it.merges.length, 5);
  assert.ok(at("a") < at("b") && at("b") < at("c") && at("d") < at("e") && at("a") < at("e"), it.merges.join());
  assert.equal(it.most(), 2);
  assert.equal((await it.statuses())["a"], "completed: merged as 0123456789ab");
});

Deno.test("a task that fails after its attempts stops only what depends on it, and everything says why", async () => {
  const it = await world(CHAIN);
  const script = { b: ["broken", "broken"], d: ["broken", "ok"], "review:e": ["rejected", "ok"] };
  const { board } = await run(it, await it.input({ attempts: 2, workspace: { repository: "repo" } }), script);
  assert.equal(board.status, "completed", JSON.stringify(board.error));
  const failure = 'TASK_FAILED: The session of task "b" was failed: PROVIDER_FAILED: no answer';
  assert.deepEqual(board.output, {
    completed: ["a", "d", "e"],
    failed: [{ id: "b", note: failure }],
    blocked: [{ id: "c", note: 'Task "b" before it has failed' }],
    left: [],
  } as Json);
  const { tasks } = await it.tasks.tasks({ caller, board: "main" });
  assert.deepEqual(tasks.map(({ id, attempts }) => [id, attempts]), [["a", 1], ["b", 2], ["c", 0], ["d", 2], ["e", 2]]);
});

Deno.test("a session that takes too long is ended, and what cannot be spawned fails with its reason", async () => {
  const it = await world({ a: {}, b: {} });
  const script = { a: ["stalled", "ok"], b: ["refused"] };
  const { board, t } = await run(it, await it.input({ timeoutMs: 5_000, review: false, attempts: 1 }), script);
  assert.equal(board.status, "completed");
  const statuses = await it.statuses();
  assert.match(statuses["a"] ?? "", /failed: TASK_TIMEOUT/);
  assert.match(statuses["b"] ?? "", /failed: SPAWN_LIMIT: Too many/);
  assert.deepEqual(t.calls("coord.abort").map(({ input }) => (input as { taskIds: string[] }).taskIds), [
    ["main/b"],
    ["main/a"],
  ]);
});

Deno.test("a board goes on where it was after its hub was killed at any commit, with no attempt counted twice", async () => {
  for (let n = 1; n <= 12; n++) {
    const it = await world(CHAIN);
    const crashes: CrashPoint[] = [{ before: "call.responded", nth: n }];
    const { board, t } = await run(it, await it.input({ concurrency: 2, workspace: {} }), {}, crashes);
    assert.deepEqual(t.unreached, []);
    assert.equal(board.status, "completed", `${n}: ${JSON.stringify(board.error)}`);
    const { tasks } = await it.tasks.tasks({ caller, board: "main" });
    assert.deepEqual(
      tasks.map(({ status, attempts }) => [status, attempts]),
      tasks.map(() => ["completed", 1]),
      `${n}`,
    );
  }
});

Deno.test("boardRunInput() takes what is left, and refuses what has no order, is worked on, or is done", async () => {
  const it = await world({
    "a.1": { status: "completed" },
    "a_1": { dependsOn: ["a.1"] },
    "a-1": { dependsOn: ["a_1"] },
  });
  const { tasks } = await it.input();
  assert.deepEqual(tasks.map(({ id, key, after }) => [id, key, ...after]), [["a_1", "t-a_1"], [
    "a-1",
    "t-a-1",
    "t-a_1",
  ]]);
  const refuses = (code: string) =>
    assert.rejects(it.input(), (error) => error instanceof CallError && error.code === code);
  const put = (id: string, task: Partial<NewTask>) =>
    it.tasks.put({ caller, board: "main", id, task: { name: id, ...task } });
  await put("a_1", { dependsOn: ["none"] });
  await refuses("TASKS_INVALID");
  await put("a_1", { dependsOn: ["a-1"] });
  await refuses("TASKS_INVALID");
  await put("a_1", { status: "in-progress" });
  await refuses("BOARD_BUSY");
  for (const id of ["a_1", "a-1"]) await put(id, { status: "completed" });
  await refuses("BOARD_DONE");
});

Deno.test("estimateBoard() says what is left, its cost, its risk and its longest way", async () => {
  const it = await world({
    a: { status: "completed" },
    b: { dependsOn: ["a"], risk: "high", scope: "broad" },
    c: { dependsOn: ["b"], risk: "low", scope: "single" },
    d: { dependsOn: ["a"], risk: "trivial", scope: "single" },
  });
  const estimate = estimateBoard(await it.tasks.graph({ caller, board: "main" }));
  assert.deepEqual([estimate.tasks, estimate.completed, estimate.left], [4, 1, 3]);
  assert.deepEqual(estimate.groups, [["b", "d"], ["c"]]);
  assert.deepEqual(estimate.criticalPath, ["a", "b", "c"]);
  assert.equal(estimate.probability, 0.65 * 0.9 * 0.98);
  assert.deepEqual(estimate.decompose, [{ id: "b", reasons: ["Risk is high", "Scope is broad"] }]);
  assert.equal(estimate.expectedTokens, 6000 + 500 + 500);
  assert.ok(estimate.expectedCost > 0 && estimate.problems.length === 0);
});

Deno.test("Tasks says that a task in progress has failed when its run is gone", async () => {
  const it = await world({ a: {} });
  const store = createMemoryTaskStore();
  const ended = new Set<string>();
  const runs = { ended: ({ runId }: { runId: string }) => Promise.resolve(ended.has(runId) ? "aborted" : null) };
  const tasks = new Tasks({ store, files: createMemoryTaskFiles(new Map()), runs, now: () => 7, newId: () => "b" });
  await tasks.createBoard({ caller, name: "main" });
  await tasks.put({ caller, board: "main", id: "a", task: { name: "A" } });
  const begin = { runId: "r", key: "k" };
  await tasks.updateStatus({ caller, board: "main", id: "a", status: "in-progress", begin });
  assert.equal((await tasks.task({ caller, board: "main", id: "a" })).status, "in-progress");
  ended.add("r");
  const task = await tasks.task({ caller, board: "main", id: "a" });
  assert.deepEqual([task.status, task.note], ["failed", "Its run ended (aborted) before it was done"]);
  void it;
});
