/** What no HTTP library sends: bytes over a bare connection, and many connections that say nothing. */
import assert from "node:assert/strict";
import { type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

const BODY_SECONDS = 1;

Deno.test("bytes that no library sends are refused, and get nobody anything", async (t) => {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-" });
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify({ limits: { bodySeconds: BODY_SECONDS } }));
  await using hub = await startHubProcess({ dataDir });
  const template = operation("core.echo", "a", { value: { $ref: "input" } });
  assert.equal((await hub.api("PUT", "/api/workflows/echo", { body: { template } })).status, 200);
  const key = `Authorization: Bearer ${hub.key}\r\n`;
  const json = "Content-Type: application/json\r\n";

  for (const path of ["/api/workflows/echo/runs", "/api/keys", "/mcp", "/api/hooks/x"]) {
    await t.step(`a body that trickles in to ${path} is given up`, async () => {
      for (const length of ["Content-Length: 5000", "Transfer-Encoding: chunked"]) {
        const drop = length.startsWith("T") ? "1\r\n \r\n" : " ";
        const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${key}${json}${length}\r\n\r\n`;
        assert.match(await trickle(hub, head, drop, 8_000), /^HTTP\/1\.1 408 /);
      }
    });
  }

  await t.step("headers that are too large are refused", async () => {
    for (const size of [40_000, 100_000, 2_000_000]) {
      const [status] = statusesOf(
        await exchange(hub, `GET /ready HTTP/1.1\r\nHost: x\r\nX-A: ${"y".repeat(size)}\r\n\r\n`),
      );
      assert.ok(status === undefined || (status >= 400 && status < 500), `${size}: ${status}`);
    }
    const many = "X-A: y\r\n".repeat(20_000);
    const [status] = statusesOf(await exchange(hub, `GET /ready HTTP/1.1\r\nHost: x\r\n${many}\r\n`));
    assert.ok(status === undefined || (status >= 400 && status < 500), `${status}`);
  });

  const tricks = [
    "/api/../api/runs",
    "/api/runs/../keys",
    "//api/runs",
    "/api//runs",
    "/api/./runs",
    "/./api/keys",
    "/%2e%2e/api/keys",
    "/docs/..%2fapi%2fkeys",
    "/docs/..;/api/keys",
    "/health/../api/keys",
    "/health/%2e%2e/api/keys",
    "/api%2fkeys",
    "/api/keys%00",
    "/api/keys%2f",
    "/api/keys/",
    "/API/KEYS",
    "/api/runs/%00",
    "/api/runs/%",
    "/api/runs/%ff%fe",
    "/api/runs/%C0%AE%C0%AE%2f",
    "/api/runs/..%2f..%2fkeys",
    "/api\\keys",
    "http://elsewhere.example/api/keys",
    "/api/keys?x=%",
    "/api/keys;x=1",
    "/api/keys#x",
  ];
  await t.step("no way of writing a path gets past the key, or breaks the hub", async () => {
    for (const path of tricks) {
      const bare = await exchange(hub, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const [status = 400] = statusesOf(bare);
      assert.ok([400, 401, 404].includes(status), `${path}: ${bare.slice(0, 200)}`);
      const [withKey = 400] = statusesOf(
        await exchange(hub, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${key}\r\n`),
      );
      assert.ok(withKey < 500, `${path}: ${withKey}`);
    }
  });

  await t.step("line ends in what is echoed do not become headers", async () => {
    const injected = "x%0d%0aSet-Cookie:%20a=b";
    for (
      const path of [`/api/workflows/${injected}`, `/api/runs/${injected}`, `/${injected}`, `/api/runs?q=${injected}`]
    ) {
      const answer = await exchange(hub, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${key}\r\n`);
      assert.doesNotMatch(headOf(answer), /set-cookie/i);
    }
    const body = '{"input":1}';
    const answer = await exchange(
      hub,
      `POST /api/workflows/echo/runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: a%0d%0ab: c\r\n` +
        `Idempotency-Key: a%0d%0aSet-Cookie: a\r\n${key}${json}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    assert.doesNotMatch(headOf(answer), /set-cookie|%0d/i);
    assert.equal(statusesOf(answer).length, 1);
  });

  await t.step("a request that can be read in two ways is not read in both", async () => {
    const inner = `GET /api/keys HTTP/1.1\r\nHost: x\r\nX-Smuggled: 1\r\n\r\n`;
    const post = `POST /api/workflows/echo/runs HTTP/1.1\r\nHost: x\r\n${json}`;
    const shapes: Readonly<Record<string, string>> = {
      "length and chunks": `${post}Content-Length: ${
        inner.length + 5
      }\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      "two lengths": `${post}Content-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      "a list of lengths": `${post}Content-Length: 0, ${inner.length}\r\n\r\n${inner}`,
      "an unknown coding": `${post}Transfer-Encoding: xchunked\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      "a coding in disguise": `${post}Transfer-Encoding : chunked\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      "two codings": `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${inner}`,
      "a negative length": `${post}Content-Length: -1\r\n\r\n${inner}`,
      "a folded header": `${post}X-A: b\r\n Content-Length: ${inner.length}\r\n\r\n${inner}`,
      "bare line feeds": `${post.replaceAll("\r\n", "\n")}Content-Length: ${inner.length}\n\n${inner}`,
      "a chunk size too large for any number": `${post}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n${inner}`,
    };
    for (const [name, bytes] of Object.entries(shapes)) {
      const answer = await exchange(hub, bytes);
      const statuses = statusesOf(answer);
      // Refused, closed, or answered; never may what hid in a body have got at anything.
      assert.ok(statuses.every((status) => status >= 400 && status < 500), `${name}: ${answer.slice(0, 300)}`);
    }
  });

  await t.step("headers that are there twice do not add up to a key", async () => {
    const [first, second] = [hub.key.slice(0, 20), hub.key.slice(20)];
    const twice = [
      `Authorization: Bearer ${first}\r\nAuthorization: ${second}\r\n`,
      `Authorization: Bearer nothing\r\n${key}`,
      `X-Api-Key: ${first}\r\nX-Api-Key: ${second}\r\n`,
      `Cookie: authorization=Bearer ${hub.key}; x-api-key=${hub.key}\r\n`,
    ];
    for (const headers of twice) {
      const answer = await exchange(hub, `GET /api/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
      assert.deepEqual(statusesOf(answer), [401], headers.slice(0, 40));
    }
    const hosts = await exchange(hub, `GET /ready HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n`);
    assert.ok(statusesOf(hosts).every((status) => status < 500));
  });

  await t.step("a page of another site has no key to send: neither its socket nor its request is let in", async () => {
    const page = `Host: evil.example\r\nOrigin: http://evil.example\r\nCookie: key=${hub.key}\r\n`;
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert.deepEqual(statusesOf(await exchange(hub, `GET /ws HTTP/1.1\r\n${page}${upgrade}\r\n`)), [401]);
    const asked = await exchange(
      hub,
      `POST /api/keys HTTP/1.1\r\n${page}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    assert.deepEqual(statusesOf(asked), [401]);
    assert.doesNotMatch(headOf(asked), /access-control-allow/i);
    // Led here by its own name's DNS, with a key even: what agents are driven by asks for names that are this machine's.
    const mcp = await exchange(
      hub,
      `POST /mcp HTTP/1.1\r\n${page}${key}${json}Content-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    assert.deepEqual(statusesOf(mcp), [403]);
  });

  await t.step("bodies that are no UTF-8 or compressed are refused before anything is stored", async () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('{"input":"'), 0xff, 0xc0, 0xaf, 0x22, 0x7d]);
    const send = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${hub.url}/api/workflows/echo/runs`, {
        method: "POST",
        body,
        headers: { authorization: `Bearer ${hub.key}`, "content-type": "application/json", ...headers },
      });
    const garbled = await send(bytes);
    assert.deepEqual([garbled.status, (await garbled.json()).code], [400, "MALFORMED_JSON"]);
    const zeros = new Blob([new Uint8Array(30 << 20)]).stream().pipeThrough(new CompressionStream("gzip"));
    const bomb = await send(await new Response(zeros).bytes(), { "content-encoding": "gzip" });
    assert.deepEqual([bomb.status, (await bomb.json()).code], [415, "UNSUPPORTED_MEDIA_TYPE"]);
  });

  await t.step("patterns that would take a careless matcher for ever are answered at once", async () => {
    const since = performance.now();
    const long = "a".repeat(2_000);
    for (const q of ["(a+)+$", `${"*".repeat(200)}b`, `${long}!`, "%".repeat(200)]) {
      const query = encodeURIComponent(q.slice(0, 250));
      for (const path of [`/api/runs?q=${query}`, `/api/search?text=${query}`, `/api/operations?q=${query}`]) {
        assert.ok((await hub.api("GET", path)).status < 500);
      }
    }
    const inputSchema = { type: "object", properties: { s: { type: "string", pattern: "^(a+)+$" } } };
    assert.equal((await hub.api("PUT", "/api/workflows/evil", { body: { template, inputSchema } })).status, 200);
    const started = await hub.api("POST", "/api/workflows/evil/runs", { body: { input: { s: `${long}!` } } });
    assert.equal(started.status, 400, JSON.stringify(started.body));
    const told = await hub.api("POST", "/api/operations/core.eval", {
      body: { expression: `s.matches("^(a+)+$")`, vars: { s: `${long}!` } },
    });
    assert.ok(told.status < 500, JSON.stringify(told.body));
    assert.ok(performance.now() - since < 15_000, "too slow");
  });

  await t.step("no operation, client or webhook leads to the hub's own network", async () => {
    const inside = await startInside();
    try {
      const { port } = inside.server.addr;
      const hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
      ];
      const urls = [...hosts.map((host) => `http://${host}:${port}/`), "http://169.254.169.254/latest/meta-data/"];
      for (const url of urls) {
        const asked = await hub.api<Problem>("POST", "/api/operations/core.http", { body: { url } });
        assert.ok(asked.status >= 400 && asked.status < 500, `${url}: ${JSON.stringify(asked.body)}`);
        const body = { type: "openapi", spec: url };
        const client = await hub.api<Problem>("PUT", "/api/clients/inside", { body });
        assert.doesNotMatch(JSON.stringify(client.body), /secret-of-the-inside/);
        const hook = { kind: "outbound", name: `out ${url}`, url, events: ["run.completed"] };
        assert.ok((await hub.api("POST", "/api/webhooks", { body: hook })).status < 500);
      }
      const run = await hub.api("POST", "/api/workflows/echo/runs", { body: {}, headers: { prefer: "wait=10" } });
      assert.equal(run.body["status"], "completed");
      // Each webhook has tried to say so once the first attempt of the last of them is written down.
      for (const { id } of (await hub.api<{ items: { id: string }[] }>("GET", "/api/webhooks")).body.items) {
        await until("the delivery was refused", async () => {
          const { body } = await hub.api<{ items: { attempts: number }[] }>("GET", `/api/webhooks/${id}/deliveries`);
          return body.items.some(({ attempts }) => attempts > 0);
        });
      }
      assert.equal(inside.asked(), 0, "the hub asked what listens beside it");
    } finally {
      await inside.server.shutdown();
    }
  });

  await t.step("a message to /ws that is too large ends its socket, and nothing else", async () => {
    const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${hub.key}`]);
    await new Promise((resolve) => socket.onopen = resolve);
    const closed = new Promise<number>((resolve) => socket.onclose = ({ code }) => resolve(code));
    const answered = new Promise<string>((resolve) => socket.onmessage = ({ data }) => resolve(String(data)));
    socket.send("x".repeat(80 << 20));
    const came = await Promise.race([closed, answered]);
    assert.ok(typeof came === "number" || /BAD_FRAME/.test(came), String(came));
    socket.close();
    assert.equal((await hub.api("GET", "/ready")).status, 200);
  });

  await t.step("the log tells of no unexpected error", () => assert.doesNotMatch(hub.stderr(), /"level":"error"/));
});

Deno.test("connections that say nothing, or never finish saying it, keep nobody else waiting", async (t) => {
  await using hub = await startHubProcess();
  const template = operation("core.echo", "a", { value: 1 });
  const waits = { type: "signal", props: { key: "s", name: "go" }, children: [] };
  for (const [name, body] of [["echo", { template }], ["waits", { template: waits }]] as const) {
    const put = await hub.api("PUT", `/api/workflows/${name}`, { body });
    assert.equal(put.status, 200, JSON.stringify(put.body));
  }
  const run = await hub.api<{ readonly id: string }>("POST", "/api/workflows/waits/runs", { body: {} });
  const connections: Deno.Conn[] = [];
  const stop = new AbortController();
  const answersSoon = async () => {
    const since = performance.now();
    const done = await hub.api("POST", "/api/workflows/echo/runs", { body: {}, headers: { prefer: "wait=10" } });
    assert.equal(done.body["status"], "completed");
    assert.ok(performance.now() - since < 5_000, `${performance.now() - since} ms`);
  };
  try {
    await t.step("1,500 of them, half within a header", async () => {
      const port = Number(new URL(hub.url).port);
      for (let at = 0; at < 1_500; at++) {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        connections.push(connection);
        if (at % 2 === 0) await connection.write(new TextEncoder().encode("GET /ready HTTP/1.1\r\nHost: x\r\nX-A"));
      }
      await answersSoon();
    });
    await t.step("500 watchers of one run", async () => {
      const headers = { authorization: `Bearer ${hub.key}`, accept: "text/event-stream" };
      const watchers = await Promise.all(Array.from({ length: 500 }, async () => {
        const response = await fetch(`${hub.url}/api/runs/${run.body.id}/events`, { headers, signal: stop.signal });
        assert.equal(response.status, 200);
        return response.body!.getReader();
      }));
      for (const reader of watchers) assert.equal((await reader.read()).done, false);
      await answersSoon();
    });
  } finally {
    stop.abort();
    for (const connection of connections) connection.close();
  }
  await until("the hub answers as before", async () => (await hub.api("GET", "/ready")).status === 200);
  await answersSoon();
});

interface Problem {
  readonly code: string;
}

/** What only this machine should reach. */
async function startInside(): Promise<{ readonly server: Deno.HttpServer<Deno.NetAddr>; asked(): number }> {
  let asked = 0;
  const listening = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => listening.resolve() }, () => {
    asked++;
    return new Response("secret-of-the-inside");
  });
  await listening.promise;
  return { server, asked: () => asked };
}

/** Sends bytes and reads until the hub closes, or falls silent for a second. */
async function exchange(hub: HubProcess, bytes: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(hub.url).port) });
  try {
    // The hub may close before it has read everything.
    await writeAll(connection, bytes).catch(() => {});
    return await readUntilSilent(connection, 1_000);
  } finally {
    connection.close();
  }
}

/** Sends `head`, then `drop` ten times a second until the hub says something. */
async function trickle(hub: HubProcess, head: string, drop: string, withinMs: number): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(hub.url).port) });
  await writeAll(connection, head);
  const drops = setInterval(() => void writeAll(connection, drop).catch(() => {}), 100);
  try {
    return await readUntilSilent(connection, withinMs, "first");
  } finally {
    clearInterval(drops);
    connection.close();
  }
}

async function readUntilSilent(
  connection: Deno.Conn,
  silentMs: number,
  wanted: "first" | "all" = "all",
): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    const silent = Promise.withResolvers<null>();
    const timer = setTimeout(() => silent.resolve(null), silentMs);
    const count = await Promise.race([connection.read(buffer).catch(() => null), silent.promise]);
    clearTimeout(timer);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (wanted === "first") return text;
  }
}

async function writeAll(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function statusesOf(answer: string): readonly number[] {
  return [...answer.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status));
}

function headOf(answer: string): string {
  return answer.split("\r\n\r\n")[0] ?? "";
}
