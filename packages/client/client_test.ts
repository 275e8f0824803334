import assert from "node:assert/strict";
import { HubClient, HubConnectionError, HubError, HubTimeoutError, type RunEvent, RunFailedError } from "./mod.ts";

/** A server that gives one answer after the other, and what it was asked. */
async function withServer(
  answers: readonly ((request: Request) => Response | Promise<Response>)[],
  work: (hub: HubClient, seen: readonly Request[]) => Promise<void>,
): Promise<void> {
  const seen: Request[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(new Request(request.url, { method: request.method, headers: request.headers }));
    return (answers[seen.length - 1] ?? answers.at(-1)!)(request);
  });
  try {
    await work(new HubClient({ url: `http://127.0.0.1:${server.addr.port}/`, key: "k" }), seen);
  } finally {
    await server.shutdown();
  }
}

const problem = (status: number, code: string, headers: Record<string, string> = {}) => () =>
  Response.json({ code, title: code, detail: `No: ${code}`, status, errors: [{ path: "/a", message: "is wrong" }] }, {
    status,
    headers,
  });
const stream = (...events: readonly object[]) => () =>
  new Response(
    events.map((event) => `id: ${"seq" in event ? event.seq : ""}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
    {
      headers: { "content-type": "text/event-stream" },
    },
  );
const event = (seq: number, type = "call.responded") => ({ runId: "r", seq, at: 0, type });

Deno.test("HubClient gives the hub's errors as HubError with code, fields and time to wait, and does not send again what it may not", () =>
  withServer(
    [problem(400, "VALIDATION_ERROR"), problem(429, "OVERLOADED", { "retry-after": "3" })],
    async (hub, seen) => {
      await assert.rejects(hub.call("a.b"), (error) => {
        assert.ok(error instanceof HubError);
        assert.deepEqual([error.code, error.status, error.errors], ["VALIDATION_ERROR", 400, [{
          path: "/a",
          message: "is wrong",
        }]]);
        return true;
      });
      await assert.rejects(hub.call("a.b"), (error) => error instanceof HubError && error.retryAfterMs === 3000);
      assert.equal(seen.length, 2);
      assert.equal(seen[0]!.headers.get("authorization"), "Bearer k");
    },
  ));

Deno.test("HubClient.start() sends a start again under the same idempotency key while the hub is overloaded", () =>
  withServer(
    [problem(503, "OVERLOADED", { "retry-after": "0" }), () => Response.json({ id: "r1" })],
    async (hub, seen) => {
      const run = await hub.start("w", { a: 1 }, { labels: { b: "c" } });
      assert.equal(run.id, "r1");
      const [first, second] = seen.map(({ headers }) => headers.get("idempotency-key"));
      assert.ok(first);
      assert.equal(first, second);
    },
  ));

Deno.test("HubClient says which hub does not answer, and when an answer does not come in time", async () => {
  const nobody = new HubClient({ url: "http://127.0.0.1:1", retries: 0 });
  await assert.rejects(
    nobody.workflow("w"),
    (error) => error instanceof HubConnectionError && /127\.0\.0\.1:1/.test(error.message),
  );
  const late = Promise.withResolvers<Response>();
  await withServer([() => late.promise], async (hub) => {
    const impatient = new HubClient({ url: hub.transport.url, timeoutMs: 20, retries: 0 });
    await assert.rejects(impatient.workflow("w"), HubTimeoutError);
    late.resolve(new Response());
  });
});

Deno.test("RunHandle.watch() goes on after the last event when the stream breaks, gives each event once, and ends at the terminal one", () => {
  const view = () => Response.json({ completedAt: null, lastSeq: 2 });
  const answers = [
    stream(event(1), event(2)), // ends without a terminal event
    view,
    problem(503, "OVERLOADED"),
    stream(event(2), event(3), event(4, "run.completed")),
  ];
  return withServer(answers, async (hub, seen) => {
    const events: RunEvent[] = [];
    for await (const one of hub.handle("r").watch()) events.push(one);
    assert.deepEqual(events.map(({ seq }) => seq), [1, 2, 3, 4]);
    const asked = seen.filter(({ url }) => url.endsWith("/events")).map(({ headers }) => headers.get("last-event-id"));
    assert.deepEqual(asked, ["0", "2", "2"]);
  });
});

Deno.test("RunHandle.watch() stops at once when its signal aborts, also while it waits to come back", () =>
  withServer([problem(503, "OVERLOADED")], async (hub) => {
    const stop = new AbortController();
    const watched = hub.handle("r").watch({ signal: stop.signal }).next();
    stop.abort(new Error("enough"));
    await assert.rejects(watched, /enough/);
  }));

Deno.test("RunHandle.watch() fails at once when there is no such run", () =>
  withServer([problem(404, "RUN_NOT_FOUND")], async (hub, seen) => {
    await assert.rejects(hub.handle("r").watch().next(), (error) => error instanceof HubError && error.status === 404);
    assert.equal(seen.length, 1);
  }));

Deno.test("HubClient.run() gives the output, or throws with code and node when the run fails", () => {
  const error = { code: "BROKEN", message: "It broke", nodeKey: "a" };
  const ended = (status: string) => () => Response.json({ id: "r", status, completedAt: 5, output: { n: 1 }, error });
  return withServer([ended("completed"), ended("failed")], async (hub) => {
    assert.deepEqual(await hub.run("w"), { n: 1 });
    await assert.rejects(
      hub.run("w"),
      (thrown) => thrown instanceof RunFailedError && thrown.code === "BROKEN" && thrown.nodeKey === "a",
    );
  });
});

Deno.test("HubClient.runs() reads page after page as they are asked for", () => {
  const page = (id: string, nextCursor: string | null) => () => Response.json({ items: [{ id }], nextCursor });
  return withServer([page("a", "next"), page("b", null)], async (hub, seen) => {
    const ids: string[] = [];
    for await (const { id } of hub.runs({ status: ["running", "failed"] })) ids.push(id);
    assert.deepEqual(ids, ["a", "b"]);
    const { searchParams } = new URL(seen[1]!.url);
    assert.deepEqual([searchParams.getAll("status"), searchParams.get("cursor")], [["running", "failed"], "next"]);
  });
});

Deno.test("HubClient.stream() gives values until the end, and throws what the hub says went wrong", () => {
  const frames = (last: string) => () =>
    new Response(
      `event: data\ndata: {"data": 1, "meta": {}}\n\n: heartbeat\n\nevent: data\ndata: {"data": 2, "meta": {}}\n\n${last}`,
      {
        headers: { "content-type": "text/event-stream" },
      },
    );
  const failed = `event: error\ndata: ${
    JSON.stringify({ code: "TIMEOUT", detail: "late", title: "", status: 504 })
  }\n\n`;
  return withServer([frames("event: end\ndata: {}\n\n"), frames(failed)], async (hub) => {
    const read = async (values: unknown[]): Promise<void> => {
      for await (const { data } of hub.stream("a.b")) values.push(data);
    };
    const [whole, broken]: unknown[][] = [[], []];
    await read(whole!);
    await assert.rejects(read(broken!), (error) => error instanceof HubError && error.code === "TIMEOUT");
    assert.deepEqual([whole, broken], [[1, 2], [1, 2]]);
  });
});
