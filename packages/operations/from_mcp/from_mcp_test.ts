/** Against public servers from npm, in processes of their own; skipped with a reason where it cannot be had. */
import assert from "node:assert/strict";
import { CallError, OperationRegistry } from "../mod.ts";
import { closeMCPClient, createMCPClient, type MCPClientConfig, MCPClientLoader, type MCPStdioConfig } from "./mod.ts";

const PACKAGE = "npm:@modelcontextprotocol/server-everything@2026.8.31";
const RUN = ["run", "-A", "--no-config", "--no-lock"];

const FILES = "npm:@modelcontextprotocol/server-filesystem@2026.8.31";

async function canBeHad(): Promise<boolean> {
  const code = [PACKAGE, FILES].map((name) => `await import("${name}/package.json", { with: { type: "json" } })`)
    .join();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", code],
    stderr: "piped",
  }).output();
  if (!success) {
    console.log(`MCP: tests are skipped, as ${PACKAGE} or ${FILES} cannot be had: ${new TextDecoder().decode(stderr)}`);
  }
  return success;
}

const ignore = !await canBeHad();
const stdio: MCPStdioConfig = { command: Deno.execPath(), args: [...RUN, PACKAGE, "stdio"], stderr: "ignore" };

/** The SDK gives a process that is being closed two seconds, by a timer that it does not take back. */
const serverTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore, fn, sanitizeOps: false, sanitizeResources: false });

async function withRegistry(
  config: MCPClientConfig,
  run: (registry: OperationRegistry) => Promise<void>,
): Promise<void> {
  const wrapper = await createMCPClient("every", config);
  try {
    const registry = new OperationRegistry();
    registry.registerAll(wrapper.operations);
    await run(registry);
  } finally {
    await closeMCPClient(wrapper);
    await closeMCPClient(wrapper);
  }
}

/** The server over HTTP, on a port that was free a moment ago. */
async function withHttp(run: (url: string) => Promise<void>, mode = "streamableHttp", path = "/mcp"): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...RUN, PACKAGE, mode],
    env: { PORT: String(port) },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const lines = child.stderr.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    for (let said = ""; !said.includes(`port ${port}`);) {
      const { done, value } = await lines.next();
      assert.ok(!done, `The server ended before it listened: ${said}`);
      said += value;
    }
    await run(`http://127.0.0.1:${port}${path}`);
    await lines.return?.();
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

const codeIs = (code: string) => (error: unknown) => {
  assert.ok(error instanceof CallError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

async function callsTools(registry: OperationRegistry): Promise<void> {
  const spec = registry.getSpec("every.get-sum");
  assert.deepEqual([spec?.type, spec?.namespace, Object.keys(spec?.inputSchema["properties"])], [
    "mutation",
    "every",
    ["a", "b"],
  ]);
  const sum = await registry.execute("every.get-sum", { a: 2, b: 40 });
  const content = [{ type: "text", text: "The sum of 2 and 40 is 42." }];
  assert.deepEqual(sum, { data: content, meta: { source: "mcp", isError: false, content } });
  const weather = await registry.execute<{ humidity: number }>("every.get-structured-content", { location: "Chicago" });
  assert.equal(typeof weather.data.humidity, "number");
  assert.ok(weather.meta.source === "mcp" && weather.meta.content.length === 1);
  assert.deepEqual(weather.meta.structuredContent, weather.data);
  await assert.rejects(registry.execute("every.get-sum", { a: "2", b: 40 }), codeIs("VALIDATION_ERROR"));
}

serverTest("createMCPClient() makes mutations of a server's tools, over stdio", async () => {
  await withRegistry(stdio, callsTools);
});

serverTest("createMCPClient() makes mutations of a server's tools, over HTTP", async () => {
  await withHttp((url) => withRegistry({ url, headers: { "x-test": "1" } }, callsTools));
});

serverTest("createMCPClient()'s handlers answer what a tool says is wrong as an envelope", async () => {
  await withRegistry(stdio, async (registry) => {
    const handler = registry.getHandler("every.get-sum");
    // Past the registry's own check, which would not let it through.
    const answer = await handler?.({ a: "two" }, {});
    assert.ok(typeof answer === "object" && answer !== null && "meta" in answer);
    const { meta } = answer;
    assert.ok(typeof meta === "object" && meta !== null && "isError" in meta && meta.isError === true);
  });
});

serverTest("createMCPClient()'s handlers pass progress on, and stop at the deadline and at an abort", async () => {
  await withRegistry(stdio, async (registry) => {
    const id = "every.trigger-long-running-operation";
    const seen: unknown[] = [];
    await registry.execute(id, { duration: 0.02, steps: 2 }, { progress: (value) => seen.push(value) });
    // The last one comes with the answer, and is nobody's any more when the answer is read first.
    assert.ok(seen.length >= 1);
    assert.deepEqual(seen, [{ progress: 1, total: 2 }, { progress: 2, total: 2 }].slice(0, seen.length));
    const long = { duration: 60, steps: 1 };
    await assert.rejects(registry.execute(id, long, { deadlineMs: Date.now() + 50 }), codeIs("TIMEOUT"));
    const controller = new AbortController();
    const call = registry.execute(id, long, { signal: controller.signal });
    controller.abort();
    await assert.rejects(call, codeIs("ABORTED"));
  });
});

serverTest("createMCPClient()'s handlers throw EXECUTION_ERROR when the server has gone", async () => {
  const wrapper = await createMCPClient("every", stdio);
  await closeMCPClient(wrapper);
  const [operation] = wrapper.operations;
  await assert.rejects(async () => await operation?.handler({}, {}), codeIs("EXECUTION_ERROR"));
});

Deno.test("createMCPClient() throws EXECUTION_ERROR for a server that cannot be reached", async () => {
  const missing = createMCPClient("none", { command: "/nonexistent/mcp-server" });
  await assert.rejects(missing, codeIs("EXECUTION_ERROR"));
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const closed = createMCPClient("none", { url: `http://127.0.0.1:${port}/mcp` });
  await assert.rejects(closed, /Connecting to MCP server "none" failed/);
});

serverTest("createMCPClient() says why it does not speak with a server of the older HTTP+SSE transport", async () => {
  const refused = (url: string) =>
    assert.rejects(
      createMCPClient("old", { url }),
      (error) =>
        codeIs("EXECUTION_ERROR")(error) &&
        /"old" failed: it answered 404 to a POST.*HTTP\+SSE.*not supported$/.test(String(error)),
    );
  await withHttp(refused, "sse", "/sse");
});

serverTest("createMCPClient() reads and writes through a file server, which keeps to its directory", async () => {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  const wrapper = await createMCPClient("fs", {
    command: Deno.execPath(),
    args: [...RUN, FILES, directory],
    stderr: "ignore",
  });
  try {
    const registry = new OperationRegistry();
    registry.registerAll(wrapper.operations);
    assert.ok(registry.list().length >= 10, `${registry.list().length} tools`);
    const path = `${directory}/a.txt`;
    await registry.execute("fs.write_file", { path, content: "one\ntwo\n" });
    assert.equal(await Deno.readTextFile(path), "one\ntwo\n");
    const read = await registry.execute<{ content: string }>("fs.read_text_file", { path, head: 1 });
    assert.deepEqual([read.meta.source, read.data.content], ["mcp", "one"]);
    const outside = await registry.execute("fs.read_text_file", { path: "/etc/hostname" });
    assert.ok(outside.meta.source === "mcp" && outside.meta.isError);
    assert.match(JSON.stringify(outside.meta.content), /outside allowed directories/);
    await assert.rejects(registry.execute("fs.write_file", { path }), codeIs("VALIDATION_ERROR"));
  } finally {
    await closeMCPClient(wrapper);
    await Deno.remove(directory, { recursive: true });
  }
});

serverTest("MCPClientLoader loads the servers that it can, and names the others", async () => {
  const loader = new MCPClientLoader("2.0.0");
  await assert.rejects(
    loader.load({ good: stdio, bad: { command: "/nonexistent/mcp-server" } }),
    (error) => error instanceof AggregateError && /servers "bad"$/.test(error.message) && error.errors.length === 1,
  );
  assert.deepEqual(loader.getAllWrappers().map(({ name }) => name), ["good"]);
  const registry = new OperationRegistry();
  loader.registerAll(registry);
  assert.equal(registry.list().length, loader.getAllOperations().length);
  assert.equal(registry.getSpec("good.echo")?.version, "2.0.0");
  const first = loader.getClient("good");
  await loader.load({ good: stdio });
  assert.notEqual(loader.getClient("good"), first);
  assert.equal(first?.transport, undefined);
  await loader.closeAll();
  assert.deepEqual([loader.getClient("good"), loader.getAllOperations()], [undefined, []]);
});
