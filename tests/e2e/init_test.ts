/** What `hub init` makes, gone through as it says: test, types, hub, spoke, run. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startHubProcess, until } from "./_hub_process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function deno(cwd: string, env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Said> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const init = (cwd: string, ...args: readonly string[]) =>
  deno(cwd, {}, "run", "-A", "--no-check", "--config", `${ROOT}deno.json`, `${ROOT}src/cli/main.ts`, "init", ...args);

Deno.test("hub init makes a project whose test, check, workflow and spoke work as they are", async () => {
  const home = await Deno.makeTempDir({ prefix: "hub init " });
  try {
    const made = await init(home, "words");
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /cd words\n {2}deno task test\n/);
    const project = `${home}/words`;

    const tested = await deno(project, {}, "task", "test");
    assert.equal(tested.code, 0, tested.stdout + tested.stderr);
    assert.match(tested.stdout, /3 passed \| 0 failed/);

    await using hub = await startHubProcess({ env: { HUB_WORKFLOWS: `${project}/workflows` } });
    const env = { HUB_DATA_DIR: hub.dataDir };
    const spoke = new Deno.Command(Deno.execPath(), {
      args: ["task", "spoke"],
      cwd: project,
      env: { NO_COLOR: "1", ...env },
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await until("the spoke is connected", async () => {
        const { body } = await hub.api<{ readonly items: readonly { readonly name: string }[] }>("GET", "/api/spokes");
        return body.items.some(({ name }) => name === "words");
      });
      const typed = await deno(project, env, "task", "types");
      assert.equal(typed.code, 0, typed.stderr);
      assert.match(await Deno.readTextFile(`${project}/hub_types.d.ts`), /"text\.count"/);
      const checked = await deno(project, env, "task", "check");
      assert.equal(checked.code, 0, checked.stderr);
      const input = JSON.stringify({ texts: ["To be or not to be", "that is"] });
      const ran = await deno(project, env, "task", "hub", "run", "count_words", "--input", input, "--wait");
      assert.deepEqual([ran.code, JSON.parse(ran.stdout || "null")], [0, [6, 2]], ran.stderr);
    } finally {
      spoke.kill("SIGTERM");
      assert.equal((await spoke.status).code, 0);
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("hub init writes nothing where one of its files is already, and says which", async () => {
  const home = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${home}/README.md`, "mine");
    const refused = await init(home);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Nothing is overwritten: "README\.md" is in /);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(home))).map(({ name }) => name), ["README.md"]);
    assert.equal(await Deno.readTextFile(`${home}/README.md`), "mine");
    const elsewhere = JSON.parse((await init(home, "new", "--json")).stdout);
    assert.deepEqual([elsewhere.directory, elsewhere.next[0]], [`${home}/new`, "cd new"]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
