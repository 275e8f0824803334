/** Clients of what others have published, from npm; skipped with a reason where it cannot be had. */
import assert from "node:assert/strict";
import { CALLER, clientsWorld } from "./_clients_world.ts";

const FILES = "npm:@modelcontextprotocol/server-filesystem@2026.8.31";
const CHAIN = "npm:@blockfrost/openapi@0.1.93";

/** Has Deno fetch a package in a process of its own: neither our import map nor our lock file knows of it. */
async function pathIn(pkg: string, file: string): Promise<string | null> {
  const code = `await import("${pkg}/package.json", { with: { type: "json" } });
    console.log(new URL(import.meta.resolve("${pkg}/${file}")).pathname);`;
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(script, code);
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", script],
      stderr: "null",
    }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
    console.log(`${pkg} cannot be had: not run`);
    return null;
  } finally {
    await Deno.remove(script);
  }
}

Deno.test({
  name: "server-filesystem as a client reads and writes in its folder and nowhere else",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    if (await pathIn(FILES, "package.json") === null) return;
    const dir = await Deno.realPath(await Deno.makeTempDir());
    const words = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", FILES, dir];
    await using world = clientsWorld({ commands: [{ run: words.join(" ") }] });
    try {
      const [command, ...args] = words;
      const body = { type: "mcp", command, args, toolErrors: "fail" };
      const { client } = await world.clients.put({ caller: CALLER, name: "files", body });
      assert.equal(client.status, "up", JSON.stringify(client.error));
      await world.call("files.write_file", { path: `${dir}/a.txt`, content: "hello" });
      const { data } = await world.call("files.read_text_file", { path: `${dir}/a.txt` });
      assert.match(JSON.stringify(data), /hello/);
      await assert.rejects(world.call("files.read_text_file", { path: "/etc/passwd" }), {
        code: "EXECUTION_ERROR",
        message: /outside allowed directories/,
      });
      const { ok, offers } = await world.clients.test({ caller: CALLER, name: "files" });
      assert.ok(ok && (offers ?? 0) > 5);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test("a public document in YAML with more than 100 operations becomes a client, all of it or as chosen", async () => {
  const path = await pathIn(CHAIN, "openapi.yaml");
  if (path === null) return;
  await using world = clientsWorld();
  const spec = await Deno.readTextFile(path);
  const put = (more: Record<string, unknown>) =>
    world.clients.put({
      caller: CALLER,
      name: "chain",
      body: { type: "openapi", spec, baseUrl: "https://chain.example/api", ...more },
    });
  assert.ok((await put({})).client.operations > 100);
  assert.deepEqual(world.logs, []);
  const chosen = (await put({ include: ["*blocks*"], exclude: ["*next*", "*previous*"] })).client.operations;
  assert.ok(chosen > 2 && chosen < 40, `${chosen} operations`);
  assert.ok(world.names().every((name) => name.includes("blocks")));
});
