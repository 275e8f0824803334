/** examples/runner, in plain Node: a session whose loop runs on a spoke, through kill -9 of the runner and of the hub. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free_port.ts";
import { has } from "../e2e/_examples.ts";
import { type HubProcess, startHubProcess, until } from "../e2e/_hub_process.ts";
import { PRICES, proxyWorld } from "../e2e/_proxy_world.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Part {
  readonly type: string;
  readonly text?: string;
  readonly state?: string;
  readonly toolCallId?: string;
  readonly inputTokens?: number;
  readonly callRunId?: string | null;
}

interface Message {
  readonly seq: number;
  readonly role: string;
  readonly step: number | null;
  readonly parts: readonly Part[];
}

/** The runner as one file for Node, with the package `ws`; null where these cannot be had. */
async function installRunner(): Promise<string | null> {
  if (!await has("node") || !await has("npm")) return null;
  const dir = await Deno.makeTempDir({ prefix: "runner-" });
  const npm = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--silent", "ws@8.23.0"],
    cwd: dir,
  }).output();
  if (!npm.success) return null;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "-q",
      "--platform",
      "browser",
      ...["node:process", "node:fs/promises"].flatMap((name) => ["--external", name]),
      "-o",
      `${dir}/runner.mjs`,
      `${ROOT}examples/runner/runner.ts`,
    ],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return dir;
}

function startRunner(dir: string, { url }: Pick<HubProcess, "url">, key: string): Deno.ChildProcess {
  return new Deno.Command("node", {
    args: [`${dir}/runner.mjs`],
    env: { HUB_URL: url, HUB_KEY: key, HUB_NAME: "mine", NOTES: `${dir}/notes` },
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

async function messagesOf(hub: HubProcess, session: string): Promise<readonly Message[]> {
  const { body } = await hub.api<{ items: Message[] }>("GET", `/api/sessions/${session}/messages?limit=1000`);
  return body.items;
}

Deno.test("a runner on a spoke carries a session's turns through kill -9 of itself and of the hub", async (t) => {
  const dir = await installRunner();
  if (dir === null) return console.log("Node or the package ws cannot be had here: not run");
  await using world = await proxyWorld([{}], { env: { HUB_PORT: String(freePort()) } });
  const { providers: [fake] } = world;
  assert.ok(fake);
  let { hub } = world;
  await world.addProvider(fake, { name: "fake", models: [{ id: "fake-large", alias: "fast", prices: PRICES }] });
  const scopes = ["spoke:connect", "operation:call", "inference:call", "model:*", "session:write"];
  const made = await hub.api<{ key: string }>("POST", "/api/keys", { body: { name: "runner", scopes } });
  const runners = [startRunner(dir, hub, made.body.key)];
  const kill = async () => {
    const runner = runners.pop()!;
    runner.kill("SIGKILL");
    await runner.status;
  };
  try {
    await until(
      "the runner is there",
      async () => (await hub.api("GET", "/api/operations/runner.turn")).status === 200,
    );
    const created = await hub.api<{ id: string }>("POST", "/api/sessions", { body: { model: "fast", kind: "runner" } });
    assert.equal(created.status, 201, JSON.stringify(created.body));
    const session = created.body.id;
    const say = (text: string, wait: number) =>
      hub.api<{ turn: { status: string; error: unknown } | null; text: string; runId: string }>(
        "POST",
        `/api/sessions/${session}/messages`,
        { body: { text }, headers: { prefer: `wait=${wait}` } },
      );
    const note = (text: string) => `tool:write_note ${JSON.stringify({ text })}`;

    await t.step("a turn with tools of the runner's own, at the price that the proxy says", async () => {
      const { status, body } = await say(`${note("a")}\n${note("b")}`, 30);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.turn?.status, "done", JSON.stringify(body));
      assert.match(body.text, /The tool said/);
      const usage = (await hub.api<{ usage: Record<string, number> }>("GET", `/api/sessions/${session}`)).body.usage;
      assert.deepEqual([usage["steps"], usage["toolCalls"], usage["toolErrors"]], [2, 2, 0]);
      const called = await hub.api<{ items: { labels: Record<string, string>; id: string; parent?: unknown }[] }>(
        "GET",
        `/api/runs?workflow=proxy_call&label=session%3D${session}`,
      );
      assert.equal(called.body.items.length, 2);
      let costMicros = 0;
      for (const { id } of called.body.items) {
        const run = await hub.api<{ output: { usage: { costMicros: number } } }>("GET", `/api/runs/${id}`);
        costMicros += run.body.output.usage.costMicros;
      }
      assert.equal(usage["costMicros"], costMicros);
      // The calls of the model stand below the turn in the call graph.
      const tree = await hub.api("GET", `/api/calls/${body.runId}/tree`);
      assert.equal(JSON.stringify(tree.body).split('"workflow.proxy_call"').length - 1, 2, JSON.stringify(tree.body));
    });

    await t.step("nobody but a runner's session is written to, and not with what others have used", async () => {
      const direct = await hub.api<{ id: string }>("POST", "/api/sessions", { body: { model: "fast" } });
      const said = await hub.api<{ turnId: string }>("POST", `/api/sessions/${direct.body.id}/messages`, {
        body: { text: "say:x" },
        headers: { prefer: "wait=20" },
      });
      const write = (input: Record<string, unknown>) =>
        hub.api<{ code: string }>("POST", "/api/operations/session.step", {
          body: { input: { name: "n", seenSeq: 1, ...input } },
        });
      const refused = await write({ session: direct.body.id, turn: said.body.turnId, text: "forged" });
      assert.equal(refused.body.code, "ACCESS_DENIED", JSON.stringify(refused.body));
      const turns = await hub.api<{ items: { id: string }[] }>("GET", `/api/sessions/${session}/turns`);
      const late = await write({ session, turn: turns.body.items[0]!.id, text: "late" });
      assert.equal(late.body.code, "ABORTED", JSON.stringify(late.body));
    });

    await t.step("the runner is killed in the middle of a step, and its successor goes on", async () => {
      fake.script({ text: "", toolCalls: [{ name: "write_note", arguments: '{"text":"k1"}' }] });
      fake.fail({ kind: "slow-chunks", ms: 400 });
      const count = fake.count;
      const saying = say("go", 100);
      await until("the model is asked", () => Promise.resolve(fake.count > count));
      await kill();
      fake.reset();
      fake.script({ text: "", toolCalls: [{ name: "write_note", arguments: '{"text":"k1"}' }] });
      runners.push(startRunner(dir, hub, made.body.key));
      const { body } = await saying;
      assert.equal(body.turn?.status, "done", JSON.stringify(body));
      assertWhole(await messagesOf(hub, session));
    });

    await t.step("the hub is killed in the middle of a turn, and the runner goes on with the next one", async () => {
      fake.script(
        { text: "", toolCalls: [{ name: "write_note", arguments: '{"text":"h1"}' }] },
        { text: `${"w ".repeat(40)}end`, toolCalls: [] },
        { text: `${"w ".repeat(40)}end`, toolCalls: [] },
      );
      fake.fail({ kind: "slow-chunks", ms: 1, times: 1 }, { kind: "slow-chunks", ms: 60, times: 1 });
      const before = (await messagesOf(hub, session)).length;
      const saying = say("go on", 0);
      await saying;
      await until("a step is recorded, and the next is under way", async () => {
        const messages = await messagesOf(hub, session);
        return messages.length >= before + 2 && fake.requests.length >= 2;
      });
      await hub.kill("SIGKILL");
      hub = await startHubProcess({ dataDir: hub.dataDir, env: { HUB_PORT: new URL(hub.url).port } });
      await until("the turn has ended", async () => {
        const { body } = await hub.api<{ status: string }>("GET", `/api/sessions/${session}`);
        return body.status === "idle";
      }, 60_000);
      const messages = await messagesOf(hub, session);
      assertWhole(messages);
      assert.match(messages.at(-1)?.parts.find(({ type }) => type === "text")?.text ?? "", /end$/);
    });

    await t.step("a failure of the runner's is the turn's, and the next turn works", async () => {
      fake.reset();
      fake.fail({ kind: "status", status: 400, message: "No such thing" });
      const failed = await say("x", 60);
      assert.equal(failed.body.turn?.status, "failed", JSON.stringify(failed.body));
      assert.match(JSON.stringify(failed.body.turn?.error), /No such thing/);
      assert.equal((await say("say:fine", 60)).body.text, "fine");
    });
  } finally {
    for (const runner of runners) {
      runner.kill("SIGKILL");
      await runner.status;
    }
    if (hub !== world.hub) await hub[Symbol.asyncDispose]();
    await Deno.remove(dir, { recursive: true });
  }
});

/** Nothing is lost, nothing is twice: seqs without gaps, steps of a turn in order, each paid call once, every tool ended. */
function assertWhole(messages: readonly Message[]): void {
  assert.deepEqual(messages.map(({ seq }) => seq), messages.map((_, at) => at + 1));
  const calls = messages.flatMap(({ parts }) => parts.flatMap(({ callRunId }) => callRunId ?? []));
  assert.equal(new Set(calls).size, calls.length);
  let step = 0;
  for (const message of messages) {
    if (message.role === "user") step = 0;
    else assert.equal(message.step, ++step, JSON.stringify(messages.map((one) => [one.role, one.step])));
    for (const part of message.parts) if (part.type === "tool") assert.equal(part.state, "output-available");
  }
}
