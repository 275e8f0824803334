import assert from "node:assert/strict";
import { join } from "node:path";
import type { Cli } from "../cli.ts";
import { PLAIN } from "../format/style.ts";
import { checkConfig } from "./check_config.ts";
import { checkDataDir } from "./check_data_dir.ts";
import { checkHub, clockFinding } from "./check_hub.ts";
import { runtimeFinding } from "./check_runtime.ts";
import { checkServices } from "./check_services.ts";
import type { Check, Finding } from "./finding.ts";

const cli: Cli = {
  out() {},
  err() {},
  raw() {},
  style: PLAIN,
  terminal: false,
  width: 80,
  env: () => undefined,
  environment: () => ({}),
  now: () => Date.now(),
  fetch: globalThis.fetch,
  signal: new AbortController().signal,
};

async function states(check: Check, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await check({ env, cli })).map(({ what, state }) => `${what} ${state}`);
}

Deno.test("runtimeFinding() refuses an old Deno and says how to get a new one", () => {
  assert.equal(runtimeFinding("2.9.6").state, "ok");
  assert.equal(runtimeFinding("3.0.0").state, "ok");
  assert.deepEqual([runtimeFinding("2.8.9").state, runtimeFinding("1.46.0").state], ["fail", "fail"]);
  assert.match(runtimeFinding("2.8.9").mend ?? "", /deno upgrade/);
});

Deno.test("clockFinding() warns of clocks that are apart", () => {
  const now = Date.parse("2026-01-01T00:00:10Z");
  assert.equal(clockFinding("Thu, 01 Jan 2026 00:00:09 GMT", now).state, "ok");
  assert.match(clockFinding("Thu, 01 Jan 2026 00:00:00 GMT", now).message, /10 s off/);
  assert.equal(clockFinding(null, now).state, "info");
});

Deno.test("checkConfig() tells each problem of the settings", async () => {
  const found = await checkConfig({ env: { HUB_PORT: "many", HUB_DATA_DIR: "/nowhere" }, cli });
  assert.equal(found[0]?.state, "fail");
  assert.match(found[0]?.message ?? "", /HUB_PORT[\s\S]*many/);
});

Deno.test("checkDataDir() finds secrets that others can read", async () => {
  const dataDir = await Deno.makeTempDir();
  const find = (): Promise<readonly Finding[]> => checkDataDir({ env: { HUB_DATA_DIR: dataDir }, cli });
  await Deno.writeTextFile(join(dataDir, "admin.key"), "x", { mode: 0o600 });
  assert.deepEqual((await find()).map(({ state }) => state), ["ok"]);
  await Deno.chmod(join(dataDir, "admin.key"), 0o644);
  const [, open] = await find();
  assert.equal(open?.state, "fail");
  assert.match(open?.mend ?? "", /chmod 600/);
  assert.deepEqual([...Deno.readDirSync(dataDir)].map(({ name }) => name), ["admin.key"]);
  await Deno.remove(dataDir, { recursive: true });
  assert.deepEqual(await states(checkDataDir, { HUB_DATA_DIR: dataDir }), ["data dir info"]);
});

Deno.test("checkServices() tells a database and a Redis from other servers and from none", async () => {
  const answerer = (answer: string) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serve = async () => {
      for await (const connection of listener) {
        await connection.read(new Uint8Array(64));
        await connection.write(new TextEncoder().encode(answer));
        connection.close();
      }
    };
    return { listener, done: serve(), port: listener.addr.port };
  };
  const [database, redis, other] = [answerer("N"), answerer("+PONG\r\n"), answerer("HTTP/1.1 400\r\n")];
  const env = (first: number, second: number) => ({
    HUB_DATABASE_URL: `postgres://user:secret@127.0.0.1:${first}/x`,
    HUB_REDIS_URL: `redis://127.0.0.1:${second}`,
  });
  assert.deepEqual(await states(checkServices, env(database.port, redis.port)), ["database ok", "redis ok"]);
  assert.deepEqual(await states(checkServices, env(other.port, other.port)), ["database fail", "redis fail"]);
  const silent = await checkServices({ env: env(1, 1), cli });
  assert.match(silent[0]?.message ?? "", /^Nothing answers at 127\.0\.0\.1:1$/);
  assert.deepEqual(await states(checkServices, {}), ["database ok", "redis info"]);
  for (const { listener, done } of [database, redis, other]) {
    listener.close();
    await done;
  }
});

Deno.test("checkHub() tells a ready hub, one that starts, and a port that is taken", async () => {
  let ready = true;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => Response.json({ ready, step: "migrations" }, { status: ready ? 200 : 503 }),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  assert.equal((await checkHub({ env: { HUB_URL: url }, cli }))[0]?.message, `ready at ${url}`);
  ready = false;
  assert.match((await checkHub({ env: { HUB_URL: url }, cli }))[0]?.message ?? "", /at step "migrations"/);
  const env = { HUB_DATA_DIR: "/nowhere", HUB_PORT: String(server.addr.port) };
  assert.deepEqual(await states(checkHub, env), ["hub info", "port fail"]);
  assert.deepEqual(await states(checkHub, { ...env, HUB_PORT: "0" }), ["hub info", "port ok"]);
});
