/** MCP servers as clients: one that misbehaves on request over stdio, and a public one over HTTP. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { CALLER, type ClientsWorld, clientsWorld, eventually } from "./_clients_world.ts";
import { freePort } from "../support/free_port.ts";

const SCRIPT = new URL("../support/clients/mcp_server.ts", import.meta.url).pathname;
const SECRET = "mcp-server-secret-0123456789";

async function rejection(work: Promise<unknown>): Promise<CallError> {
  const error = await work.then(() => null, (reason) => reason);
  assert.ok(error instanceof CallError, `rejected with ${error}`);
  return error;
}

interface StdioWorld extends ClientsWorld {
  notes(): Promise<readonly string[]>;
  pids(): Promise<readonly number[]>;
}

/** The SDK gives a process that is being closed two seconds, by a timer that it does not take back. */
const stdioTest = (
  name: string,
  body: (world: StdioWorld) => Promise<void>,
  settings: Readonly<Record<string, unknown>> = {},
) =>
  Deno.test({
    name,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const file = await Deno.makeTempFile();
      const words = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", SCRIPT, file];
      await using world = clientsWorld({ commands: [{ run: words.join(" "), env: ["TEST_SECRET"] }] });
      const [command, ...args] = words;
      const notes = async () => (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
      try {
        const { client } = await world.clients.put({
          caller: CALLER,
          name: "bad",
          body: { type: "mcp", command, args, env: { TEST_SECRET: SECRET }, ...settings },
        });
        assert.deepEqual([client.status, client.operations], ["up", 9], JSON.stringify(client.error));
        await body({
          ...world,
          notes,
          pids: async () => (await notes()).flatMap((line) => line.startsWith("pid ") ? [Number(line.slice(4))] : []),
        });
      } finally {
        await world.pool.close();
        await Deno.remove(file);
      }
    },
  });

const textOf = (data: unknown) => (data as readonly { readonly text: string }[])[0]?.text;

stdioTest("a server's tools are operations at once, with names that can be called and their schemas", async (world) => {
  assert.deepEqual(
    world.names().toSorted(),
    ["die", "die_once", "echo", "env", "grow", "hang", "hang_once", "odd_n_me", "wrong"].map((name) => `bad.${name}`),
  );
  assert.equal(textOf((await world.call("bad.echo", { text: "hi" })).data), "hi");
  assert.equal(textOf((await world.call("bad.odd_n_me")).data), "called odd.näme");
  assert.equal((await rejection(world.call("bad.echo", {}))).code, "VALIDATION_ERROR");
  const { data, meta } = await world.call("bad.wrong");
  assert.deepEqual([textOf(data), meta.source === "mcp" && meta.isError], ["it went wrong", true]);
  const env = textOf((await world.call("bad.env")).data) ?? "";
  assert.match(env, /"TEST_SECRET":"\[redacted\]"/);
  assert.ok(!env.includes(SECRET) && !JSON.stringify(await world.clients.list({ caller: CALLER })).includes(SECRET));
});

stdioTest("tools/list_changed brings new operations", async (world) => {
  await world.call("bad.grow");
  await eventually("the tool is there", () => world.names().includes("bad.grown"));
  assert.equal(textOf((await world.call("bad.grown")).data), "called grown");
});

stdioTest("toolErrors: fail makes what a tool says is wrong an error", async (world) => {
  const error = await rejection(world.call("bad.wrong"));
  assert.deepEqual([error.code, error.message], ["EXECUTION_ERROR", "it went wrong"]);
}, { toolErrors: "fail" });

stdioTest("a server that dies in a call loses it with UNAVAILABLE, and is started again", async (world) => {
  const lost = await rejection(world.call("bad.die"));
  assert.equal(lost.code, "UNAVAILABLE");
  assert.match(JSON.stringify(lost.details), /"client":"bad","reason":"lost"/);
  // The next call waits for the connection that is being made.
  assert.equal(textOf((await world.call("bad.echo", { text: "again" })).data), "again");
  assert.equal((await world.pids()).length, 2);
  assert.deepEqual((await world.notes()).filter((line) => line === "die"), ["die"]);
});

stdioTest("a call of a tool that is idempotent is made again when its server dies", async (world) => {
  assert.equal(textOf((await world.call("bad.die_once")).data), "alive");
  assert.equal((await world.notes()).filter((line) => line === "die_once").length, 2);
});

stdioTest("kill -9 of a server loses what is under way; abort and time end a call at the server", async (world) => {
  const hanging = rejection(world.call("bad.hang"));
  await eventually("it is under way", async () => (await world.notes()).includes("hang"));
  await eventually("its progress is told", () => world.progress.length === 1);
  Deno.kill((await world.pids())[0]!, "SIGKILL");
  assert.equal((await hanging).code, "UNAVAILABLE");
  const controller = new AbortController();
  const aborted = rejection(world.call("bad.hang", {}, controller.signal));
  await eventually("it is under way", async () => (await world.notes()).filter((line) => line === "hang").length === 2);
  controller.abort();
  assert.equal((await aborted).code, "ABORTED");
  await eventually("the server hears of it", async () => (await world.notes()).includes("cancelled"));
  assert.equal((await rejection(world.call("bad.hang"))).code, "TIMEOUT");
}, { timeoutMs: 1_500 });

stdioTest(
  "what a server was known to offer is there while it is away, and a command that is no longer allowed is not started",
  async (world) => {
    await eventually("its tools are stored", async () => (await world.store.heads())[0]?.catalogHash !== null);
    await using later = clientsWorld({ store: world.store, keyRing: world.keyRing });
    await later.pool.sync();
    await later.pool.get("default", "bad")?.tried;
    assert.equal(later.names().length, 9);
    const error = await rejection(later.call("bad.echo", { text: "x" }));
    assert.equal(error.code, "UNAVAILABLE");
    assert.equal((await world.pids()).length, 1);
    const why = async (of: ClientsWorld) => (await of.clients.get({ caller: CALLER, name: "bad" })).error;
    assert.equal((await why(later))?.code, "COMMAND_DENIED");
    await using foreign = clientsWorld({ store: world.store });
    await foreign.pool.sync();
    await foreign.pool.get("default", "bad")?.tried;
    assert.match((await why(foreign))?.message ?? "", /Cannot decrypt/);
  },
);

const EVERYTHING = "npm:@modelcontextprotocol/server-everything@2026.8.31";
const everything = async (port: number) => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--no-lock", EVERYTHING, "streamableHttp"],
    env: { PORT: String(port) },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = (child.stderr as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream())
    [Symbol.asyncIterator]();
  for (let said = ""; !said.includes(`port ${port}`);) {
    const { done, value } = await lines.next();
    if (done) return null;
    said += value;
  }
  let ended = false;
  const status = child.status.then(() => ended = true);
  void (async () => {
    while (!(await lines.next()).done);
  })();
  return {
    async kill() {
      if (!ended) child.kill("SIGKILL");
      await status;
    },
  };
};

Deno.test({
  name: "server-everything over HTTP is called, killed in a call, away, and called again",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const port = freePort();
    let server = await everything(port);
    if (server === null) return console.log(`${EVERYTHING} cannot be had: not run`);
    await using world = clientsWorld({ allowPrivate: [`127.0.0.1:${port}`] });
    try {
      const body = {
        type: "mcp",
        url: `http://127.0.0.1:${port}/mcp?key=${SECRET}`,
        auth: { type: "bearer", token: "tok-0123456789" },
      };
      const { client } = await world.clients.put({ caller: CALLER, name: "every", body });
      assert.equal(client.status, "up", JSON.stringify(client.error));
      assert.deepEqual(client.config, { type: "mcp", url: `http://127.0.0.1:${port}/mcp`, auth: { type: "bearer" } });
      assert.equal((await world.call("every.get-sum", { a: 2, b: 3 })).meta.source, "mcp");
      const long = rejection(world.call("every.trigger-long-running-operation", { duration: 30, steps: 60 }));
      await eventually("it is under way", () => world.progress.length > 0);
      await server.kill();
      const lost = await long;
      assert.deepEqual([lost.code, (lost.details as { reason: string }).reason], ["UNAVAILABLE", "lost"]);
      const down = await rejection(world.call("every.get-sum", { a: 2, b: 3 }));
      assert.deepEqual([down.code, (down.details as { reason: string }).reason], ["UNAVAILABLE", "down"]);
      assert.ok(world.names().includes("every.get-sum"));
      server = await everything(port);
      await eventually("it is called again", async () => {
        return await world.call("every.get-sum", { a: 2, b: 3 }).then(() => true, () => false);
      });
      assert.ok(!world.logs.join().includes(SECRET));
    } finally {
      await server?.kill();
    }
  },
});
