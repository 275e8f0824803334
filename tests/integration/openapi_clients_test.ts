/** OpenAPI services as clients, against a real service on this machine. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { startService } from "../support/clients/service.ts";
import { CALLER, clientsWorld, eventually, STRANGER } from "./_clients_world.ts";

const TOKEN = "tok-openapi-0123456789-secret";

async function rejection(work: Promise<unknown>): Promise<CallError> {
  const error = await work.then(() => null, (reason) => reason);
  assert.ok(error instanceof CallError, `rejected with ${error}`);
  return error;
}

const serviceTest = (name: string, body: (service: ReturnType<typeof startService>) => Promise<void>) =>
  Deno.test(name, async () => {
    const service = startService();
    try {
      await body(service);
    } finally {
      await service.stop();
    }
  });

const put = (world: ReturnType<typeof clientsWorld>, body: unknown, name = "pets") =>
  world.clients.put({ caller: CALLER, name, body });

serviceTest(
  "put() makes operations of an OpenAPI service at once, with its schemas, for its organization alone",
  async (service) => {
    await using world = clientsWorld({ allowPrivate: [service.host] });
    const { client, isNew } = await put(world, {
      type: "openapi",
      spec: `${service.url}/openapi.json`,
      auth: { type: "bearer", token: TOKEN },
    });
    assert.deepEqual([isNew, client.status, client.operations, client.hasSecret], [true, "up", 5, true]);
    assert.deepEqual(client.secrets.map(({ name, last4 }) => [name, last4]), [["auth", "cret"]]);
    assert.deepEqual(world.names().toSorted(), [
      "pets.getPet",
      "pets.makePet",
      "pets.slow",
      "pets.ticks",
      "pets.whoami",
    ]);
    assert.deepEqual(world.operations.list(STRANGER).filter(({ namespace }) => namespace === "pets"), []);
    assert.deepEqual((await world.call("pets.getPet", { id: "a", verbose: true })).data, { id: "a", verbose: "true" });
    assert.deepEqual((await world.call("pets.makePet", { body: { name: "aa" } })).data, { made: { name: "aa" } });
    assert.equal((await rejection(world.call("pets.makePet", { body: {} }))).code, "VALIDATION_ERROR");
    const stranger = world.operations.call({ caller: STRANGER, operationId: "pets.getPet", input: { id: "a" } });
    assert.equal((await rejection(stranger)).code, "OPERATION_NOT_FOUND");
    const ticks = await Array.fromAsync(
      world.operations.stream({ caller: CALLER, operationId: "pets.ticks", input: {} }),
    );
    assert.deepEqual(ticks.map(({ data }) => data), [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.deepEqual(
      new Set(service.seen.map(({ headers }) => headers.get("authorization"))),
      new Set([`Bearer ${TOKEN}`]),
    );
  },
);

serviceTest("a credential that the service repeats reaches no caller, nor does its session", async (service) => {
  await using world = clientsWorld({ allowPrivate: [service.host] });
  const body = { type: "openapi", spec: service.document(), headers: { "x-extra": "another-secret-value" } };
  for (
    const auth of [
      { type: "bearer", token: TOKEN },
      { type: "basic", username: "ann", password: TOKEN },
      { type: "header", name: "x-token", value: TOKEN },
      { type: "apiKey", name: "x-key", token: TOKEN },
      { type: "apiKey", name: "key", in: "query", token: TOKEN },
    ]
  ) {
    await put(world, { ...body, auth });
    const answer = JSON.stringify(await world.call("pets.whoami"));
    assert.match(answer, /\[redacted\]/);
    const { headers, path } = service.seen.at(-1)!;
    const sent = JSON.stringify([path, ...headers]);
    assert.ok(sent.includes(TOKEN) || sent.includes(btoa(`ann:${TOKEN}`)), auth.type);
    for (const secret of [TOKEN, btoa(`ann:${TOKEN}`), "another-secret-value"]) {
      assert.ok(!answer.includes(secret), `${auth.type} in ${answer}`);
    }
  }
  const { meta } = await world.call("pets.getPet", { id: "a" });
  assert.ok(meta.source === "http" && !("set-cookie" in meta.headers));
  assert.ok(!JSON.stringify(await world.clients.list({ caller: CALLER })).includes(TOKEN));
  assert.ok(!world.logs.join().includes(TOKEN));
});

serviceTest("a service's errors are typed, and its time is limited", async (service) => {
  await using world = clientsWorld({ allowPrivate: [service.host] });
  await put(world, { type: "openapi", spec: service.document(), timeoutMs: 200 });
  const none = await rejection(world.call("pets.getPet", { id: "none" }));
  assert.deepEqual([none.code, none.details], ["EXECUTION_ERROR", { statusCode: 404, body: { error: "no such pet" } }]);
  assert.equal((await rejection(world.call("pets.slow"))).code, "TIMEOUT");
  const controller = new AbortController();
  const aborted = rejection(world.call("pets.slow", {}, controller.signal));
  await eventually("the call is there", () => service.seen.filter(({ path }) => path === "/slow").length === 2);
  controller.abort();
  assert.equal((await aborted).code, "ABORTED");
});

serviceTest("calls wait for a place, and a failing service is spared until it is well", async (service) => {
  await using world = clientsWorld({ allowPrivate: [service.host] });
  await put(world, { type: "openapi", spec: service.document(), maxConcurrency: 1 });
  const slow = world.call("pets.slow");
  await eventually("it is under way", () => service.seen.length === 1);
  const next = world.call("pets.getPet", { id: "a" });
  const leaving = new AbortController();
  const left = rejection(world.call("pets.getPet", { id: "b" }, leaving.signal));
  assert.equal(world.pool.state("default", "pets")?.inFlight, 3);
  leaving.abort();
  assert.equal((await left).code, "ABORTED");
  assert.equal(service.seen.length, 1);
  service.release();
  assert.deepEqual([(await slow).data, (await next).data], [{ slow: true }, { id: "a", verbose: null }]);
  service.failWith = 503;
  for (let i = 0; i < 5; i++) await rejection(world.call("pets.whoami"));
  const before = service.seen.length;
  const spared = await rejection(world.call("pets.whoami"));
  assert.deepEqual([spared.code, world.pool.state("default", "pets")?.circuit], ["UNAVAILABLE", "open"]);
  assert.match(JSON.stringify(spared.details), /"reason":"down","retryAfterMs":\d+/);
  assert.equal(service.seen.length, before);
  service.failWith = null;
  await eventually("it is called again", () => world.call("pets.whoami").then(() => true, () => false));
  assert.equal(world.pool.state("default", "pets")?.circuit, "closed");
});

serviceTest(
  "remove() refuses new calls and lets those under way end; put() with a new secret uses it from then on",
  async (service) => {
    await using world = clientsWorld({ allowPrivate: [service.host] });
    const body = { type: "openapi", spec: service.document(), auth: { type: "bearer", token: TOKEN } };
    await put(world, body);
    const slow = world.call("pets.slow");
    await eventually("it is under way", () => service.seen.length === 1);
    await world.clients.rotate({ caller: CALLER, name: "pets", secrets: { auth: "tok-the-second-one-987" } });
    await world.call("pets.whoami");
    assert.equal(service.seen.at(-1)?.headers.get("authorization"), "Bearer tok-the-second-one-987");
    // Not given again, it stays; and it goes nowhere else.
    await put(world, { ...body, auth: { type: "bearer" }, timeoutMs: 5_000 });
    await world.call("pets.whoami");
    assert.equal(service.seen.at(-1)?.headers.get("authorization"), "Bearer tok-the-second-one-987");
    const elsewhere = { ...body, auth: { type: "bearer" }, baseUrl: "https://evil.example/" };
    assert.match((await rejection(put(world, elsewhere))).message, /"auth" is missing: a secret does not stay/);
    await world.clients.remove({ caller: CALLER, name: "pets" });
    assert.equal((await rejection(world.call("pets.whoami"))).code, "OPERATION_NOT_FOUND");
    assert.deepEqual(world.names(), []);
    service.release();
    assert.deepEqual((await slow).data, { slow: true });
    assert.equal((await rejection(world.clients.remove({ caller: CALLER, name: "pets" }))).code, "CLIENT_NOT_FOUND");
  },
);

Deno.test("a service that is down at the start is known from its stored document, and refresh() sees what is new", async () => {
  const first = startService();
  const { host, url } = first;
  const allowPrivate = [host];
  await using world = clientsWorld({ allowPrivate });
  await put(world, { type: "openapi", spec: `${url}/openapi.json`, exclude: ["make*", "s*w"] });
  await eventually("the document is stored", async () => {
    const [head] = await world.store.heads();
    return head?.catalogHash !== null;
  });
  await first.stop();
  await using later = clientsWorld({ allowPrivate, store: world.store });
  await later.pool.sync();
  assert.deepEqual(later.names().toSorted(), ["pets.getPet", "pets.ticks", "pets.whoami"]);
  const down = await rejection(later.call("pets.whoami"));
  assert.deepEqual([down.code, down.details], ["UNAVAILABLE", { client: "pets", reason: "down" }]);
  const second = startService(Number(host.split(":")[1]));
  try {
    second.hasMore = true;
    assert.deepEqual((await later.call("pets.getPet", { id: "b" })).data, { id: "b", verbose: null });
    await later.clients.refresh({ caller: CALLER, name: "pets" });
    assert.deepEqual((await later.call("pets.more")).data, { more: true });
    // Another hub follows the document that this one has stored.
    await eventually("the other follows", async () => {
      await world.pool.sync();
      return world.names().includes("pets.more");
    });
  } finally {
    await second.stop();
  }
});

Deno.test("put() says what is wrong and quotes no secret", async () => {
  await using world = clientsWorld();
  const wrong: [unknown, RegExp][] = [
    [{ type: "openapi", spec: "{nonsense sk-live-secret" }, /not JSON/],
    [{ type: "openapi", spec: { openapi: "2.0", paths: {} }, baseUrl: "https://a.example" }, /wanted "3/],
    [{ type: "openapi", spec: { openapi: "3.1.0", paths: {} } }, /Set "baseUrl"/],
    [
      { type: "openapi", spec: "https://a.example/x", baseUrl: "https://u:sk-live-secret@a.example/" },
      /holds credentials/,
    ],
    [
      { type: "openapi", spec: "https://a.example/x", auth: { type: "bearer", token: "sk-live-secret\n" } },
      /not valid/,
    ],
    [{ type: "openapi", spec: "https://a.example/x", auth: { type: "bearer" } }, /"auth" is missing/],
    [{ type: "openapi", spec: "https://a.example/x", auth: { type: "sk-live-secret" } }, /wanted one of "bearer"/],
    [{ type: "mcp", url: "ftp://sk-live-secret/" }, /"url" is not valid/],
    [{ type: "mcp", url: "https://a.example/", token: "sk-live-secret" }, /"token" is not a known property/],
    [{ type: "mcp", command: "sh", args: ["-c", "sk-live-secret"] }, /may not be started/],
    [{ type: "sk-live-secret" }, /wanted one of "mcp"/],
    [
      { type: "llm-provider", kind: "openai", baseUrl: "https://a.example/v1", models: [{ id: "m" }] },
      /"keys\/0" is missing/,
    ],
    [{
      type: "llm-provider",
      kind: "openai",
      baseUrl: "https://a.example/v1",
      keys: ["k"],
      models: [{ id: "m" }, { id: "n", alias: "m" }],
    }, /"models\/1" gives the name "m" a second time/],
  ];
  for (const [body, message] of wrong) {
    const error = await rejection(put(world, body));
    assert.equal(error.code, "VALIDATION_ERROR");
    assert.match(error.message, message);
    assert.ok(!JSON.stringify([error.message, error.details]).includes("sk-live-secret"), error.message);
  }
  assert.equal(
    (await rejection(put(world, { type: "mcp", url: "https://a.example" }, "core"))).code,
    "CLIENT_CONFLICT",
  );
  assert.equal(
    (await rejection(put(world, { type: "mcp", url: "https://a.example" }, "a.b"))).code,
    "VALIDATION_ERROR",
  );
  assert.deepEqual(await world.clients.list({ caller: CALLER }), []);
});
