/** Bad input at every edge gets a clear error with the right code, and changes nothing else. */
import assert from "node:assert/strict";
import { container, operation, startHubProcess, until } from "./_hub_process.ts";

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

Deno.test("bad input over HTTP is refused with the field, the value and what was wanted", async (t) => {
  await using hub = await startHubProcess();
  const ok = await hub.api("PUT", "/api/workflows/typed", {
    body: {
      template: operation("core.echo", "a", { value: { $ref: "input.n" } }),
      inputSchema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    },
  });
  assert.equal(ok.status, 200, JSON.stringify(ok.body));

  const cases: readonly {
    readonly name: string;
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    readonly raw?: string;
    readonly key?: string | null;
    readonly status: number;
    readonly code?: string;
    readonly says?: RegExp;
  }[] = [
    { name: "malformed JSON", method: "POST", path: "/api/workflows/typed/runs", raw: "{", status: 400, says: /JSON/ },
    {
      name: "a wrong type",
      method: "POST",
      path: "/api/workflows/typed/runs",
      body: { input: { n: "x" } },
      status: 400,
      code: "VALIDATION_ERROR",
      says: /n/,
    },
    {
      name: "a missing field",
      method: "POST",
      path: "/api/workflows/typed/runs",
      body: { input: {} },
      status: 400,
      code: "VALIDATION_ERROR",
      says: /n/,
    },
    {
      name: "an unknown body field",
      method: "POST",
      path: "/api/workflows/typed/runs",
      body: { inptu: {} },
      status: 400,
      says: /inptu/,
    },
    {
      name: "an unknown workflow, with a suggestion",
      method: "POST",
      path: "/api/workflows/typd/runs",
      body: { input: {} },
      status: 404,
      code: "WORKFLOW_NOT_FOUND",
      says: /typed/,
    },
    {
      name: "an unknown operation",
      method: "PUT",
      path: "/api/workflows/bad",
      body: { template: operation("core.ecko", "a") },
      status: 422,
      says: /core\.echo/,
    },
    {
      name: "a cycle",
      method: "PUT",
      path: "/api/workflows/bad",
      body: {
        template: container("parallel", [
          operation("core.echo", "a", { value: { $ref: "nodes.b.value" } }),
          operation("core.echo", "b", { value: { $ref: "nodes.a.value" } }),
        ]),
      },
      status: 422,
      says: /cycle/i,
    },
    {
      name: "a duplicate key",
      method: "PUT",
      path: "/api/workflows/bad",
      body: {
        template: container("sequential", [
          operation("core.echo", "a", { value: 1 }),
          operation("core.echo", "a", { value: 1 }),
        ]),
      },
      status: 422,
      says: /"a"/,
    },
    {
      name: "an unknown tag",
      method: "PUT",
      path: "/api/workflows/bad",
      body: { template: container("sequentail", []) },
      status: 422,
      says: /sequential/,
    },
    {
      name: "bad CEL",
      method: "PUT",
      path: "/api/workflows/bad",
      body: { template: container("conditional", [operation("core.echo", "a", { value: 1 })], { when: "1 +" }) },
      status: 422,
    },
    {
      name: "a 2 MiB input",
      method: "POST",
      path: "/api/workflows/typed/runs",
      raw: JSON.stringify({ input: { n: 1, big: "x".repeat(2 * 1024 * 1024) } }),
      status: 413,
      code: "PAYLOAD_TOO_LARGE",
    },
    { name: "no key", method: "GET", path: "/api/runs", key: null, status: 401 },
    { name: "a wrong key", method: "GET", path: "/api/runs", key: "alk_nonsense", status: 401 },
    {
      name: "an unknown run",
      method: "GET",
      path: "/api/runs/01900000-0000-7000-8000-000000000000",
      status: 404,
      code: "RUN_NOT_FOUND",
    },
    { name: "a run id that is no id", method: "GET", path: "/api/runs/..%2f..%2fetc", status: 404 },
    {
      name: "an unknown query parameter",
      method: "GET",
      path: "/api/runs?statsu=completed",
      status: 400,
      says: /statsu/,
    },
    { name: "an unknown status", method: "GET", path: "/api/runs?status=done", status: 400, says: /done/ },
    { name: "a bad cursor", method: "GET", path: "/api/runs?cursor=%00%01", status: 400 },
    { name: "an unknown route", method: "GET", path: "/api/nothing", status: 404 },
    { name: "a wrong method", method: "DELETE", path: "/api/runs", status: 405 },
    {
      name: "an unknown operation call",
      method: "POST",
      path: "/api/operations/core.ecko",
      body: {},
      status: 404,
      code: "OPERATION_NOT_FOUND",
    },
    {
      name: "an operation's wrong input",
      method: "POST",
      path: "/api/operations/core.sleep",
      body: { ms: "long" },
      status: 400,
      code: "VALIDATION_ERROR",
      says: /ms/,
    },
    {
      name: "a signal nobody waits for",
      method: "POST",
      path: "/api/runs/01900000-0000-7000-8000-000000000000/signals/go",
      body: {},
      status: 404,
    },
  ];
  for (const one of cases) {
    await t.step(one.name, async () => {
      const answer = await hub.api<Problem>(one.method, one.path, {
        ...(one.body !== undefined && { body: one.body }),
        ...(one.raw !== undefined && { raw: one.raw }),
        ...(one.key !== undefined && { key: one.key }),
      });
      const shown = JSON.stringify(answer.body);
      assert.equal(answer.status, one.status, shown);
      assert.match(answer.headers.get("content-type") ?? "", /application\/problem\+json/);
      assert.equal(answer.body.status, one.status);
      if (one.code !== undefined) assert.equal(answer.body.code, one.code, shown);
      if (one.says !== undefined) assert.match(shown, one.says);
      assert.ok(!/\bat \w+.*:\d+:\d+|\/src\/|node_modules/.test(shown), `shows a stack or a path: ${shown}`);
    });
  }
  await t.step("nothing else changed", async () => {
    assert.equal((await hub.api("GET", "/api/workflows/bad")).status, 404);
    const runs = await hub.api<{ items: unknown[] }>("GET", "/api/runs");
    assert.equal(runs.body.items.length, 0);
    assert.equal((await hub.api("GET", "/ready", { key: null })).status, 200);
  });
});

Deno.test("a template file with a syntax error takes nothing else down, and is served once mended", async () => {
  const dir = await Deno.makeTempDir({ prefix: "hub-e2e-workflows-" });
  const file = `${dir}/mine.tsx`;
  const good = (value: string) =>
    `import { defineWorkflow, Operation } from "@alkdev/flowgraph";\nexport default defineWorkflow({ name: "mine", template: <Operation name="core.echo" key="a" input={{ value: "${value}" }} /> });\n`;
  await Deno.writeTextFile(file, "export default defineWorkflow({ name: ");
  try {
    await using hub = await startHubProcess({ env: { HUB_WORKFLOWS: dir } });
    assert.equal((await hub.api("GET", "/api/workflows/mine")).status, 404);
    assert.equal((await hub.api("GET", "/api/workflows/hello")).status, 200);
    const run = async () =>
      (await hub.api("POST", "/api/workflows/mine/runs", { body: { input: {} }, headers: { prefer: "wait=10" } })).body
        .output;
    await Deno.writeTextFile(file, good("one"));
    await until("the mended file is served", async () => (await hub.api("GET", "/api/workflows/mine")).status === 200);
    assert.deepEqual(await run(), { value: "one" });
    await Deno.writeTextFile(file, good("two"));
    await until("the new version is served", async () => JSON.stringify(await run()) === '{"value":"two"}');
    // What nobody waits for ends a process by default, and a hub that loads this at each start would never serve again.
    const strays = `Promise.reject(new Error("stray"));\nsetTimeout(() => { throw new Error("late"); }, 0);\n`;
    await Deno.writeTextFile(file, strays + good("three"));
    await until("the version with strays is served", async () => JSON.stringify(await run()) === '{"value":"three"}');
    await until(
      "the strays are logged",
      () => Promise.resolve(/stray/.test(hub.stderr()) && /late/.test(hub.stderr())),
    );
    assert.equal((await hub.api("GET", "/ready", { key: null })).status, 200);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a spoke that sends garbage or a broken schema is told so, and nothing else changes", async () => {
  await using hub = await startHubProcess();
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${hub.key}`]);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error("the socket did not open"));
    });
    return socket;
  };
  const ask = (socket: WebSocket, text: string): Promise<Record<string, unknown>> =>
    new Promise((resolve) => {
      socket.addEventListener("message", (event) => resolve(JSON.parse(String(event.data))), { once: true });
      socket.send(text);
    });
  const socket = await open();
  const garbage = await ask(socket, "not json");
  assert.match(JSON.stringify(garbage), /JSON/i);
  const register = (inputSchema: unknown) =>
    JSON.stringify({
      type: "call.requested",
      id: "",
      payload: {
        requestId: crypto.randomUUID(),
        operationId: "hub.register",
        input: {
          name: "s",
          spokeType: "compute",
          operations: [{
            namespace: "t",
            name: "x",
            version: "1.0.0",
            type: "query",
            description: "d",
            inputSchema,
            outputSchema: {},
            accessControl: { requiredScopes: [] },
          }],
        },
      },
    });
  const broken = await ask(socket, register({ type: "objekt" }));
  assert.equal(broken.type, "call.error");
  assert.match(JSON.stringify(broken), /t\.x/);
  assert.equal((await hub.api("GET", "/api/operations/t.x")).status, 404);
  const fine = await ask(socket, register({ type: "object" }));
  assert.equal(fine.type, "call.responded", JSON.stringify(fine));
  const closed = new Promise<number>((resolve) => socket.onclose = (event) => resolve(event.code));
  for (let i = 0; i < 9 && socket.readyState === WebSocket.OPEN; i++) {
    await Promise.race([ask(socket, "garbage"), closed]);
  }
  assert.equal(await closed, 1008);
  assert.equal((await hub.api("GET", "/ready", { key: null })).status, 200);
  await assert.rejects(
    new Promise<void>((resolve, reject) => {
      const wrong = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", "bearer.nonsense"]);
      wrong.onopen = () => resolve();
      wrong.onerror = () => reject(new Error("refused"));
    }),
    /refused/,
  );
});
