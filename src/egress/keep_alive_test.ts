import assert from "node:assert/strict";
import { createSystemClock } from "../system/clock.ts";
import { createEgress, type Egress } from "./mod.ts";

/** A server that says on which connection a request came. */
async function withServer(work: (url: string, egress: Egress) => Promise<void>): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request, { remoteAddr }) => {
    const body = await request.text();
    return new Response(`${(remoteAddr as Deno.NetAddr).port} ${body}`);
  });
  const egress = createEgress({ clock: createSystemClock(), allowPrivate: [`127.0.0.1:${server.addr.port}`] });
  try {
    await work(`http://127.0.0.1:${server.addr.port}/`, egress);
  } finally {
    egress.close();
    await server.shutdown();
  }
}

async function ask(egress: Egress, url: string, keepAlive: boolean): Promise<string> {
  const response = await egress.fetch(new Request(url, { method: "POST", body: "hello" }), { keepAlive });
  const [connection = "", body] = (await response.text()).split(" ");
  assert.equal(body, "hello");
  return connection;
}

Deno.test("Egress.fetch() uses a kept connection again, and only where it is asked to", async () => {
  await withServer(async (url, egress) => {
    const kept = [await ask(egress, url, true), await ask(egress, url, true), await ask(egress, url, true)];
    assert.equal(new Set(kept).size, 1);
    assert.notEqual(await ask(egress, url, false), await ask(egress, url, false));
  });
});

Deno.test("Egress.fetch() sends again when a kept connection was closed at the other end", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      connections++;
      void (async () => {
        const buffer = new Uint8Array(4096);
        for (let text = ""; !text.endsWith("x");) {
          text += new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
        }
        await connection.write(
          new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok"),
        );
        await connection.read(buffer).catch(() => {});
        connection.close(); // says nothing to the second request
      })();
    }
  })();
  const { port } = listener.addr;
  const egress = createEgress({ clock: createSystemClock(), allowPrivate: [`127.0.0.1:${port}`] });
  const post = async () =>
    await (await egress.fetch(new Request(`http://127.0.0.1:${port}/`, { method: "POST", body: "x" }), {
      keepAlive: true,
    })).text();
  try {
    assert.equal(await post(), "ok");
    assert.equal(await post(), "ok");
    assert.equal(connections, 2);
  } finally {
    egress.close();
    listener.close();
    await serving.catch(() => {});
  }
});
