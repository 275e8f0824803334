/**
 * Runs the guides: what they tell to type works, and prints what they show. A guide is run when it holds the line
 * `<!-- guide: runs -->`. Its blocks are carried out in order, in a directory that is also `$HOME`; a hub serves `~/workflows`
 * in it. Guides of one file have the hub and the directory in common. The word after the language says what a block is:
 *
 * - `sh`: run by bash, and exits with 0. Variables of capitals stay for the next blocks. `hub` is the command line, `$HUB` the repository.
 * - `sh fails`: exits with something else.
 * - `sh background`: goes on while the next blocks run, which begin when it has written something.
 * - `sh skip`: not run, as it starts a hub, opens a browser, or lasts for minutes.
 * - `<any> file=PATH`: written to that file.
 * - `text output`: what the block before wrote to stdout and stderr, by line; `…` stands for any text, a line `…` for any lines.
 * - `json output`: what it wrote to stdout, as JSON; `"…"` stands for any value.
 *
 * Other blocks are only shown. `http://127.0.0.1:8787` stands for the address of the hub, port 8788 for another that is free.
 */
import assert from "node:assert/strict";
import { type HubProcess, startHubProcess } from "../_hub_process.ts";
import { freePort } from "../../support/free_port.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const CLI = `deno run -A --no-check --config "$HUB/deno.json" "$HUB/src/cli/main.ts"`;
const MARK = "<!-- guide: runs -->";

interface Block {
  readonly language: string;
  /** What stands after the language. */
  readonly words: readonly string[];
  readonly text: string;
  readonly line: number;
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly all: string;
}

function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const fence = /^(\s*)```(\S+)(.*)$/.exec(lines[i] ?? "");
    if (fence === null) continue;
    const [, indent = "", language = "", rest = ""] = fence;
    const end = lines.indexOf(`${indent}\`\`\``, i + 1);
    assert.ok(end > i, `line ${i + 1}: the block has no end`);
    const text = lines.slice(i + 1, end).map((line) => line.slice(indent.length)).join("\n");
    blocks.push({ language, words: rest.trim().split(/\s+/).filter((word) => word !== ""), text, line: i + 1 });
    i = end;
  }
  return blocks;
}

/** One guide being followed. */
class Reader implements AsyncDisposable {
  readonly #home: string;
  readonly #hub: HubProcess;
  readonly #background: Deno.ChildProcess[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #secondPort: string = String(freePort());
  #last: Ran | null = null;

  constructor(home: string, hub: HubProcess, env: Readonly<Record<string, string>>) {
    this.#env = env;
    this.#home = home;
    this.#hub = hub;
  }

  async follow({ language, words, text }: Block): Promise<void> {
    const file = words.find((word) => word.startsWith("file="))?.slice("file=".length);
    if (file !== undefined) return await this.#write(file, text);
    if (words[0] === "output") return this.#compare(language, text);
    if (language !== "sh" || words[0] === "skip") return;
    if (words[0] === "background") return await this.#start(text);
    this.#last = await this.#run(text);
    const { code, all } = this.#last;
    assert.equal(code !== 0, words[0] === "fails", `exit code ${code} of:\n${text}\n${all}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#background) {
      try {
        child.kill("SIGTERM");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // the guide has ended it itself
      }
      await child.status;
    }
  }

  async #write(file: string, text: string): Promise<void> {
    const path = file.replace(/^~/, this.#home);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, `${text}\n`);
    const name = /\bname: "([^"]+)"/.exec(text)?.[1];
    if (file.startsWith("~/workflows/") && !/_test\./.test(file) && name !== undefined) await this.#served(name);
  }

  /** A file is served a moment after it is saved, which people do not notice; one with an error never is. */
  async #served(name: string): Promise<void> {
    for (const end = Date.now() + 3_000; Date.now() < end;) {
      if ((await this.#hub.api("GET", `/api/workflows/${name}`)).status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #command(script: string): Deno.Command {
    const prelude = `set -euo pipefail
cd "$HOME"
hub() { command ${CLI} "$@"; }
deno() { if [ "$1" = task ] && [ "$2" = hub ]; then shift 2; hub "$@"; else command deno "$@"; fi; }
before=$(compgen -v)
keep() { for name in $(compgen -v | grep -E '^[A-Z]+$' | grep -vx FUNCNAME); do grep -qx "$name" <<< "$before" || declare -p "$name"; done; } 2>/dev/null
trap '{ keep || true; } > "$HOME/.vars.new"; mv "$HOME/.vars.new" "$HOME/.vars"' EXIT
if [ -f .vars ]; then source .vars; fi
`;
    const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    const here = script.replaceAll("http://127.0.0.1:8787", this.#hub.url).replaceAll("8788", this.#secondPort);
    return new Deno.Command("bash", {
      args: ["-c", `${prelude}${here}`],
      cwd: this.#home,
      env: {
        HOME: this.#home,
        HUB: ROOT.slice(0, -1),
        DENO_DIR: cache,
        HUB_DATA_DIR: `${this.#home}/.hub`,
        NO_COLOR: "1",
        ...this.#env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async #run(script: string): Promise<Ran> {
    const { code, stdout, stderr } = await this.#command(script).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, stdout: out ?? "", all: `${err}${out}` };
  }

  /** Its first words are waited for. */
  async #start(script: string): Promise<void> {
    const direct = script.replace(
      /^((?:[A-Z_]+=\S+ )*)(hub|deno task start)/,
      (_, settings: string, what: string) => `env ${settings}${CLI}${what === "hub" ? "" : " serve"}`,
    );
    const child = this.#command(`exec ${direct}`).spawn();
    this.#background.push(child);
    const spoken = [child.stdout, child.stderr].map(async (stream) => {
      const reader = stream.getReader();
      const first = await reader.read();
      void (async () => {
        while (!(await reader.read()).done);
      })();
      return first.done ? await new Promise<never>(() => {}) : undefined;
    });
    await Promise.race([...spoken, child.status.then(({ code }) => assert.fail(`exit code ${code} of:\n${script}`))]);
  }

  #compare(language: string, wanted: string): void {
    const last = this.#last ?? assert.fail("there is no block before that has run");
    if (language === "json") {
      assert.deepEqual(blank(JSON.parse(last.stdout), JSON.parse(wanted)), JSON.parse(wanted));
      return;
    }
    const given = last.all.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
    const pattern = wanted.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").map(linePattern)
      .join("");
    assert.match(
      given.map((line) => `${line}\n`).join(""),
      new RegExp(`^${pattern}$`),
      `wanted:\n${wanted}\ngiven:\n${given.join("\n")}`,
    );
  }
}

/** The value, with "…" wherever the wanted one has it. */
function blank(value: unknown, wanted: unknown): unknown {
  if (wanted === "…") return wanted;
  if (typeof value !== "object" || value === null || typeof wanted !== "object" || wanted === null) return value;
  if (Array.isArray(value)) return value.map((item, i) => blank(item, Reflect.get(wanted, i)));
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, blank(part, Reflect.get(wanted, name))]),
  );
}

function linePattern(line: string): string {
  if (line.trim() === "…") return "(?:.*\\n)*";
  return `${line.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}\\n`;
}

/** All that can be followed, in the order of the readme. */
export async function allGuides(): Promise<readonly string[]> {
  const found = ["README.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs/guides`)) {
    if (name.endsWith(".md")) found.push(`docs/guides/${name}`);
  }
  return found.sort();
}

/** Follows guides one after the other on one hub, each as a step. */
export async function followGuides(
  t: Deno.TestContext,
  paths: readonly string[],
  env: Readonly<Record<string, string>> = {},
  /** The hub's. */
  config: object = {},
): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "hub-guide-" });
  await Deno.mkdir(`${home}/workflows`);
  await Deno.mkdir(`${home}/.hub`);
  await Deno.writeTextFile(`${home}/.hub/config.jsonc`, JSON.stringify(config));
  try {
    await using hub = await startHubProcess({
      dataDir: `${home}/.hub`,
      env: { HUB_WORKFLOWS: `${home}/workflows`, ...env },
      keep: true,
    });
    for (const path of paths) await t.step(path, () => followGuide(path, { home, hub, env }));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function followGuide(
  path: string,
  { home, hub, env }: {
    readonly home: string;
    readonly hub: HubProcess;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const markdown = await Deno.readTextFile(ROOT + path);
  assert.ok(markdown.includes(MARK), `${path} is not run: it does not hold ${MARK}`);
  await Deno.remove(`${home}/.vars`).catch(() => {});
  await using reader = new Reader(home, hub, env);
  for (const block of blocksOf(markdown)) {
    try {
      await reader.follow(block);
    } catch (error) {
      throw new Error(`${path}:${block.line}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
}
