import assert from "node:assert/strict";
import { ConfigError } from "./config_error.ts";
import { loadConfig } from "./load_config.ts";
import { MemoryFiles } from "./memory_files.ts";
import { openField, openValue, sealedPaths, sealField, sealValue } from "./sealed_field.ts";
import { shownConfig } from "./shown_config.ts";

const KEY = "master";
const TEXT = `{
  // where runs are kept
  "databaseUrl": "postgres://hub:pw-1234@db/hub",
  "clients": { "commands": [{ "run": "tool --token tk-5678" }] },
  "port": 80, // trailing comma
}`;

Deno.test("sealField() seals one text, keeps comments, and the hub reads the file as before", async () => {
  const once = await sealField(TEXT, "databaseUrl", KEY);
  const twice = await sealField(once, "clients.commands[0].run", KEY);
  assert.ok(!twice.includes("pw-1234") && !twice.includes("tk-5678"), twice);
  assert.ok(twice.includes("// where runs are kept") && twice.includes("// trailing comma"));
  assert.equal(await openField(twice, "databaseUrl", KEY), "postgres://hub:pw-1234@db/hub");
  const files = new MemoryFiles({ ".hub/config.jsonc": twice, ".hub/master.key": `${KEY}\n` });
  const config = await loadConfig({ env: {}, files });
  assert.equal(config.databaseUrl, "postgres://hub:pw-1234@db/hub");
  assert.equal(config.clients.commands[0]?.run, "tool --token tk-5678");
});

Deno.test("sealField() and openField() refuse what is not there, no text, sealed, or sealed by another key", async () => {
  const sealed = await sealField(TEXT, "databaseUrl", KEY);
  const says = (message: RegExp) => (error: unknown) => error instanceof ConfigError && message.test(error.message);
  await assert.rejects(sealField(TEXT, "redisUrl", KEY), says(/"redisUrl" is not in the file/));
  await assert.rejects(sealField(TEXT, "port", KEY), says(/"port" is no text/));
  await assert.rejects(sealField(sealed, "databaseUrl", KEY), says(/sealed already/));
  await assert.rejects(openField(TEXT, "databaseUrl", KEY), says(/"databaseUrl" is not sealed/));
  await assert.rejects(openField(sealed, "databaseUrl", "other"), says(/cannot be decrypted/));
  await assert.rejects(openValue({ _encrypted: "x" }, KEY), says(/is not sealed/));
  assert.equal(await openValue(await sealValue("grüße", KEY), KEY), "grüße");
});

Deno.test("shownConfig() shows settings, and no password, key or sealed value", async () => {
  const text = await sealField(TEXT, "clients.commands[0].run", KEY);
  const files = new MemoryFiles({ ".hub/config.jsonc": text, ".hub/master.key": KEY, "/r": "v1:key-9999" });
  const env = { HUB_ENCRYPTION_KEYS_FILE: "/r", HUB_REDIS_URL: "redis://:rp-4321@cache:6379?password=pp-8765" };
  const shown = shownConfig(await loadConfig({ env, files }), sealedPaths(text));
  const all = JSON.stringify(shown);
  for (const secret of ["pw-1234", "tk-5678", "key-9999", "rp-4321", "pp-8765"]) {
    assert.ok(!all.includes(secret), `${secret} in ${all}`);
  }
  assert.equal(shown["databaseUrl"], "postgres://hub:***@db/hub");
  assert.equal(shown["port"], 80);
});
