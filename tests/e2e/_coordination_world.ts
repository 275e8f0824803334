/** A real hub, a real repository with dev spokes on it, and a provider whose models do what a test wrote for them. */
import assert from "node:assert/strict";
import { freePort } from "../support/free_port.ts";
import { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import type { Said, Turn } from "../support/fake_provider/turn.ts";
import { testDatabase } from "../support/test_database.ts";
import { type HubProcess, startHubProcess, until } from "./_hub_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
export const PRICES = { inputMicrosPerMTok: 3_000_000, outputMicrosPerMTok: 15_000_000 } as const;

/** What a model does: it is given its session's first words, what its tools have answered so far, and all that was said. */
export type Model = (
  params: { readonly prompt: string; readonly step: number; readonly said: readonly Said[] },
) => Turn;

export interface CoordinationWorld {
  readonly hub: HubProcess;
  readonly provider: FakeProvider;
  /** The repository, where the spokes' root is. */
  readonly repository: string;
  /** Kills the hub and starts another on the same data and port. */
  restartHub(): Promise<void>;
  /** Kills a spoke and starts it again. */
  restartSpoke(name: string): Promise<void>;
  /** Until the hub knows all spokes. */
  spokesReady(): Promise<void>;
  api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** Calls an operation `coord.<name>` over HTTP. */
  coord<T = Record<string, unknown>>(name: string, input: unknown): Promise<T>;
  /** Lines that git prints. */
  git(...args: readonly string[]): Promise<readonly string[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One tool's call, and nothing said. */
export function calls(name: string, input: unknown): Turn {
  return { text: "", toolCalls: [{ name, arguments: JSON.stringify(input) }] };
}

export function says(text: string): Turn {
  return { text, toolCalls: [] };
}

export async function coordinationWorld(
  { model, spokes = ["dev-1", "dev-2"], commands = ["git"], database = "embedded" }: {
    readonly model: Model;
    readonly spokes?: readonly string[];
    readonly commands?: readonly string[];
    readonly database?: "embedded" | "postgres";
  },
): Promise<CoordinationWorld> {
  const base = await Deno.realPath(await Deno.makeTempDir({ prefix: "hub-coord-" }));
  const [dataDir, repository] = [`${base}/data`, `${base}/repository`];
  await Deno.mkdir(dataDir);
  await Deno.mkdir(repository);
  const git = gitIn(repository);
  await git("init", "--quiet", "--initial-branch=main");
  await git("config", "user.name", "Team");
  await git("config", "user.email", "team@example.com");
  await Deno.writeTextFile(`${repository}/README.md`, "# Project\n");
  await git("add", ".");
  await git("commit", "--quiet", "--message=first");
  const provider = new FakeProvider({ answer: (messages) => modelled(model, messages) });
  const allowPrivate = [new URL(provider.url).host];
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify({ egress: { allowPrivate } }));
  const shared = database === "postgres" ? await testDatabase("postgres") : null;
  const env = {
    HUB_PORT: String(freePort()),
    ...(shared?.url != null && { HUB_DATABASE_URL: shared.url }),
  };
  const start = () => startHubProcess({ dataDir, env, keep: true });
  let hub = await start();
  const running = new Map<string, Deno.ChildProcess>();
  const startSpoke = (name: string): void => {
    running.set(name, spokeProcess({ name, hub, repository, commands }));
  };
  for (const name of spokes) startSpoke(name);
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await hub.api<T>(method, path, body === undefined ? {} : { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const spokesReady = async (): Promise<void> => {
    await until("the spokes are there", async () => {
      const { status, body } = await hub.api<{ items: { name: string; status: string }[] }>("GET", "/api/spokes");
      if (status !== 200) return false;
      const here = body.items.filter((one) => one.status === "connected").map(({ name }) => name);
      return spokes.every((name) => here.includes(name));
    });
  };
  const stop = async (child: Deno.ChildProcess): Promise<void> => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await child.status;
  };
  const world: CoordinationWorld = {
    get hub() {
      return hub;
    },
    provider,
    repository,
    git,
    api,
    spokesReady,
    coord: (name, input) => api("POST", `/api/coord/${name}`, input),
    async restartHub() {
      await hub.kill("SIGKILL");
      hub = await start();
    },
    async restartSpoke(name) {
      await stop(running.get(name) ?? assert.fail(`no spoke ${name}`));
      startSpoke(name);
    },
    async [Symbol.asyncDispose]() {
      for (const child of running.values()) await stop(child);
      await hub[Symbol.asyncDispose]();
      await provider.stop();
      await shared?.drop();
      await Deno.remove(base, { recursive: true });
    },
  };
  await spokesReady();
  await api("PUT", "/api/clients/fake", {
    type: "llm-provider",
    kind: "openai",
    baseUrl: `${provider.url}/v1`,
    keys: ["sk-fake"],
    models: [{ id: "fake-large", prices: PRICES }],
  });
  return world;
}

/** Which step of which session is asked for is seen from what was said: nothing is remembered. */
function modelled(model: Model, messages: readonly Said[]): Turn {
  const prompt = messages.find(({ role }) => role === "user")?.text ?? "";
  const step = messages.filter(({ role }) => role === "assistant").length;
  return model({ prompt, step, said: messages });
}

function gitIn(cwd: string): (...args: readonly string[]) => Promise<readonly string[]> {
  return async (...args) => {
    const output = await new Deno.Command("git", { args: [...args], cwd }).output();
    assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
    return new TextDecoder().decode(output.stdout).split("\n").filter((line) => line !== "");
  };
}

function spokeProcess(
  { name, hub, repository, commands }: {
    readonly name: string;
    readonly hub: HubProcess;
    readonly repository: string;
    readonly commands: readonly string[];
  },
): Deno.ChildProcess {
  const allowed = commands.flatMap((command) => ["--command", command]);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", `${ROOT}deno.json`, `${ROOT}src/cli/main.ts`, "spoke", "dev"]
      .concat("--name", name, "--root", repository, "--url", hub.url, "--key", hub.key, allowed),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** The end of a session's turn. */
export async function sessionEnds(world: CoordinationWorld, id: string, withinMs = 60_000): Promise<string> {
  return await until(`session ${id} ends`, async () => {
    const { status, body } = await world.hub.api<{ status: string }>("GET", `/api/sessions/${id}`);
    return status === 200 && body.status !== "busy" && body.status !== "waiting" ? body.status : null;
  }, withinMs);
}
