/** Clients with real hubs that are killed, several hubs, and what of a secret can be found afterwards. */
import assert from "node:assert/strict";
import { freePort } from "../support/free_port.ts";
import { startService } from "../support/clients/service.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { installNodeExample } from "./_examples.ts";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SERVER = new URL("../support/clients/mcp_server.ts", import.meta.url).pathname;
const SECRETS = [
  "sk-first-secret-0123456789",
  "sk-second-secret-9876543210",
  "sk-header-secret-5555555555",
  "q-secret-777777777",
];

const NODE_SPOKE = `
import { appendFileSync, readFileSync } from "node:fs";
import { runSpoke } from "./spoke.mjs";
runSpoke("node", { "node.step": { inputSchema: {}, outputSchema: {}, async handler() {
  appendFileSync(process.env.NOTES, "node\\n");
  const calls = readFileSync(process.env.NOTES, "utf8").split("\\n").filter((line) => line === "node").length;
  if (calls === 1) await new Promise((resolve) => setTimeout(resolve, 600_000));
  return { by: "node" };
} } });
`;

/** A directory for a hub that may start the test's MCP server, and how the server is started. */
async function mcpDirectory(notes: string, allowPrivate: readonly string[] = []) {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-clients-" });
  const words = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", SERVER, notes];
  const config = { clients: { commands: [{ run: words.join(" "), env: ["TEST_SECRET"] }] }, egress: { allowPrivate } };
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify(config));
  const [command, ...args] = words;
  return { dataDir, body: { type: "mcp", command, args } };
}

async function statusOf(hub: HubProcess, run: string, key: string): Promise<string | undefined> {
  const { body } = await hub.api<{ nodes: { key: string; status: string }[] }>("GET", `/api/runs/${run}/graph`);
  return body.nodes?.find((node) => node.key === key)?.status;
}

Deno.test("a run with operations of the hub, a Deno spoke, a Node spoke and an MCP server outlives kill -9 of each", async () => {
  const dir = await installNodeExample();
  if (dir === null) return console.log("Node or npm or the package ws cannot be had here: not run");
  await Deno.writeTextFile(`${dir}/step.mjs`, NODE_SPOKE);
  const notes = `${dir}/notes`;
  await Deno.writeTextFile(notes, "");
  const { dataDir, body } = await mcpDirectory(notes);
  const env = { HUB_PORT: String(freePort()) };
  let hub = await startHubProcess({ dataDir, env, keep: true });
  const spokeEnv = { HUB_URL: `${hub.url.replace("http", "ws")}/ws`, HUB_KEY: hub.key, NOTES: notes };
  const spawn = (command: string, args: string[]) =>
    new Deno.Command(command, { args, cwd: dir, env: spokeEnv, stdout: "null", stderr: "null" }).spawn();
  const denoArgs = [
    "run",
    "-A",
    "--no-check",
    "--config",
    `${ROOT}deno.json`,
    `${ROOT}tests/e2e/fixtures/step_spoke.ts`,
    notes,
  ];
  const spokes = { deno: spawn(Deno.execPath(), denoArgs), node: spawn("node", ["step.mjs"]) };
  const killed = async (child: Deno.ChildProcess) => {
    child.kill("SIGKILL");
    await child.status;
  };
  const count = async (line: string) =>
    (await Deno.readTextFile(notes)).split("\n").filter((each) => each === line).length;
  try {
    const put = await hub.api("PUT", "/api/clients/remote", { body });
    assert.deepEqual([put.status, put.body.status], [201, "up"], JSON.stringify(put.body));
    for (const id of ["deno.step", "node.step"]) {
      await until(`${id} is offered`, async () => (await hub.api("GET", `/api/operations/${id}`)).status === 200);
    }
    const retry = { retry: { maxAttempts: 5, backoff: 50 } };
    const template = container("sequential", [
      operation("core.sleep", "local", { ms: 1_000 }),
      // At once, as a hub waits a while for a spoke to come back.
      container("parallel", [
        operation("deno.step", "deno", {}, retry),
        operation("node.step", "node", {}, retry),
        operation("remote.hang_once", "mcp", {}, retry),
      ]),
      operation("core.echo", "all", {
        value: [{ $ref: "nodes.deno.by" }, { $ref: "nodes.node.by" }, { $ref: "nodes.mcp" }],
      }),
    ]);
    const made = await hub.api("PUT", "/api/workflows/four", { body: { template } });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const run = String((await hub.api("POST", "/api/workflows/four/runs", { body: { input: {} } })).body.id);

    await until("the local call is under way", async () => await statusOf(hub, run, "local") === "running");
    await hub.kill("SIGKILL");
    hub = await startHubProcess({ dataDir, env, keep: true });
    await until("the Deno spoke works", async () => await count("deno") === 1);
    await killed(spokes.deno);
    spokes.deno = spawn(Deno.execPath(), denoArgs);
    await until("the Node spoke works", async () => await count("node") === 1);
    await killed(spokes.node);
    spokes.node = spawn("node", ["step.mjs"]);
    await until("the MCP server works", async () => await count("hang_once") === 1);
    const [pid] = (await Deno.readTextFile(notes)).split("\n").filter((line) => line.startsWith("pid ")).slice(-1);
    Deno.kill(Number(pid?.slice(4)), "SIGKILL");

    const ended = await until("the run ends", async () => {
      const { body } = await hub.api("GET", `/api/runs/${run}`);
      return body.status === "completed" || body.status === "failed" ? body : null;
    }, 30_000);
    assert.equal(ended.status, "completed", JSON.stringify(ended));
    assert.deepEqual(ended.output, { value: ["deno", "node", [{ type: "text", text: "alive" }]] });
    assert.deepEqual([await count("deno"), await count("node"), await count("hang_once")], [2, 2, 2]);
  } finally {
    await hub.kill("SIGKILL");
    await killed(spokes.deno);
    await killed(spokes.node);
    await Deno.remove(dir, { recursive: true }).catch(() => {});
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});

Deno.test("a call of an MCP server is made again when its hub was killed in it, once the server is there again", async () => {
  const notes = await Deno.makeTempFile();
  const { dataDir, body } = await mcpDirectory(notes);
  const first = await startHubProcess({ dataDir, keep: true });
  try {
    assert.equal((await first.api("PUT", "/api/clients/remote", { body })).status, 201);
    await first.api("PUT", "/api/workflows/one", { body: { template: operation("remote.hang_once", "mcp") } });
    const { body: { id } } = await first.api("POST", "/api/workflows/one/runs", { body: { input: {} } });
    await until("the MCP server works", async () => (await Deno.readTextFile(notes)).includes("hang_once"));
    await first.kill("SIGKILL");
    await using second = await startHubProcess({ dataDir });
    const ended = await until("the run ends", async () => {
      const { body } = await second.api("GET", `/api/runs/${id}`);
      return body.status !== "running" && body;
    });
    assert.deepEqual([ended.status, ended.output], ["completed", [{ type: "text", text: "alive" }]]);
  } finally {
    await first.kill("SIGKILL");
    await Deno.remove(notes);
  }
});

Deno.test("a change of a client is there on another hub within a second, and its secrets are nowhere in the open", async () => {
  if (!await postgresAvailable()) return console.log("PostgreSQL does not answer: not run");
  const database = await testDatabase("postgres");
  const service = startService();
  const notes = await Deno.makeTempFile();
  const env = { HUB_DATABASE_URL: database.url!, HUB_LOG: "debug" };
  const { dataDir, body: stdio } = await mcpDirectory(notes, [service.host]);
  const other = await mcpDirectory(notes, [service.host]);
  const answers: string[] = [];
  try {
    await using a = await startHubProcess({ env, dataDir });
    for (const file of ["admin.key", "master.key", "config.jsonc"]) {
      await Deno.copyFile(`${dataDir}/${file}`, `${other.dataDir}/${file}`).catch(() => {});
    }
    for await (const { name, isFile } of Deno.readDir(dataDir)) {
      if (isFile && /key/.test(name)) await Deno.copyFile(`${dataDir}/${name}`, `${other.dataDir}/${name}`);
    }
    await using b = await startHubProcess({ env, dataDir: other.dataDir });
    const ask = async (hub: HubProcess, method: string, path: string, body?: unknown) => {
      const answer = await hub.api(method, path, body === undefined ? {} : { body });
      answers.push(JSON.stringify([answer.body, ...answer.headers]));
      return answer;
    };
    const within = async (what: string, probe: () => Promise<boolean>) => {
      const since = Date.now();
      await until(what, probe);
      assert.ok(Date.now() - since < 3_000, `${what} took ${Date.now() - since} ms`); // a second, on a machine that is not busy
    };
    const [first, second, header, query] = SECRETS as [string, string, string, string];
    const spec = service.document();
    const pets = { type: "openapi", spec, auth: { type: "bearer", token: first }, headers: { "x-own": header } };
    assert.equal((await ask(a, "PUT", "/api/clients/pets", pets)).status, 201);
    assert.equal((await ask(a, "PUT", "/api/clients/tools", { ...stdio, env: { TEST_SECRET: header } })).status, 201);
    await ask(a, "PUT", "/api/clients/down", { type: "mcp", url: `http://127.0.0.1:9/mcp?key=${query}` });
    const whoami = (hub: HubProcess) => ask(hub, "POST", "/api/operations/pets.whoami", { input: {} });
    await within("the client is on the other hub", async () => (await whoami(b)).status === 200);
    assert.equal(service.seen.at(-1)?.headers.get("authorization"), `Bearer ${first}`);
    await ask(b, "POST", "/api/clients/pets/rotate", { secrets: { auth: second } });
    await within("the new secret is used by the other hub", async () => {
      await whoami(a);
      return service.seen.at(-1)?.headers.get("authorization") === `Bearer ${second}`;
    });
    await within("the tools are on the other hub", async () => {
      return (await ask(b, "POST", "/api/operations/tools.env", { input: {} })).status === 200;
    });
    const template = operation("pets.whoami", "who");
    await ask(a, "PUT", "/api/workflows/who", { template });
    const run = await a.api("POST", "/api/workflows/who/runs", { body: { input: {} }, headers: { prefer: "wait=10" } });
    assert.equal(run.body.status, "completed", JSON.stringify(run.body));
    answers.push(JSON.stringify(run.body));
    for (const path of ["/api/clients", "/api/clients/pets", `/api/runs/${run.body.id}/events`, "/api/operations"]) {
      await ask(a, "GET", path);
    }
    assert.equal((await ask(a, "DELETE", "/api/clients/pets")).status, 204);
    await within("it is gone from the other hub", async () => (await whoami(b)).status === 404);
    const tables = await database.db.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    for (const { name } of tables) {
      answers.push(JSON.stringify(await database.db.query(`select t::text as row from "${name}" t`)));
    }
    const all = [...answers, a.stderr(), b.stderr()].join("\n");
    assert.match(all, /\[redacted\]/);
    for (const secret of SECRETS) assert.ok(!all.includes(secret), `${secret} is in the open`);
  } finally {
    await service.stop();
    await database.drop();
    await Deno.remove(notes);
  }
});
