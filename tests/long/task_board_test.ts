/**
 * From files to a merged branch: thirty tasks in markdown, worked off by sessions in worktrees of their own on two dev spokes, while sessions fail,
 * stall and are asked for changes, and hub and spokes are killed.
 */
import assert from "node:assert/strict";
import { command } from "../../src/cli/_command.ts";
import { calls, type CoordinationWorld, coordinationWorld, type Model, says } from "../e2e/_coordination_world.ts";
import { until } from "../e2e/_hub_process.ts";

const FIXTURES = new URL("../e2e/fixtures/board/", import.meta.url);

interface TaskBody {
  readonly id: string;
  readonly status: string;
  readonly note: string | null;
  readonly attempts: number;
  readonly dependsOn: readonly string[];
  readonly runId: string | null;
}

/** What goes wrong with the first attempt at a task, by its id. */
const STALLS = "stats";
const RUNS_AWAY = "logs";
const REJECTED = "targets";
const CONFLICTS = ["slugs", "auth"];
/** Never comes to anything: what depends on it is left undone. */
const HOPELESS = "abuse-test";

const team: Model = ({ prompt, step, said }) => {
  const directory = /worktree "([^"]+)"/.exec(prompt)?.[1] ?? "";
  const review = /# Review of task ([\w-]+):/.exec(prompt)?.[1];
  if (review !== undefined) {
    if (step === 0) return calls("fs_read", { path: `${directory}/done/${review}.md` });
    const isGood = said.some(({ role, text }) => role === "tool" && text.includes("with tests"));
    return says(isGood ? "APPROVED\nIt does what was asked." : "CHANGES REQUESTED\nThere are no tests.");
  }
  const task = /# Task ([\w-]+):/.exec(prompt)?.[1] ?? "none";
  const isFirst = !prompt.includes("An earlier attempt has failed");
  if (task === HOPELESS || (task === RUNS_AWAY && isFirst)) return calls("fs_list", { path: `${directory}/${step}` });
  if (task === STALLS && isFirst) return calls("bash_run", { command: "sleep", args: ["50"], cwd: directory });
  const text = `${task} is done${task === REJECTED && isFirst ? "" : " with tests"}\n`;
  const steps = [
    calls("fs_write", { path: `${directory}/done/${task}.md`, text }),
    // Two that change the same, in the same generation: the later one finds it changed, and does it again.
    ...(CONFLICTS.includes(task) ? [calls("fs_write", { path: `${directory}/words.md`, text: `${task}\n` })] : []),
    calls("git_commit", { path: directory, message: `Do ${task}` }),
  ];
  return steps[step] ?? says(`${task} is done`);
};

async function prepare(world: CoordinationWorld): Promise<void> {
  for (const directory of ["done", "tasks"]) await Deno.mkdir(`${world.repository}/${directory}`);
  await Deno.writeTextFile(`${world.repository}/done/README.md`, "What is done.\n");
  await Deno.writeTextFile(`${world.repository}/.gitignore`, ".worktrees/\n");
  await copy(FIXTURES, `${world.repository}/tasks`);
  await world.git("add", ".");
  await world.git("commit", "--quiet", "--message=tasks");
}

async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy(new URL(`${name}/`, from), `${to}/${name}`);
    else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}

async function tasksOf(world: CoordinationWorld): Promise<readonly TaskBody[]> {
  const { status, body } = await world.hub.api<{ items: TaskBody[] }>("GET", "/api/tasks?board=links&limit=100");
  return status === 200 ? body.items : [];
}

Deno.test("a board of thirty tasks ends with each completed, or failed for a stated reason, whatever is killed", async (t) => {
  await using world = await coordinationWorld({ model: team, commands: ["git", "sleep"] });
  await prepare(world);
  const to = ["--url", world.hub.url, "--key", world.hub.key];

  await t.step("the files become a board, which says what to expect", async () => {
    await world.api("POST", "/api/boards", { name: "links", source: { spoke: "dev-1", directory: "tasks" } });
    const synced = await world.api<{ created: string[]; conflicts: unknown[]; problems: { path: string }[] }>(
      "POST",
      "/api/boards/links/sync",
      {},
    );
    assert.equal(synced.created.length, 30);
    assert.deepEqual([synced.conflicts, synced.problems.map(({ path }) => path)], [[], ["tasks/README.md"]]);
    const estimate = await world.api<{ groups: string[][]; criticalPath: string[]; probability: number; left: number }>(
      "POST",
      "/api/boards/links/dry-run",
    );
    assert.equal(estimate.left, 30);
    assert.deepEqual(estimate.groups[0]?.toSorted(), ["ci", "glossary", "layout"]);
    assert.equal(estimate.criticalPath.at(-1), "release");
    assert.ok(estimate.probability > 0 && estimate.probability < 0.01);
    const shown = await command(["tasks", "estimate", "links", ...to]);
    assert.match(shown.out, /release/);
  });

  const { id: runId } = await world.api<{ id: string }>("POST", "/api/boards/links/runs", {
    model: "fake-large",
    concurrency: 4,
    attempts: 3,
    timeoutMs: 25_000,
    workspace: {},
    budget: { calls: 120 },
  });

  await t.step("hub and spokes are killed again and again while it runs", async () => {
    for (const [n, wanted] of [4, 10, 16].entries()) {
      await until(`${wanted} tasks are done`, async () => {
        return (await tasksOf(world)).filter(({ status }) => status === "completed").length >= wanted;
      }, 240_000);
      if (n !== 1) await world.restartHub();
      await world.restartSpoke(n % 2 === 0 ? "dev-1" : "dev-2");
      await world.spokesReady();
    }
  });

  await t.step("everything has ended, for a reason", async () => {
    const run = await until("the board's run ends", async () => {
      const { status, body } = await world.hub.api<{ status: string; output: unknown; error: unknown }>(
        "GET",
        `/api/runs/${runId}`,
      );
      return status === 200 && ["completed", "failed", "aborted"].includes(body.status) ? body : null;
    }, 400_000);
    assert.equal(run.status, "completed", JSON.stringify(run.error));
    const tasks = await tasksOf(world);
    const by = new Map(tasks.map((task) => [task.id, task]));
    const unfinished = tasks.filter(({ status }) => status !== "completed");
    assert.deepEqual(unfinished.map(({ id, status }) => [id, status]), [[HOPELESS, "failed"], ["release", "blocked"]]);
    assert.match(by.get(HOPELESS)?.note ?? "", /^TASK_(TIMEOUT|FAILED): ./);
    assert.match(by.get("release")?.note ?? "", /"abuse-test" before it has failed/);
    for (const id of [STALLS, RUNS_AWAY, REJECTED]) assert.ok((by.get(id)?.attempts ?? 0) > 1, id);
    for (const { id, note } of tasks.filter(({ status }) => status === "completed")) {
      assert.match(note ?? "", /^merged as [0-9a-f]{12}$/, id);
    }
  });

  await t.step("what is completed is merged, once, after what it depends on", async () => {
    const tasks = await tasksOf(world);
    const done = new Set(tasks.filter(({ status }) => status === "completed").map(({ id }) => id));
    const subjects = (await world.git("log", "--first-parent", "--reverse", "--format=%b", "main"))
      .flatMap((line) => /^Task: links\/([\w-]+)$/.exec(line)?.[1] ?? []);
    assert.deepEqual(new Set(subjects), done);
    assert.equal(subjects.length, done.size);
    for (const { id, dependsOn } of tasks.filter((task) => done.has(task.id))) {
      for (const before of dependsOn) assert.ok(subjects.indexOf(before) < subjects.indexOf(id), `${before} < ${id}`);
      assert.match(await Deno.readTextFile(`${world.repository}/done/${id}.md`), /with tests/);
    }
    assert.deepEqual(await world.git("status", "--porcelain", "--untracked-files=no"), []);
  });

  await t.step("no session is left at work, and the files are told", async () => {
    const { sessions } = await world.coord<{ sessions: { status: string }[] }>("status", { status: ["active"] });
    assert.deepEqual(sessions, []);
    const synced = await world.api<{ written: string[]; conflicts: unknown[] }>("POST", "/api/boards/links/sync", {});
    assert.equal(synced.written.length, 30);
    assert.deepEqual(synced.conflicts, []);
    assert.match(await Deno.readTextFile(`${world.repository}/tasks/core/slugs.md`), /\nstatus: completed\n/);
  });

  await t.step("the history is one graph: who called what, at what cost, under which task", async () => {
    const { items: calls } = await world.api<{ items: { requestId: string; parentRequestId: string | null }[] }>(
      "GET",
      `/api/runs/${runId}/calls`,
    );
    const root = calls.find(({ parentRequestId }) => parentRequestId === null)?.requestId ?? calls[0]?.requestId ?? "";
    const tree = await world.api<Tree>("GET", `/api/calls/${root}/tree`);
    const all = [...walk(tree)];
    const count = (operationId: string): number => all.filter((call) => call.operationId === operationId).length;
    assert.ok(count("workflow.board_task") >= 29, "each task is a call below the board");
    assert.ok(count("session.generate") > 100, `${count("session.generate")} calls of the model`);
    assert.ok(count("session.tool") > 80, `${count("session.tool")} calls of tools`);
    const slugs = await world.coord<{ sessions: { treeId: string; usage: { costMicros: number } | null }[] }>(
      "status",
      {
        taskIds: ["links/slugs"],
      },
    );
    assert.ok(slugs.sessions.length >= 2, "who did it and who judged it");
    assert.ok(slugs.sessions.every(({ usage }) => (usage?.costMicros ?? 0) > 0), "what each of them cost");
    console.log(`${all.length} calls in one tree, ${count("session.generate")} of the model`);
  });
});

interface Tree {
  readonly operationId?: string;
  readonly children?: readonly Tree[];
}

function* walk(tree: Tree): Generator<Tree> {
  yield tree;
  for (const child of tree.children ?? []) yield* walk(child);
}
