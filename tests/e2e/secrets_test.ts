/** Secrets at rest on a real hub: the key ring rotated under it, and its config file sealed. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { signHeaders } from "../../src/triggers/mod.ts";
import { type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

async function cli(dataDir: string, stdin: string, ...words: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", `${ROOT}deno.json`, `${ROOT}src/cli/main.ts`, ...words],
    env: { NO_COLOR: "1", HUB_DATA_DIR: dataDir },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("hub keyring rotate leaves stored secrets readable to the running hub and to the next", async () => {
  const first = await startHubProcess({ keep: true });
  const { dataDir } = first;
  const body = JSON.stringify({ id: "o-7" });
  await first.api("PUT", "/api/workflows/shop", { body: { template: operation("core.echo", "a", { value: 1 }) } });
  const make = async (hub: HubProcess, name: string) =>
    (await hub.api<{ webhook: { path: string }; secret: string }>("POST", "/api/webhooks", {
      body: { kind: "inbound", name, target: { workflow: "shop" }, input: {} },
    })).body;
  const send = async (hub: HubProcess, hook: Awaited<ReturnType<typeof make>>, id: string) =>
    (await hub.api("POST", hook.webhook.path, {
      raw: body,
      headers: signHeaders({ id, at: Date.now(), body, secrets: [hook.secret] }),
      key: null,
    })).status;
  const before = await make(first, "before");

  const rotated = await cli(dataDir, "", "keyring", "rotate", "--json");
  assert.deepEqual([rotated.code, JSON.parse(rotated.stdout)], [0, { current: 2, versions: [2, 1] }], rotated.stderr);
  const between = await make(first, "between");
  assert.deepEqual([await send(first, before, "1"), await send(first, between, "2")], [202, 202]);
  await first.kill("SIGTERM");

  await using second = await startHubProcess({ dataDir });
  const after = await make(second, "after");
  for (const [hook, id] of [[before, "3"], [between, "4"], [after, "5"]] as const) {
    assert.equal(await send(second, hook, id), 202, id);
  }
  const ring = await Deno.readTextFile(`${dataDir}/keyring.json`);
  assert.ok(!/v\d:/.test(ring), "the ring is sealed");
});

Deno.test("once a hub has started with a rotated ring, nothing needs the key that went before", async () => {
  const keyOf = (): string => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
  const [first, second] = [`v1:${keyOf()}`, `v2:${keyOf()}`];
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-" });
  const ringPath = `${dataDir}/ring`;
  const start = async (ring: string): Promise<HubProcess> => {
    await Deno.writeTextFile(ringPath, ring, { mode: 0o600 });
    return await startHubProcess({
      dataDir,
      env: { HUB_ENCRYPTION_KEYS_FILE: ringPath, HUB_LOG: "info" },
      keep: true,
    });
  };
  const body = "{}";
  const send = async (hub: HubProcess, id: string) =>
    (await hub.api("POST", hook.webhook.path, {
      raw: body,
      headers: signHeaders({ id, at: Date.now(), body, secrets: [hook.secret] }),
      key: null,
    })).status;
  const one = await start(first);
  await one.api("PUT", "/api/workflows/shop", { body: { template: operation("core.echo", "a", { value: 1 }) } });
  const { body: hook } = await one.api<{ webhook: { path: string }; secret: string }>("POST", "/api/webhooks", {
    body: { kind: "inbound", name: "in", target: { workflow: "shop" }, input: {} },
  });
  const client = await one.api("PUT", "/api/clients/models", {
    body: {
      type: "llm-provider",
      kind: "openai",
      baseUrl: "https://x.invalid/v1",
      keys: ["k-123456"],
      models: [{ id: "m" }],
    },
  });
  assert.ok(client.status < 300, JSON.stringify(client.body));
  await one.kill("SIGTERM");

  const two = await start(`${second},${first}`);
  await until("both are sealed anew", () => {
    const said = two.stderr();
    return Promise.resolve(/secrets of 1 webhooks/.test(said) && /secrets of clients/.test(said));
  });
  assert.equal(await send(two, "1"), 202);
  await two.kill("SIGTERM");

  const three = await start(second);
  try {
    assert.equal(await send(three, "2"), 202);
    assert.doesNotMatch(three.stderr(), /No key of the ring|could not be sealed/);
  } finally {
    await three.kill("SIGTERM");
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a hub starts with what hub config encrypt sealed, and only hub config decrypt shows it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-" });
  const path = `${dataDir}/config.jsonc`;
  await Deno.writeTextFile(path, `{\n  // ours\n  "httpHosts": ["internal.example"],\n}\n`);
  const sealed = await cli(dataDir, "", "config", "encrypt", "httpHosts[0]");
  assert.equal(sealed.code, 0, sealed.stderr);
  const text = await Deno.readTextFile(path);
  assert.ok(text.includes("// ours") && text.includes("_encrypted") && !text.includes("internal.example"), text);
  const shown = await cli(dataDir, "", "config", "show", "--json");
  assert.deepEqual([shown.code, JSON.parse(shown.stdout).httpHosts], [0, ["***"]], shown.stderr);
  assert.ok(!(shown.stdout + shown.stderr).includes("internal.example"));
  assert.equal((await cli(dataDir, "", "config", "decrypt", "httpHosts[0]")).stdout, "internal.example\n");

  const piped = await cli(dataDir, "grüße\n", "config", "encrypt");
  assert.equal((await cli(dataDir, piped.stdout, "config", "decrypt")).stdout, "grüße\n");
  const again = await cli(dataDir, "", "config", "encrypt", "httpHosts[0]");
  assert.deepEqual([again.code, /sealed already/.test(again.stderr)], [1, true], again.stderr);

  await using hub = await startHubProcess({ dataDir });
  assert.equal((await hub.api("GET", "/ready")).status, 200);
});
