/**
 * A session of 50 turns with tools on a spoke, while hub and spoke are killed under it: what was recorded is neither lost nor done
 * again, as its messages, the call graph, the provider and the spoke have it.
 */
import assert from "node:assert/strict";
import { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import type { Said, Turn } from "../support/fake_provider/turn.ts";
import { freePort } from "../support/free_port.ts";
import { type HubProcess, startHubProcess, until } from "../e2e/_hub_process.ts";
import { PRICES } from "../e2e/_proxy_world.ts";

const TURNS = 50;
/** Turns in which the hub is killed while it waits for the model. */
const ASKING: readonly number[] = [11, 35];
/** Turns in whose middle something is killed, once the spoke has made their first note. */
const KILLS: ReadonlyMap<number, readonly ("hub" | "spoke")[]> = new Map([
  [7, ["hub"]],
  [15, ["spoke"]],
  [23, ["hub", "spoke"]],
  [31, ["hub"]],
  [38, ["spoke"]],
  [44, ["hub", "spoke"]],
]);

interface Part {
  readonly type: string;
  readonly state?: string;
  readonly toolCallId?: string;
  readonly text?: string;
  readonly output?: { readonly noted?: string };
}
interface Message {
  readonly id: string;
  readonly seq: number;
  readonly role: string;
  readonly step: number | null;
  readonly turnId: string;
  readonly runId: string;
  readonly parts: readonly Part[];
}
interface Note {
  readonly requestId: string;
  readonly turn: number;
  readonly part: string;
  readonly pid: number;
}

/** Two notes at once, then one, then the answer. */
function answer(said: readonly Said[]): Turn {
  const at = said.findLastIndex(({ role }) => role === "user");
  const turn = Number(/\d+/.exec(said[at]?.text ?? "")?.[0]);
  const results = said.slice(at).filter(({ role }) => role === "tool").length;
  const note = (part: string) => ({ name: "lab_note", arguments: JSON.stringify({ turn, part }) });
  if (results === 0) return { text: `Turn ${turn}.`, toolCalls: [note("a"), note("b")] };
  if (results === 2) return { text: "", toolCalls: [note("c")] };
  return { text: `Turn ${turn} is done.`, toolCalls: [] };
}

/** Hub and spoke in processes of their own, started again as often as they are killed. */
class World implements AsyncDisposable {
  readonly provider: FakeProvider;
  readonly notesFile: string;
  hub: HubProcess;
  spoke: Deno.ChildProcess;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(hub: HubProcess, env: Readonly<Record<string, string>>, provider: FakeProvider) {
    this.hub = hub;
    this.#env = env;
    this.provider = provider;
    this.notesFile = `${hub.dataDir}/notes.jsonl`;
    this.spoke = this.#spawnSpoke();
  }

  static async start(): Promise<World> {
    const dataDir = await Deno.makeTempDir({ prefix: "hub-sessions-" });
    const provider = new FakeProvider({ answer });
    const allowPrivate = [new URL(provider.url).host];
    await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify({ egress: { allowPrivate } }));
    const env = { HUB_PORT: String(freePort()) };
    return new World(await startHubProcess({ dataDir, env }), env, provider);
  }

  #spawnSpoke(): Deno.ChildProcess {
    const script = new URL("../e2e/fixtures/note_spoke.ts", import.meta.url).pathname;
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, this.hub.url, this.hub.key, this.notesFile],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async killHub(): Promise<void> {
    await this.hub.kill("SIGKILL");
    this.hub = await startHubProcess({ dataDir: this.hub.dataDir, env: this.#env });
  }

  async killSpoke(): Promise<void> {
    this.spoke.kill("SIGKILL");
    await this.spoke.status;
    this.spoke = this.#spawnSpoke();
  }

  async notes(): Promise<readonly Note[]> {
    const text = await Deno.readTextFile(this.notesFile).catch(() => "");
    return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  }

  /** As a client does that is not put off by a hub that is away. */
  async api<T>(method: string, path: string, options: Parameters<HubProcess["api"]>[2] = {}): Promise<T> {
    for (const end = Date.now() + 60_000;;) {
      try {
        const { status, body } = await this.hub.api<T>(method, path, options);
        if (status < 500) {
          assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(body)}`);
          return body;
        }
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
      }
      assert.ok(Date.now() < end, `${method} ${path} is not answered`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.spoke.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.spoke.status;
    await this.hub[Symbol.asyncDispose]();
    await this.provider.stop();
  }
}

Deno.test("a session of 50 turns loses and repeats nothing recorded while hub and spoke are killed", async () => {
  await using world = await World.start();
  const fake = {
    type: "llm-provider",
    kind: "openai",
    baseUrl: `${world.provider.url}/v1`,
    keys: ["sk-fake"],
    models: [{ id: "fake", prices: PRICES }],
  };
  await world.api("PUT", "/api/clients/fake", { body: fake });
  const tools = { operations: ["lab.*"] };
  const scopes = ["operation:read", "operation:call"];
  await world.api("PUT", "/api/roles/keeper", { body: { systemPrompt: "You keep notes.", tools, scopes } });
  await until("the spoke is there", async () => {
    const { items } = await world.api<{ items: unknown[] }>("GET", "/api/spokes");
    return items.length === 1;
  });
  const { id } = await world.api<{ id: string }>("POST", "/api/sessions", { body: { role: "keeper", title: "Notes" } });

  for (let turn = 1; turn <= TURNS; turn++) {
    const asked = world.provider.count;
    if (ASKING.includes(turn)) world.provider.fail({ kind: "slow", ms: 30_000, times: 1 });
    await world.api("POST", `/api/sessions/${id}/messages`, {
      body: { text: `Turn ${turn}` },
      headers: { "idempotency-key": `turn-${turn}` },
    });
    if (ASKING.includes(turn)) {
      await until("the model is asked", () => Promise.resolve(world.provider.count > asked));
      await world.killHub();
    }
    const kills = KILLS.get(turn) ?? [];
    if (kills.length > 0) {
      await until("its first note", async () => (await world.notes()).some((note) => note.turn === turn));
      if (kills.includes("spoke")) await world.killSpoke();
      if (kills.includes("hub")) await world.killHub();
    }
    await until(`turn ${turn} ends`, async () => {
      const { status } = await world.api<{ status: string }>("GET", `/api/sessions/${id}`);
      assert.ok(status !== "failed" && status !== "stopped", JSON.stringify(status));
      return status === "idle";
    }, 120_000);
  }
  await assertWhole(world, id);
});

async function assertWhole(world: World, id: string): Promise<void> {
  const { items: messages } = await world.api<{ items: Message[] }>("GET", `/api/sessions/${id}/messages?limit=1000`);
  assert.deepEqual(messages.map(({ seq }) => seq), Array.from({ length: TURNS * 4 }, (_, i) => i + 1));
  for (let turn = 1; turn <= TURNS; turn++) {
    const four = messages.slice((turn - 1) * 4, turn * 4);
    assert.deepEqual(four.map(({ role, step }) => [role, step]), [
      ["user", null],
      ["assistant", 1],
      ["assistant", 2],
      ["assistant", 3],
    ]);
    const outputs = four.flatMap(({ parts }) => parts).filter(({ type }) => type === "tool").map((part) => {
      assert.equal(part.state, "output-available");
      return part.output?.noted;
    });
    assert.deepEqual(outputs, [`${turn}a`, `${turn}b`, `${turn}c`]);
    assert.equal(four[3]!.parts.find(({ type }) => type === "text")?.text, `Turn ${turn} is done.`);
  }
  await assertGraph(world, messages);
  assertAsked(world, messages);
  const { usage } = await world.api<{ usage: Record<string, number> }>("GET", `/api/sessions/${id}`);
  const { steps, turns, toolCalls, toolErrors, malformedCalls } = usage;
  assert.deepEqual([steps, turns, toolCalls, toolErrors, malformedCalls], [TURNS * 3, TURNS, TURNS * 3, 0, 0]);
}

/** One run a turn; its steps and calls are nodes, and those of the spoke are the very calls that it has noted. */
async function assertGraph(world: World, messages: readonly Message[]): Promise<void> {
  const notes = await world.notes();
  const runIds = [...new Set(messages.map(({ runId }) => runId))];
  assert.equal(runIds.length, TURNS);
  const killedSpoke = [...KILLS].flatMap(([turn, what]) => what.includes("spoke") ? [turn] : []);
  for (const [at, runId] of runIds.entries()) {
    const turn = at + 1;
    const calls = await world.api<
      {
        items: {
          requestId: string;
          operationId: string;
          status: string;
          input: { call?: { input: { part: string } } };
        }[];
      }
    >("GET", `/api/runs/${runId}/calls`);
    const of = (operationId: string) =>
      calls.items.filter((call) => call.operationId === operationId && call.status === "completed");
    assert.equal(of("session.generate").length, 3, `turn ${turn}`);
    const steps = messages.filter((message) => message.runId === runId && message.step !== null);
    // A step's message is recorded under the id of the call that has made it.
    assert.deepEqual(
      new Set(of("session.generate").map((call) => call.requestId)),
      new Set(steps.map((step) => step.id)),
    );
    const tools = of("session.tool");
    assert.equal(tools.length, 3, `turn ${turn}`);
    for (const { requestId, input } of tools) {
      const part = input.call?.input.part;
      const noted = notes.filter((note) => note.turn === turn && note.part === part);
      assert.deepEqual([...new Set(noted.map((note) => note.requestId))], [requestId], `turn ${turn}${part}`);
      const most = killedSpoke.includes(turn) ? 2 : 1;
      assert.ok(noted.length >= 1 && noted.length <= most, `turn ${turn}${part} was noted ${noted.length} times`);
    }
  }
}

/** What the provider was given each time is the beginning of the one conversation, up to some step. */
function assertAsked(world: World, messages: readonly Message[]): void {
  const asked = world.provider.requests.filter(({ path }) => path === "/v1/chat/completions")
    .map(({ body }) => (body as { messages: readonly unknown[] }).messages.map((one) => JSON.stringify(one)));
  const whole = asked.reduce((longest, one) => one.length > longest.length ? one : longest, []);
  for (const one of asked) assert.deepEqual(one, whole.slice(0, one.length));
  assert.equal(new Set(asked.map(({ length }) => length)).size, messages.filter(({ step }) => step !== null).length);
  const again = asked.length - TURNS * 3;
  assert.ok(
    again >= ASKING.length && again <= ASKING.length + KILLS.size * 2,
    `the provider was asked ${again} times more than there are steps`,
  );
  console.log(`sessions: ${TURNS} turns, ${asked.length} calls of the model for ${TURNS * 3} steps`);
}
