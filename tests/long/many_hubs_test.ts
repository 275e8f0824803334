/** Two hubs in processes of their own on one PostgreSQL and one Redis. */
import assert from "node:assert/strict";
import { connectSpoke, type SpokeHandle } from "@alkdev/spoke";
import { Type } from "@alkdev/typebox";
import { container, type HubProcess, operation, startHubProcess, until } from "../e2e/_hub_process.ts";
import { startRedis, type TestRedis } from "../support/redis_server.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";

interface World extends AsyncDisposable {
  readonly a: HubProcess;
  readonly b: HubProcess;
  readonly redis: TestRedis;
  spoke(hub: HubProcess, name: string): Promise<TestSpoke>;
}

interface TestSpoke {
  readonly handle: SpokeHandle;
  /** Names in order of execution. */
  readonly ran: string[];
  /** Lets `work.hold {name}` go on. */
  release(name: string): void;
  readonly aborted: string[];
}

async function world(): Promise<World | null> {
  const redis = await postgresAvailable() ? await startRedis() : null;
  if (redis === null) {
    console.log("PostgreSQL or redis-server is not there: not run");
    return null;
  }
  const database = await testDatabase("postgres");
  const env = { HUB_DATABASE_URL: database.url!, HUB_REDIS_URL: redis.url };
  const hubs: HubProcess[] = [];
  const spokes: SpokeHandle[] = [];
  const start = async (): Promise<HubProcess> => {
    const dataDir = await Deno.makeTempDir({ prefix: "hub-many-" });
    // Only the first hub of a database makes a key; the test uses it everywhere.
    if (hubs[0] !== undefined) await Deno.writeTextFile(`${dataDir}/admin.key`, hubs[0].key);
    const hub = await startHubProcess({ env, dataDir });
    hubs.push(hub);
    return hub;
  };
  const a = await start();
  const b = await start();
  return {
    a,
    b,
    redis,
    async spoke(hub, name) {
      const spoke = testSpoke(hub, name);
      spokes.push(spoke.handle);
      await spoke.handle.ready;
      return spoke;
    },
    async [Symbol.asyncDispose]() {
      for (const spoke of spokes) await spoke.close();
      for (const hub of hubs) await hub[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

function testSpoke(hub: HubProcess, name: string): TestSpoke {
  const ran: string[] = [];
  const aborted: string[] = [];
  const held = new Map<string, PromiseWithResolvers<void>>();
  const hold = (key: string): PromiseWithResolvers<void> => {
    const found = held.get(key) ?? Promise.withResolvers<void>();
    held.set(key, found);
    return found;
  };
  const base = {
    namespace: "work",
    version: "1.0.0",
    description: "",
    outputSchema: {},
    inputSchema: Type.Object({ name: Type.String() }),
  };
  const handle = connectSpoke({
    url: hub.url,
    key: hub.key,
    name,
    labels: { at: name },
    maxBackoffMs: 300,
    operations: [
      {
        ...base,
        name: "step",
        handler: (input) => {
          ran.push((input as { name: string }).name);
          return { by: name };
        },
      },
      {
        ...base,
        name: "hold",
        handler: async (input, context) => {
          const key = (input as { name: string }).name;
          ran.push(key);
          context.log?.("info", `holds ${key}`, { traceparent: context.traceparent });
          context.signal?.addEventListener("abort", () => aborted.push(key));
          await hold(key).promise;
          return { by: name };
        },
      },
      {
        ...base,
        name: "count",
        type: "subscription",
        handler: async function* () {
          for (let n = 0; n < 100; n++) yield n;
        },
      },
      { ...base, name: "fail", handler: () => Promise.reject(new Error("It does not work")) },
    ],
  });
  return { handle, ran, aborted, release: (key) => hold(key).resolve() };
}

/** A workflow named `name` of these steps in sequence. */
async function put(hub: HubProcess, name: string, steps: readonly unknown[]): Promise<void> {
  const answer = await hub.api("PUT", `/api/workflows/${name}`, { body: { template: container("sequential", steps) } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

async function run(hub: HubProcess, workflow: string): Promise<string> {
  const answer = await hub.api<{ id: string }>("POST", `/api/workflows/${workflow}/runs`, { body: { input: {} } });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body.id;
}

async function ended(hub: HubProcess, id: string): Promise<Record<string, unknown>> {
  return await until(`run ${id} ends`, async () => {
    const { body } = await hub.api("GET", `/api/runs/${id}`);
    return body.completedAt !== null && body.status !== "running" && body;
  }, 30_000);
}

async function knows(hub: HubProcess, operationId: string): Promise<void> {
  await until(
    `${operationId} is known`,
    async () => (await hub.api("GET", `/api/operations/${operationId}`)).status === 200,
  );
}

/** SSE events as they come, each with the time at which it came. */
async function follow(hub: HubProcess, id: string, seen: { type: string; at: number }[]): Promise<void> {
  const response = await fetch(`${hub.url}/api/runs/${id}/events`, {
    headers: { authorization: `Bearer ${hub.key}`, accept: "text/event-stream" },
  });
  assert.equal(response.status, 200);
  let rest = "";
  for await (const text of (response.body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split("\n\n");
    rest = frames.pop()!;
    for (const frame of frames) {
      const type = /^event: ?(.*)$/m.exec(frame)?.[1];
      if (/^id:/m.test(frame) && type !== undefined) seen.push({ type, at: Date.now() });
    }
  }
}

Deno.test("two hubs share their runs and their spokes", async (t) => {
  await using w = await world();
  if (w === null) return;
  const { a, b } = w;
  const spoke = await w.spoke(b, "west");
  await knows(a, "work.step");
  await put(a, "held", [
    operation("work.hold", "one", { name: "one" }),
    operation("work.step", "two", { name: "two" }),
  ]);

  await t.step("a run on A is carried out by the spoke on B; an SSE reader on B sees its events at once", async () => {
    const id = await run(a, "held");
    await until("it is under way", () => Promise.resolve(spoke.ran.includes("one")));
    const seen: { type: string; at: number }[] = [];
    const following = follow(b, id, seen);
    await until("the reader is up to date", () => Promise.resolve(seen.length >= 2));
    const releasedAt = Date.now();
    spoke.release("one");
    await following;
    assert.equal((await ended(b, id)).status, "completed");
    assert.equal(seen.at(-1)?.type, "run.completed");
    const log = await a.api<{ items: { type: string }[] }>("GET", `/api/runs/${id}/events`);
    assert.deepEqual(seen.map(({ type }) => type), log.body.items.map(({ type }) => type));
    const took = seen.at(-1)!.at - releasedAt;
    assert.ok(took < 800, `the reader was told after ${took} ms: it waited for its poll`);
  });

  await t.step(
    "calls: input is checked, errors keep their code, a stream is whole, labels find the spoke",
    async () => {
      const call = (id: string, input: unknown) => a.api("POST", `/api/operations/${id}`, { body: { input } });
      assert.equal((await call("work.step", { name: "x" })).status, 200);
      const bad = await call("work.step", { name: 1 });
      assert.deepEqual([bad.status, bad.body.code], [400, "VALIDATION_ERROR"]);
      const failed = await call("work.fail", { name: "x" });
      assert.deepEqual([failed.status, failed.body.code], [502, "EXECUTION_ERROR"]);
      const client = connectSpoke({ url: a.url, key: a.key, name: "client", operations: [] });
      await client.ready;
      const chunks: unknown[] = [];
      for await (const { data } of client.subscribe("work.count", { name: "x" })) chunks.push(data);
      await client.close();
      assert.deepEqual(chunks, Array.from({ length: 100 }, (_, n) => n));
      await put(a, "west", [operation("work.step", "s", { name: "labelled" }, { spoke: { at: "west" } })]);
      assert.equal((await ended(a, await run(a, "west"))).status, "completed");
    },
  );

  await t.step("GET /api/spokes on A lists the spoke on B", async () => {
    const { body } = await a.api<{ items: { name: string; status: string }[] }>("GET", "/api/spokes");
    assert.deepEqual(body.items.map(({ name, status }) => [name, status]), [["west", "connected"]]);
  });

  await t.step("pause, resume, signal and abort on B reach the run on A, with the same errors", async () => {
    await put(a, "ask", [
      { type: "signal", props: { name: "go", key: "go" }, children: [] },
      operation("work.hold", "last", { name: "last" }),
    ]);
    const id = await run(a, "ask");
    const post = (path: string, body: unknown = {}) => b.api(`POST`, `/api/runs/${id}/${path}`, { body });
    const paused = await post("pause");
    assert.deepEqual([paused.status, paused.body.status], [200, "paused"], JSON.stringify(paused.body));
    assert.equal((await post("resume")).body.status, "running");
    for (const verb of ["pause", "resume"]) assert.equal((await post(`nodes/last/${verb}`)).status, 200, verb);
    assert.equal((await post("nodes/last/give-up")).body.code, "NODE_NOT_WAITING");
    assert.equal((await post("nodes/nothing/abort")).body.code, "NODE_NOT_FOUND");
    const none = await post("signals/nothing", { payload: 1 });
    assert.deepEqual([none.status, none.body.code], [404, "SIGNAL_NOT_FOUND"]);
    await until("it waits", async () => (await post("signals/go", { payload: 1 })).status < 300);
    assert.equal((await post("signals/go", { payload: 1 })).body.code, "SIGNAL_ANSWERED");
    await until("it is under way", () => Promise.resolve(spoke.ran.includes("last")));
    const aborted = await post("abort", { reason: "enough" });
    assert.deepEqual([aborted.status, aborted.body.status], [200, "aborted"], JSON.stringify(aborted.body));
    await until("the spoke is told", () => Promise.resolve(spoke.aborted.includes("last")));
    const again = await post("abort");
    assert.deepEqual([again.status, again.body.code], [409, "RUN_ENDED"]);
  });

  await t.step("a key revoked on A is refused on B within a second", async () => {
    const made = await a.api<{ key: string; record: { id: string } }>("POST", "/api/keys", {
      body: { name: "short", scopes: ["run:read"] },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { key, record: { id } } = made.body;
    assert.equal((await b.api("GET", "/api/runs", { key })).status, 200);
    assert.ok((await a.api("DELETE", `/api/keys/${id}`)).status < 300);
    await until("it is refused", async () => (await b.api("GET", "/api/runs", { key })).status === 401, 1_000);
  });

  await t.step("Redis killed: runs of one hub go on, cross-hub commands say why not, and all comes back", async () => {
    await put(a, "alone", [operation("core.echo", "e", { value: 1 })]);
    const far = await run(a, "held");
    await w.redis.kill();
    assert.equal((await ended(a, await run(a, "alone"))).status, "completed");
    assert.equal((await ended(b, await run(b, "held"))).status, "completed");
    assert.equal((await b.api("GET", "/ready")).status, 200);
    const refused = await b.api("POST", `/api/runs/${await run(a, "ask")}/abort`, { body: {} });
    assert.deepEqual([refused.status, refused.body.code], [503, "RUN_NOT_HERE"]);
    assert.match(String(refused.body.detail), /bus between hubs is away/);
    await w.redis.start();
    assert.equal((await ended(a, far)).status, "completed");
    assert.equal((await ended(a, await run(a, "held"))).status, "completed");
  });
});

Deno.test("kill -9 of a hub: the other takes its run up within seconds, and nothing completed runs again", async () => {
  await using w = await world();
  if (w === null) return;
  const { a, b } = w;
  const spoke = await w.spoke(b, "west");
  await knows(a, "work.step");
  await put(a, "long", [
    operation("work.step", "one", { name: "one" }),
    operation("work.hold", "two", { name: "two" }),
    operation("work.step", "three", { name: "three" }),
  ]);
  const id = await run(a, "long");
  await until("it is under way", () => Promise.resolve(spoke.ran.includes("two")));
  await a.kill("SIGKILL");
  const killedAt = Date.now();
  spoke.release("two");
  const end = await ended(b, id);
  assert.equal(end.status, "completed", JSON.stringify(end));
  assert.ok(Date.now() - killedAt < 12_000, `it took ${Date.now() - killedAt} ms`);
  assert.deepEqual(spoke.ran, ["one", "two", "three"]);
});

Deno.test("SIGTERM of a hub: the other takes its runs up at once, and their calls go on where they are", async () => {
  await using w = await world();
  if (w === null) return;
  const { a, b } = w;
  const spoke = await w.spoke(b, "west");
  await knows(a, "work.hold");
  await put(a, "long", [
    operation("work.hold", "one", { name: "one" }),
    operation("work.step", "two", { name: "two" }),
  ]);
  const id = await run(a, "long");
  await until("it is under way", () => Promise.resolve(spoke.ran.includes("one")));
  const at = Date.now();
  assert.equal(await a.kill("SIGTERM"), 0);
  spoke.release("one");
  assert.equal((await ended(b, id)).status, "completed");
  assert.ok(Date.now() - at < 5_000, `it took ${Date.now() - at} ms`);
  assert.deepEqual([spoke.ran, spoke.aborted], [["one", "two"], []]);
});

Deno.test("a hub with a spoke dies: calls for it wait, and are carried out when the spoke is on another hub", async () => {
  await using w = await world();
  if (w === null) return;
  const { a, b } = w;
  const spoke = await w.spoke(b, "west");
  await knows(a, "work.hold");
  await put(a, "long", [
    operation("work.hold", "one", { name: "one" }),
    operation("work.step", "two", { name: "two" }),
  ]);
  const id = await run(a, "long");
  await until("it is under way", () => Promise.resolve(spoke.ran.includes("one")));
  await b.kill("SIGKILL");
  await spoke.handle.close();
  const late = await run(a, "long");
  const other = await w.spoke(a, "east");
  other.release("one");
  for (const each of [id, late]) {
    const end = await ended(a, each);
    assert.equal(end.status, "completed", JSON.stringify(end));
  }
});

Deno.test("why says what a node waits for, whichever hub is asked", async () => {
  await using w = await world();
  if (w === null) return;
  const { a, b } = w;
  const spoke = await w.spoke(a, "left");
  await knows(b, "work.hold");
  await put(a, "waits", [
    operation("work.hold", "held", { name: "x" }),
    operation("work.step", "pinned", { name: "y" }, { spoke: { at: "nowhere" } }),
  ]);
  const here = await run(a, "waits");
  const there = await run(b, "waits");
  await until("both are held", () => Promise.resolve(spoke.ran.length === 2));
  interface Why {
    readonly items: readonly { readonly key: string; readonly waitsFor: string; readonly message: string }[];
  }
  const why = async (hub: HubProcess, id: string, key: string) => {
    const { body } = await hub.api<Why>("GET", `/api/runs/${id}/why`);
    return body.items.find((item) => item.key === key);
  };
  for (const hub of [a, b]) {
    assert.match((await why(hub, here, "held"))?.message ?? "", /"work.hold" is under way on spoke "left"/);
    const elsewhere = await until("the call is announced", async () => {
      const found = await why(hub, there, "held");
      return found?.waitsFor === "hub" && found;
    });
    assert.match(elsewhere.message, /"work.hold" is under way on a spoke of hub "/);
  }
  for (const hub of [a, b]) {
    // The spoke is A's, the run B's: what it says is the run's, and its place in the trace is that of B's call.
    const [line] = await until("what the spoke said is there", async () => {
      const { body } = await hub.api<{ items: { message: string; data: { traceparent: string } }[] }>(
        "GET",
        `/api/runs/${there}/logs`,
      );
      return body.items.length > 0 && body.items;
    });
    assert.equal(line!.message, "holds x");
    assert.ok(line!.data.traceparent.startsWith(`00-${there.replaceAll("-", "")}-`), line!.data.traceparent);
  }
  spoke.release("x");
  for (const hub of [a, b]) {
    const found = await until("it waits for a spoke", async () => {
      const entry = await why(hub, there, "pinned");
      return entry?.waitsFor === "spoke" && entry;
    });
    assert.match(found.message, /Waits for a spoke of any hub that offers "work.step" with at=nowhere/);
  }
});
