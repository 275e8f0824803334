/** What a database or a log cannot take is refused with a clear error, never with a 500; a torn request is the client's. */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

interface Problem {
  readonly code: string;
  readonly detail: string;
}

const FAR = 8_640_000_000_000_000;
const FAR_AWAY = [
  ["expiresAt", "POST", "/api/keys", { name: "far", scopes: ["run:read"], expiresAt: FAR }],
  ["since", "GET", `/api/usage?since=${FAR}`, null],
  ["until", "GET", `/api/runs?until=${FAR}`, null],
  ["until", "GET", `/api/search?error=x&until=${FAR}`, null],
  ["since", "GET", `/api/dead-letters?since=${FAR}`, null],
] as const;

Deno.test("hostile text is refused or kept whole, and never ends in a 500", async (t) => {
  await using hub = await startHubProcess();
  const echo = operation("core.echo", "a", { value: { $ref: "input" } });

  for (const field of ["title", "description"]) {
    await t.step(`a NUL in the ${field} of a workflow`, async () => {
      const put = await hub.api<Problem>("PUT", "/api/workflows/nul", { body: { template: echo, [field]: "a\0b" } });
      assert.equal(put.status, 400, JSON.stringify(put.body));
      assert.match(put.body.detail, new RegExp(field));
    });
  }

  await t.step("text that JSON allows comes back as it was sent", async () => {
    assert.equal((await hub.api("PUT", "/api/workflows/echo", { body: { template: echo } })).status, 200);
    for (const input of ['{"__proto__":{"x":1},"k\\u0000":"\\u0000"}', '"\\ud800"', '{"constructor":null}']) {
      const run = await hub.api<{ readonly id: string }>("POST", "/api/workflows/echo/runs", {
        raw: `{"input":${input}}`,
        headers: { prefer: "wait=10" },
      });
      assert.equal(run.status, 200);
      const stored = await hub.api("GET", `/api/runs/${run.body.id}`);
      assert.equal(JSON.stringify(stored.body["output"]), `{"value":${input}}`);
    }
  });

  await t.step("an expression's value of a type that JSON has not is still a value for the next node", async () => {
    const template = container("sequential", [
      operation("core.eval", "count", { expression: "uint(names.size())", vars: { names: ["a", "b"] } }),
      operation("core.echo", "told", { value: { $ref: "nodes.count.value" } }),
    ]);
    await hub.api("PUT", "/api/workflows/counted", { body: { template } });
    const run = await hub.api("POST", "/api/workflows/counted/runs", { body: {}, headers: { prefer: "wait=10" } });
    assert.deepEqual(run.body["output"], { value: 2 });
  });

  await t.step("the graph at a seq before the first is refused: the run is there", async () => {
    const run = await hub.api("POST", "/api/workflows/echo/runs", { body: {} });
    const graph = await hub.api<Problem>("GET", `/api/runs/${run.body["id"]}/graph?at=0`);
    assert.equal(graph.status, 400, JSON.stringify(graph.body));
  });

  await t.step("a sleep longer than dates go is shown, and ends with its run", async () => {
    const template = { type: "sleep", props: { key: "s", ms: 1e300 }, children: [] };
    await hub.api("PUT", "/api/workflows/asleep", { body: { template } });
    const { body } = await hub.api("POST", "/api/workflows/asleep/runs", { body: {} });
    const why = await until("it sleeps", async () => {
      const answer = await hub.api("GET", `/api/runs/${body["id"]}/why`);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return /Sleeps/.test(JSON.stringify(answer.body)) && answer;
    });
    assert.match(JSON.stringify(why.body), /the end of time/);
    assert.equal((await hub.api("POST", `/api/runs/${body["id"]}/abort`)).body["status"], "aborted");
  });

  await t.step("a seq past any that a log can hold has nothing after it", async () => {
    const { body } = await hub.api("POST", "/api/workflows/echo/runs", { body: {}, headers: { prefer: "wait=10" } });
    const path = `/api/runs/${body["id"]}/events`;
    const headers = { "last-event-id": "999999999999999", accept: "text/event-stream" };
    for (const query of ["after", "cursor"]) {
      const page = await hub.api("GET", `${path}?${query}=${Number.MAX_SAFE_INTEGER}`);
      assert.deepEqual([page.status, page.body["items"]], [200, []]);
    }
    assert.equal((await hub.api("GET", path, { headers })).status, 204);
  });

  for (const [field, method, path, body] of FAR_AWAY) {
    await t.step(`a time past the year 9999 in ${method} ${path}`, async () => {
      const { status, body: problem } = await hub.api<Problem>(method, path, body === null ? {} : { body });
      assert.equal(status, 400, JSON.stringify(problem));
      assert.match(problem.detail, new RegExp(`"${field}"`));
    });
  }

  await t.step("a filter of no status at all", async () => {
    const body = { action: "rerun", filter: { status: [] } };
    const answer = await hub.api<Problem>("POST", "/api/runs/act", { body });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.match(answer.body.detail, /status/);
  });

  await t.step("a template is validated under a name that no workflow can have", async () => {
    const { status, body } = await hub.api("POST", "/api/workflows/%20/validate", { body: { template: echo } });
    assert.equal(status, 200, JSON.stringify(body));
    assert.match(JSON.stringify(body), /bad-name/);
  });

  for (const field of ["name", "version", "spokeType"]) {
    await t.step(`a spoke with a NUL in its ${field}`, async () => {
      const answer = await register(hub, { name: "s", operations: [], [field]: "a\0b" });
      assert.equal(answer.type, "call.error");
      assert.equal(answer.payload.code, "VALIDATION_ERROR", JSON.stringify(answer));
      assert.match(answer.payload.message, new RegExp(field));
    });
  }

  await t.step("a body that ends early is no error of the hub's", async () => {
    const started = "POST /api/workflows/echo/runs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    for (const rest of ["Content-Length: 500\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n"]) {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(hub.url).port) });
      await socket.write(new TextEncoder().encode(`${started}Authorization: Bearer ${hub.key}\r\n${rest}`));
      await socket.closeWrite();
      await socket.read(new Uint8Array(1024)).catch(() => null);
      socket.close();
    }
    await until("the hub still answers", async () => (await hub.api("GET", "/ready", { key: null })).status === 200);
  });

  await t.step("the log tells of no unexpected error", () => assert.doesNotMatch(hub.stderr(), /"level":"error"/));
});

interface Answered {
  readonly type: string;
  readonly payload: { readonly code: string; readonly message: string };
}

/** The hub's answer to a registration. */
async function register(hub: HubProcess, input: unknown): Promise<Answered> {
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${hub.key}`]);
  try {
    return await new Promise<Answered>((resolve, reject) => {
      socket.onerror = () => reject(new Error("the socket failed"));
      socket.onmessage = ({ data }) => resolve(JSON.parse(String(data)));
      const payload = { requestId: "r1", operationId: "hub.register", input };
      socket.onopen = () => socket.send(JSON.stringify({ type: "call.requested", id: "", payload }));
    });
  } finally {
    socket.close();
  }
}
