import assert from "node:assert/strict";
import { generateKeyRing } from "../crypto/mod.ts";
import { denoFiles } from "./deno_files.ts";
import { loadConfig } from "./load_config.ts";
import { MemoryFiles } from "./memory_files.ts";
import { type HubSecrets, rotateKeyRing, selfSetup } from "./self_setup.ts";

async function setUp(files: MemoryFiles, env: Record<string, string> = {}): Promise<HubSecrets> {
  return await selfSetup(await loadConfig({ env, files }), files);
}

Deno.test("selfSetup() makes a master key and a sealed key ring once, and finds them again", async () => {
  const files = new MemoryFiles();
  const first = await setUp(files);
  assert.deepEqual(first.created, [".hub/master.key", ".hub/keyring.json"]);
  assert.deepEqual([...files.dirs], [".hub"]);
  assert.ok(!files.texts.get(".hub/keyring.json")?.includes(first.keyRing.current.key));
  const again = await setUp(files);
  assert.deepEqual(again.created, []);
  assert.equal(again.masterKey, first.masterKey);
  assert.equal(again.keyRing.serialize(), first.keyRing.serialize());
});

Deno.test("selfSetup() gives every process the same secrets when several start at once", async () => {
  const files = new MemoryFiles();
  const all = await Promise.all([setUp(files), setUp(files), setUp(files)]);
  assert.equal(new Set(all.map(({ masterKey }) => masterKey)).size, 1);
  assert.equal(new Set(all.map(({ keyRing }) => keyRing.serialize())).size, 1);
});

Deno.test("selfSetup() uses the configured key ring, and makes none", async () => {
  const ring = generateKeyRing().serialize();
  const files = new MemoryFiles({ "/r": ring });
  const secrets = await setUp(files, { HUB_ENCRYPTION_KEYS_FILE: "/r" });
  assert.equal(secrets.keyRing.serialize(), ring);
  assert.deepEqual(secrets.created, [".hub/master.key"]);
});

Deno.test("rotateKeyRing() puts a key in front that the next start finds, and keeps the old ones", async () => {
  const files = new MemoryFiles();
  const { keyRing } = await setUp(files);
  const sealed = await keyRing.encrypt("secret");
  await rotateKeyRing(await loadConfig({ env: {}, files }), files);
  const next = (await setUp(files)).keyRing;
  assert.deepEqual(next.versions, [2, 1]);
  assert.equal(await next.decrypt(sealed), "secret");
  const configured = await loadConfig({
    env: { HUB_ENCRYPTION_KEYS_FILE: "/r" },
    files: new MemoryFiles({ "/r": "v1:x" }),
  });
  await assert.rejects(rotateKeyRing(configured, files), /comes from the configuration/);
});

Deno.test("selfSetup() refuses a master key that is elsewhere and missing, and a ring of another master key", async () => {
  const files = new MemoryFiles();
  await assert.rejects(setUp(files, { HUB_MASTER_KEY_FILE: "/no" }), /"\/no" is empty or not there/);
  assert.equal(files.texts.size, 0);
  await setUp(files);
  files.texts.set(".hub/master.key", "another");
  await assert.rejects(setUp(files), /keyring.json" cannot be opened/);
  files.texts.set(".hub/keyring.json", "{");
  await assert.rejects(setUp(files), /keyring.json" cannot be opened/);
});

Deno.test("denoFiles writes secrets that only their owner can read, once", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await denoFiles.makeDir(`${dir}/a`);
    const results = await Promise.all(["1", "2", "3"].map((text) => denoFiles.createSecret(`${dir}/a/key`, text)));
    assert.equal(results.filter(Boolean).length, 1);
    assert.equal(await denoFiles.readText(`${dir}/a/key`), String(results.indexOf(true) + 1));
    assert.equal(await denoFiles.readText(`${dir}/a/none`), null);
    assert.deepEqual([...Deno.readDirSync(`${dir}/a`)].map(({ name }) => name), ["key"]);
    await denoFiles.replaceSecret(`${dir}/a/key`, "4");
    assert.equal(await denoFiles.readText(`${dir}/a/key`), "4");
    assert.equal([...Deno.readDirSync(`${dir}/a`)].length, 1);
    if (Deno.build.os === "windows") return;
    assert.equal((await Deno.stat(`${dir}/a`)).mode! & 0o777, 0o700);
    assert.equal((await Deno.stat(`${dir}/a/key`)).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
