/** What public servers do not do: pages, odd names and schemas, errors of the protocol. The server is played here, over HTTP. */
import assert from "node:assert/strict";
import { CallError, collectErrors, OperationRegistry } from "../mod.ts";
import { closeMCPClient, createMCPClient, type MCPClientWrapper } from "./mod.ts";

type Answer = (params: Readonly<Record<string, unknown>>) => object;

interface Script {
  readonly capabilities?: object;
  readonly "tools/list"?: Answer;
  readonly "tools/call"?: Answer;
}

/** An error of JSON-RPC, to be thrown by an answer. */
class RpcError {
  constructor(readonly code: number, readonly message: string, readonly data?: unknown) {}
}

const tool = (name: string, more: object = {}) => ({ name, inputSchema: { type: "object" }, ...more });

function answer(script: Script, method: string, params: Readonly<Record<string, unknown>>): object {
  if (method === "initialize") {
    const { protocolVersion } = params;
    return {
      protocolVersion,
      capabilities: script.capabilities ?? { tools: {} },
      serverInfo: { name: "scripted", version: "1.0.0" },
    };
  }
  const scripted = method === "tools/list" || method === "tools/call" ? script[method] : undefined;
  if (scripted === undefined) throw new RpcError(-32601, `No ${method}`);
  return scripted(params);
}

async function respond(script: Script, request: Request): Promise<Response> {
  if (request.method !== "POST") return new Response(null, { status: 405 });
  const { id, method, params } = await request.json();
  if (id === undefined) return new Response(null, { status: 202 });
  const headers = { "mcp-session-id": "s1" };
  try {
    return Response.json({ jsonrpc: "2.0", id, result: answer(script, method, params ?? {}) }, { headers });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return Response.json({ jsonrpc: "2.0", id, error: { ...error } }, { headers });
  }
}

async function withServer(script: Script, run: (url: string) => Promise<void>): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => respond(script, request),
  );
  try {
    await run(`http://127.0.0.1:${server.addr.port}/mcp`);
  } finally {
    await server.shutdown();
  }
}

async function withClient(script: Script, run: (client: MCPClientWrapper) => Promise<void>): Promise<void> {
  await withServer(script, async (url) => {
    const client = await createMCPClient("scripted", { url });
    try {
      await run(client);
    } finally {
      await closeMCPClient(client);
    }
  });
}

const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, fn });

test("createMCPClient() reads every page of the list, and names tools apart", async () => {
  const pages = [
    { tools: [tool("a.b"), tool("a_b")], nextCursor: "2" },
    { tools: [tool("c", { title: "See", annotations: { readOnlyHint: true } })] },
  ];
  await withClient({ "tools/list": ({ cursor }) => pages[cursor === "2" ? 1 : 0] ?? {} }, ({ operations }) => {
    assert.deepEqual(operations.map(({ name, type, description }) => [name, type, description]), [
      ["a_b", "mutation", "Tool a.b of scripted"],
      ["a_b_2", "mutation", "Tool a_b of scripted"],
      ["c", "mutation", "See"],
    ]);
    assert.deepEqual(operations.map(({ _meta }) => _meta), [
      { tool: "a.b" },
      { tool: "a_b" },
      { tool: "c", annotations: { readOnlyHint: true } },
    ]);
    return Promise.resolve();
  });
});

test("createMCPClient() throws for a list without end, and leaves nothing connected", async () => {
  const endless = { "tools/list": () => ({ tools: [], nextCursor: "again" }) };
  await withServer(endless, async (url) => {
    await assert.rejects(createMCPClient("scripted", { url }), /MCP server "scripted" failed: .*1000 pages/);
  });
});

test("createMCPClient() makes no operations of a server without tools", async () => {
  await withClient({ capabilities: {} }, ({ operations }) => {
    assert.deepEqual(operations, []);
    return Promise.resolve();
  });
});

test("createMCPClient() leaves the check to the server where it cannot read a schema", async () => {
  const odd = { type: "object", properties: { a: { $ref: "https://elsewhere.example/a" } } };
  await withClient({ "tools/list": () => ({ tools: [tool("a", { inputSchema: odd })] }) }, ({ operations }) => {
    const [operation] = operations;
    assert.ok(operation !== undefined);
    assert.deepEqual(collectErrors(operation.inputSchema, { a: 1 }), []);
    return Promise.resolve();
  });
});

test("createMCPClient()'s handlers call the tool by its own name, and take every kind of result", async () => {
  const seen: unknown[] = [];
  const results: object[] = [
    { content: [{ type: "text", text: "x" }], structuredContent: { n: 1 }, _meta: { m: 1 } },
    { toolResult: [1] },
    { content: [{ type: "text", text: "bad" }], isError: true },
  ];
  const script: Script = {
    "tools/list": () => ({ tools: [tool("a.b")] }),
    "tools/call": ({ name, arguments: given }) => {
      seen.push([name, given]);
      return results[seen.length - 1] ?? {};
    },
  };
  await withClient(script, async ({ operations }) => {
    const registry = new OperationRegistry();
    registry.registerAll(operations);
    const call = () => registry.execute("scripted.a_b", { x: 1 });
    const content = [{ type: "text", text: "x" }];
    assert.deepEqual(await call(), {
      data: { n: 1 },
      meta: { source: "mcp", isError: false, content, structuredContent: { n: 1 }, _meta: { m: 1 } },
    });
    assert.deepEqual((await call()).data, [1]);
    const failed = await call();
    assert.deepEqual([failed.data, failed.meta.source === "mcp" && failed.meta.isError], [
      [{ type: "text", text: "bad" }],
      true,
    ]);
    assert.deepEqual(seen[0], ["a.b", { x: 1 }]);
  });
});

test("createMCPClient()'s handlers throw an error of the protocol with its code and data", async () => {
  const script: Script = {
    "tools/list": () => ({ tools: [tool("a")] }),
    "tools/call": () => {
      throw new RpcError(-32602, "Unknown tool", { tool: "a" });
    },
  };
  await withClient(script, async ({ operations }) => {
    await assert.rejects(async () => await operations[0]?.handler({}, {}), (error) => {
      assert.ok(error instanceof CallError);
      assert.equal(error.code, "EXECUTION_ERROR");
      assert.match(error.message, /^Tool "a" of MCP server "scripted" failed: .*Unknown tool/);
      assert.deepEqual(error.details, { mcpCode: -32602, data: { tool: "a" } });
      return true;
    });
  });
});

test("createMCPClient() checks outputs without a RegExp of the server's, and tells of its end", async () => {
  const hostile = { type: "object", properties: { a: { type: "string", pattern: "^(a+)+$" } } };
  const script: Script = {
    "tools/list": () => ({ tools: [tool("slow", { outputSchema: hostile })] }),
    "tools/call": ({ arguments: input }) => ({ content: [], structuredContent: input }),
  };
  await withServer(script, async (url) => {
    const methods: string[] = [];
    const ended = Promise.withResolvers<void>();
    const own: typeof fetch = (input, init) => {
      methods.push(init?.method ?? "GET");
      return fetch(input, init);
    };
    const client = await createMCPClient("scripted", { url, fetch: own }, "1.0.0", { onClose: ended.resolve });
    const registry = new OperationRegistry();
    registry.registerAll(client.operations);
    const { data } = await registry.execute("scripted.slow", { a: "aa" });
    assert.deepEqual(data, { a: "aa" });
    // A RegExp would still be at it tomorrow.
    await assert.rejects(registry.execute("scripted.slow", { a: `${"a".repeat(60)}!` }), { code: "EXECUTION_ERROR" });
    assert.deepEqual((await client.refresh()).map(({ name }) => name), ["slow"]);
    await closeMCPClient(client);
    await ended.promise;
    assert.ok(methods.includes("POST") && methods.includes("DELETE"));
  });
});
