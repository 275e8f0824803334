/** A lead that spawns a team through `coord.*`: on a real repository, with real spokes, killed in the middle. */
import assert from "node:assert/strict";
import { postgresAvailable } from "../support/test_database.ts";
import {
  calls,
  type CoordinationWorld,
  coordinationWorld,
  type Model,
  says,
  sessionEnds,
} from "../e2e/_coordination_world.ts";
import { until } from "../e2e/_hub_process.ts";

const TASKS = ["One", "Two", "Three"];

interface Report {
  readonly id: string;
  readonly task: string;
  readonly sessionId: string;
  readonly status: string;
  readonly branch: string;
  readonly directory: string;
  readonly spoke: string;
  readonly worktree: string;
  readonly result: string | null;
  readonly error: { readonly code: string } | null;
  readonly runId: string | null;
  readonly blockedBy: { readonly text: string } | null;
  readonly usage: { readonly costMicros: number; readonly turns: number };
}

/** What a tool answered last, as JSON; null: it is no tool's turn. */
function lastAnswer(said: Parameters<Model>[0]["said"]): Record<string, unknown> | null {
  const last = said.at(-1);
  try {
    return last?.role === "tool" ? JSON.parse(last.text) as Record<string, unknown> : null;
  } catch {
    return null;
  }
}

/** Leads: spawns three, waits for all, tells. Each child writes a file, commits it; "Two" asks before. */
const team: Model = ({ prompt, step, said }) => {
  if (prompt.startsWith("Lead")) {
    if (step === 0) {
      return calls("coord_spawn", {
        tasks: TASKS.map((task) => ({ task })),
        prompt: "Do {{task}}",
        role: "implementer",
        workspace: {},
      });
    }
    const answer = lastAnswer(said);
    if (answer !== null && answer["done"] === true) return says("All three are done.");
    return calls("coord_wait", { until: "all", timeoutMs: 120_000 });
  }
  const task = /^Do (\w+)/.exec(prompt)?.[1] ?? "";
  const directory = /worktree "([^"]+)"/.exec(prompt)?.[1] ?? "";
  const steps = [
    calls("fs_write", { path: `${directory}/${task}.txt`, text: `${task}\n` }),
    ...(task === "Two" ? [calls("coord_notify", { level: "blocking", message: "Which colour?" })] : []),
    calls("git_commit", { path: directory, message: `Do ${task}` }),
  ];
  return steps[step] ??
    says(
      `${task} is done${
        task === "Two" ? `: ${said.findLast(({ text }) => text.includes("green")) ? "green" : "?"}` : ""
      }`,
    );
};

async function lead(world: CoordinationWorld, prompt: string, more: object = {}): Promise<string> {
  const session = await world.api<{ id: string }>("POST", "/api/sessions", {
    role: "coordinator",
    model: "fake-large",
    prompt,
    ...more,
  });
  return session.id;
}

async function childrenOf(world: CoordinationWorld, parentSessionId: string): Promise<readonly Report[]> {
  const { sessions } = await world.coord<{ sessions: Report[] }>("status", { parentSessionId });
  return sessions.toReversed();
}

for (const database of ["embedded", "postgres"] as const) {
  Deno.test(`a team of three goes on after kill -9 of its hub and a spoke, on the ${database} database`, async (t) => {
    if (database === "postgres" && !await postgresAvailable()) {
      return console.log("PostgreSQL does not answer: not run");
    }
    await using world = await coordinationWorld({ model: team, database });
    const leadId = await lead(world, "Lead the team");

    const asked = await t.step("a child parks with its question", async () => {
      await until("the question", async () => {
        const { body } = await world.hub.api<{ items: { workflow: string }[] }>("GET", "/api/approvals");
        return body.items.some(({ workflow }) => workflow === "coord_question");
      }, 60_000);
      const children = await childrenOf(world, leadId);
      assert.deepEqual(children.map(({ task }) => task), TASKS);
      assert.equal(children[1]?.blockedBy?.text, "Which colour?");
    });
    assert.ok(asked);

    await t.step("hub and spoke are killed, and the question is still there", async () => {
      await world.restartHub();
      await world.restartSpoke("dev-1");
      await world.spokesReady();
      const { body } = await world.hub.api<{ items: { runId: string; workflow: string; question: { ask: string } }[] }>(
        "GET",
        "/api/approvals",
      );
      const [question] = body.items.filter(({ workflow }) => workflow === "coord_question");
      assert.equal(question?.question.ask, "Which colour?");
      assert.equal(body.items.length, 1, "the question is asked once");
      await world.api("POST", `/api/runs/${question?.runId}/signals/answer`, { text: "green" });
    });

    await t.step("all are done, once", async () => {
      assert.equal(await sessionEnds(world, leadId, 120_000), "idle");
      const children = await childrenOf(world, leadId);
      assert.deepEqual(
        children.map(({ task, status, result }) => [task, status, result]),
        [["One", "completed", "One is done"], ["Two", "completed", "Two is done: green"], [
          "Three",
          "completed",
          "Three is done",
        ]],
      );
      const { items } = await world.api<{ items: unknown[] }>("GET", "/api/sessions");
      assert.equal(items.length, 4, "no session is anybody's orphan");
      // One worktree and one commit for each.
      assert.equal((await world.git("worktree", "list")).length, 4);
      for (const { task, branch } of children) {
        assert.deepEqual(await world.git("log", "--format=%s", branch), [`Do ${task}`, "first"]);
      }
      assert.deepEqual(await world.git("status", "--porcelain"), []);
      const spokes = new Set(children.map(({ spoke }) => spoke));
      assert.deepEqual([...spokes].sort(), ["dev-1", "dev-2"]);
    });

    await t.step("it is one graph, with what it cost, and written down", async () => {
      const session = await world.api<{ runId: string }>("GET", `/api/sessions/${leadId}`);
      const tree = await world.api<Tree>("GET", `/api/calls/${session.runId}/tree`);
      const turns = flat(tree).filter(({ operationId }) => operationId === "workflow.agent_turn");
      assert.equal(turns.length, 4);
      assert.equal(flat(tree).filter(({ operationId }) => operationId === "workflow.coord_question").length, 1);
      const children = await childrenOf(world, leadId);
      assert.ok(children.every(({ usage }) => usage.costMicros > 0 && usage.turns === 1));
      const { items } = await world.api<{ items: { action: string }[] }>("GET", "/api/audit?limit=200");
      const actions = items.map(({ action }) => action);
      assert.ok(actions.includes("coord.spawn") && actions.includes("coord.notify"));
    });

    await t.step("what is done is removed when its worktree is wanted no more", async () => {
      const { aborted } = await world.coord<{ aborted: Report[] }>("abort", {
        parentSessionId: leadId,
        remove: "clean",
      });
      assert.deepEqual(
        aborted.map(({ status, worktree }) => [status, worktree]),
        Array(3).fill(["completed", "removed"]),
      );
      assert.equal((await world.git("worktree", "list")).length, 1);
      assert.equal((await world.git("branch", "--list", "wt/*")).length, 3);
    });
  });
}

interface Tree {
  readonly operationId: string;
  readonly children: readonly Tree[];
}

function flat(tree: Tree): readonly Tree[] {
  return [tree, ...tree.children.flatMap(flat)];
}

/** Children that run a program for minutes; the second leaves a change. */
const sleepers: Model = ({ prompt, step, said }) => {
  if (prompt.startsWith("Lead")) {
    if (step === 0) {
      const workspace = { spoke: "dev-1" };
      return calls("coord_spawn", {
        tasks: [{ task: "clean" }, { task: "dirty" }],
        role: "implementer",
        prompt: "Do {{task}}",
        workspace,
      });
    }
    return lastAnswer(said)?.["done"] === true ? says("Over") : calls("coord_wait", { timeoutMs: 120_000 });
  }
  const directory = /worktree "([^"]+)"/.exec(prompt)?.[1] ?? "";
  if (prompt.startsWith("Do dirty") && step === 0) {
    return calls("fs_write", { path: `${directory}/left.txt`, text: "left" });
  }
  return calls("bash_run", {
    command: "sh",
    args: ["-c", `echo $$ > ../../${prompt.slice(3, 8)}.pid; sleep 300`],
    cwd: directory,
  });
};

Deno.test("coord.abort ends sessions, runs, calls and processes, and removes worktrees where nothing is lost", async () => {
  await using world = await coordinationWorld({ model: sleepers, spokes: ["dev-1"], commands: ["git", "sh"] });
  const leadId = await lead(world, "Lead the sleepers");
  const pids = await until("both programs run", async () => {
    const files = ["clean", "dirty"].map((name) => `${world.repository}/${name}.pid`);
    const texts = await Promise.all(files.map((file) => Deno.readTextFile(file).catch(() => "")));
    return texts.every((text) => text.trim() !== "") && texts.map((text) => text.trim());
  }, 60_000);
  const before = await childrenOf(world, leadId);
  const { aborted } = await world.coord<{ aborted: Report[] }>("abort", { parentSessionId: leadId, reason: "Enough" });
  assert.deepEqual(aborted.map(({ status }) => status), ["aborted", "aborted"]);
  for (const pid of pids) {
    await until(`process ${pid} ends`, async () => {
      const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => null);
      return stat === null || /\) [ZX] /.test(stat);
    });
  }
  await until("worktrees are tidied up", async () => {
    const children = await childrenOf(world, leadId);
    return children.map(({ worktree }) => worktree).join() === "removed,kept";
  });
  assert.equal((await world.git("worktree", "list")).length, 2);
  for (const { sessionId, runId } of before) {
    assert.equal(await sessionEnds(world, sessionId), "stopped");
    const run = await world.api<{ status: string }>("GET", `/api/runs/${runId}`);
    assert.equal(run.status, "aborted");
  }
  // The lead is told by its wait, and goes on.
  assert.equal(await sessionEnds(world, leadId), "idle");
});

/** Spawns two of its kind and waits, whatever comes. Each step costs 7,500 millionths. */
const runaway: Model = ({ step, said }) => {
  const usage = { input: 2_000, output: 100 };
  if (step === 0) {
    const tasks = [{ task: "more" }, { task: "more" }];
    return { ...calls("coord_spawn", { tasks, role: "breeder", prompt: "Breed {{task}}" }), usage };
  }
  const isOver = lastAnswer(said)?.["done"] === true;
  return { ...isOver ? says("Bred") : calls("coord_wait", { timeoutMs: 60_000 }), usage };
};

Deno.test("a runaway spawner is stopped by the budget of its tree", async () => {
  await using world = await coordinationWorld({ model: runaway, spokes: ["dev-1"] });
  const LIMIT = 400_000;
  await world.api("PUT", "/api/roles/breeder", {
    systemPrompt: "Breed. ".repeat(200),
    tools: { operations: ["coord.*"] },
    scopes: ["operation:call", "operation:read", "coord:*", "inference:call", "model:*"],
    spawn: { roles: ["breeder"], maxDepth: 32, maxBreadth: 100 },
  });
  const session = await world.api<{ id: string }>("POST", "/api/sessions", {
    role: "breeder",
    model: "fake-large",
    prompt: "Breed",
    limits: { maxCostMicros: LIMIT },
  });
  await sessionEnds(world, session.id, 120_000);
  const all = await until("nothing goes on", async () => {
    const { items } = await world.api<{ items: { status: string; usage: { costMicros: number }; error: unknown }[] }>(
      "GET",
      "/api/sessions?limit=500",
    );
    return items.every(({ status }) => status !== "busy" && status !== "waiting") && items;
  }, 120_000);
  const cost = all.reduce((sum, { usage }) => sum + usage.costMicros, 0);
  assert.ok(all.length > 3, `it bred: ${all.length}`);
  assert.ok(cost <= LIMIT, `${cost} of ${LIMIT}`);
  assert.ok(all.some(({ error }) => JSON.stringify(error)?.includes("BUDGET_EXCEEDED")), JSON.stringify(all));
  await until("every mapping has ended", async () => {
    const { sessions } = await world.coord<{ sessions: Report[] }>("status", { status: ["active"] });
    return sessions.length === 0;
  });
});
