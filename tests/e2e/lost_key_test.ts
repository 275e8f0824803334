/** What a hub's owner does who has lost the administrator's key. */
import assert from "node:assert/strict";
import { startHubProcess } from "./_hub_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

async function cli(dataDir: string, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", `${ROOT}deno.json`, `${ROOT}src/cli/main.ts`, ...words],
    env: { HUB_DATA_DIR: dataDir, NO_COLOR: "1", HUB_DATABASE_URL: "", HUB_KEY: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("a lost administrator's key is told at the start, and another is made in the database itself", async (t) => {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-lost-" });
  try {
    await t.step("not while a hub has the embedded database", async () => {
      await using hub = await startHubProcess({ dataDir, keep: true });
      assert.doesNotMatch(hub.stderr(), /administrator's key file/);
      const refused = await cli(dataDir, "keys", "create", "--offline", "--scopes", "*");
      assert.equal(refused.code, 1, refused.err);
      assert.match(refused.err, /Cannot make a key offline: .*process \d+ has it open/);
      await hub.kill("SIGTERM");
    });
    let made = "";
    await t.step("with the hub stopped; a misspelt scope and a folder without a database are refused", async () => {
      const { code, out, err } = await cli(dataDir, "keys", "create", "--offline", "--scopes", "*");
      assert.equal(code, 0, err);
      assert.match(out, /^alk_\w+$/);
      made = out;
      assert.match((await cli(dataDir, "keys", "create", "--offline", "--scopes", "key:write")).err, /"keys:write"/);
      assert.match((await cli(`${dataDir}/no`, "keys", "create", "--offline", "--scopes", "*")).err, /no database in/);
    });
    await t.step("the start warns when the file is lost, holds a strange key, or can be read by others", async () => {
      await Deno.remove(`${dataDir}/admin.key`);
      await Deno.writeTextFile(`${dataDir}/admin.key`, "alk_strange\n");
      await Deno.chmod(`${dataDir}/admin.key`, 0o644);
      await using hub = await startHubProcess({ dataDir, keep: true });
      assert.match(hub.stderr(), /admin\.key\\" holds a key that this database does not take.*--offline --scopes/);
      assert.match(hub.stderr(), /Others can read \S*admin\.key: its mode is 644.*chmod 600/);
      assert.equal((await hub.api("GET", "/api/keys", {})).status, 401);
      assert.equal((await hub.api("GET", "/api/keys", { key: made })).status, 200);
    });
  } finally {
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});
