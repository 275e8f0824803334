import assert from "node:assert/strict";
import { encrypt } from "../crypto/mod.ts";
import { ConfigError } from "./config_error.ts";
import type { Environment } from "./environment.ts";
import type { HubConfig } from "./hub_config.ts";
import { loadConfig } from "./load_config.ts";
import { MemoryFiles } from "./memory_files.ts";

const load = (env: Environment, texts: Record<string, string> = {}): Promise<HubConfig> =>
  loadConfig({ env, files: new MemoryFiles(texts) });

async function problems(env: Environment, texts: Record<string, string> = {}): Promise<string> {
  try {
    await load(env, texts);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "none";
}

Deno.test("loadConfig() gives the defaults when nothing is configured", async () => {
  const config = await load({});
  assert.deepEqual([config.dataDir, config.host, config.port], [".hub", "127.0.0.1", 8787]);
  assert.deepEqual([config.databaseUrl, config.redisUrl, config.configPath], [null, null, null]);
  assert.equal(config.masterKeyPath, ".hub/master.key");
  assert.equal(config.limits.bodyBytes, 2 * 1024 * 1024);
  assert.deepEqual(config.warnings, []);
});

Deno.test("loadConfig() takes the environment over the file over the defaults", async () => {
  const file = `{
    // comments are fine, and so are trailing commas
    "host": "localhost", "port": 1, "log": { "level": "error" }, "workflows": ["a"], "limits": { "jsonDepth": 10 },
  }`;
  const config = await load({ HUB_PORT: "0", HUB_LOG: "warn", HUB_WORKFLOWS: "b:c", HUB_HOST: "" }, {
    ".hub/config.jsonc": file,
  });
  assert.deepEqual([config.host, config.port, config.log.level], ["localhost", 0, "warning"]);
  assert.deepEqual(config.workflows, ["a", "b", "c"]);
  assert.deepEqual([config.limits.jsonDepth, config.limits.inputBytes], [10, 1024 * 1024]);
  assert.equal(config.configPath, ".hub/config.jsonc");
});

Deno.test("loadConfig() names field, value and what was wanted when a setting is wrong", async () => {
  assert.match(await problems({ HUB_PORT: "80x" }), /HUB_PORT is "80x": wanted an integer from 0 to 65535/);
  assert.match(await problems({ HUB_LOG: "loud" }), /HUB_LOG is "loud": wanted one of trace/);
  assert.match(await problems({ HUB_CONFIG: "no.jsonc" }), /HUB_CONFIG is "no.jsonc", which is not there/);
  const wrong = await problems({}, { ".hub/config.jsonc": `{ "prot": 1, "port": "x", "log": { "levle": "info" } }` });
  assert.match(wrong, /Config field "prot" is not known: did you mean "port"\?/);
  assert.match(wrong, /Config field "port" is "x": wanted integer/);
  assert.match(wrong, /Config field "log.levle" is not known: did you mean "level"\?/);
  assert.match(await problems({}, { ".hub/config.jsonc": `{\n "port": }` }), /config.jsonc:2:10 is not JSON/);
  assert.match(await problems({}, { ".hub/config.jsonc": `[]` }), /Config file is an array/);
});

Deno.test("loadConfig() says which setting names a file that cannot be read", async () => {
  class Unreadable extends MemoryFiles {
    override readText(path: string): Promise<string | null> {
      return path.endsWith(".jsonc") ? Promise.reject(new Error("Not a directory")) : super.readText(path);
    }
  }
  const loading = (env: Environment) => loadConfig({ env, files: new Unreadable() });
  await assert.rejects(loading({ HUB_DATA_DIR: "file" }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /"file\/config.jsonc" cannot be read, see HUB_DATA_DIR: Not a directory/);
    return true;
  });
  await assert.rejects(loading({ HUB_CONFIG: "x.jsonc" }), /"x.jsonc" cannot be read, see HUB_CONFIG/);
});

Deno.test("loadConfig() quotes no secret when one is wrong", async () => {
  const file = `{ "databaseUrl": "mysql://u:hunter2@h" }`;
  for (
    const message of [
      await problems({ HUB_DATABASE_URL: "mysql://u:hunter2@h" }),
      await problems({ HUB_REDIS_URL: "hunter2" }),
      await problems({ HUB_MASTER_KEY: "hunter2" }),
      await problems({}, { ".hub/config.jsonc": file }),
    ]
  ) {
    assert.match(message, /wanted/);
    assert.ok(!message.includes("hunter2"), message);
  }
});

Deno.test("loadConfig() reads a secret from the file that …_FILE names", async () => {
  const texts = { "/s/db": "postgres://u@h/d\n", "/s/empty": "" };
  const config = await load({ HUB_DATABASE_URL_FILE: "/s/db" }, texts);
  assert.equal(config.databaseUrl, "postgres://u@h/d");
  assert.match(
    await problems({ HUB_DATABASE_URL_FILE: "/s/no" }),
    /HUB_DATABASE_URL_FILE is "\/s\/no", which is not there/,
  );
  assert.match(await problems({ HUB_REDIS_URL_FILE: "/s/empty" }, texts), /which is empty/);
  const both = { HUB_DATABASE_URL_FILE: "/s/db", HUB_DATABASE_URL: "postgres://u@h/d" };
  assert.match(await problems(both, texts), /both given/);
});

Deno.test("loadConfig() opens encrypted values with the master key, and names those it cannot", async () => {
  const sealed = await encrypt("postgres://u:p@h/d", "master");
  const file = JSON.stringify({ databaseUrl: { _encrypted: sealed } });
  const config = await load({ HUB_MASTER_KEY_FILE: "/m" }, { "/m": "master\n", ".hub/config.jsonc": file });
  assert.equal(config.databaseUrl, "postgres://u:p@h/d");
  const wrongKey = await problems({ HUB_MASTER_KEY_FILE: "/m" }, { "/m": "other", ".hub/config.jsonc": file });
  assert.match(wrongKey, /Config field "databaseUrl" cannot be decrypted/);
  assert.match(await problems({}, { ".hub/config.jsonc": file }), /Master key file ".hub\/master.key" is not there/);
  const shapeless = `{ "log": { "level": { "_encrypted": "x" } } }`;
  assert.match(
    await problems({}, { ".hub/config.jsonc": shapeless }),
    /"log.level" is not a well-formed encrypted value/,
  );
});

Deno.test("loadConfig() finds a mounted master key, and warns of variables it does not know", async () => {
  const config = await load({ HUB_PROT: "1", HUB_PORT: "1", PATH: "/" }, { "/run/secrets/hub_master_key": "k" });
  assert.equal(config.masterKeyPath, "/run/secrets/hub_master_key");
  assert.deepEqual(config.warnings, ["Environment variable HUB_PROT is not known: did you mean HUB_PORT?"]);
});
