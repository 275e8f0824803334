import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { type HubBus, PeerUnreachableError } from "../../src/peers/mod.ts";

export interface BusWorld {
  /** Resolves when the bus is connected. */
  bus(hubId: string): Promise<HubBus>;
  /** Takes it away from all hubs, or gives it back; resolves when all know. */
  setUp(isUp: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What every {@linkcode HubBus} does. */
export function hubBusConformance(name: string, create: () => Promise<BusWorld>): void {
  const test = (title: string, body: (world: BusWorld) => Promise<void>) =>
    Deno.test(`${name}: HubBus ${title}`, async () => {
      const world = await create();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    });

  test("publish() reaches every other hub, in order, and not its sender", async (world) => {
    const [a, b, c] = [await world.bus("a"), await world.bus("b"), await world.bus("c")];
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    const note = (hub: string) => (message: unknown, from: string) => {
      seen.push(`${from}>${hub}:${JSON.stringify(message)}`);
      if (seen.length === 4) done.resolve();
    };
    a.subscribe("t", () => assert.fail("it came back to its sender"));
    b.subscribe("t", note("b"));
    c.subscribe("t", note("c"));
    c.subscribe("other", () => assert.fail("another topic"));
    a.publish("t", { n: 1 });
    a.publish("t", "ü\n");
    await done.promise;
    assert.deepEqual(seen.filter((it) => it.includes(">b")), ['a>b:{"n":1}', 'a>b:"ü\\n"']);
    assert.deepEqual(seen.filter((it) => it.includes(">c")), ['a>c:{"n":1}', 'a>c:"ü\\n"']);
  });

  test("send() reaches one hub only, itself too, and tells when nobody listens", async (world) => {
    const [a, b, c] = [await world.bus("a"), await world.bus("b"), await world.bus("c")];
    const got = Promise.withResolvers<unknown>();
    const own = Promise.withResolvers<string>();
    b.subscribe("t", got.resolve);
    c.subscribe("t", () => assert.fail("it was for another hub"));
    a.subscribe("t", (_, from) => own.resolve(from));
    assert.equal(await a.send("b", "t", [1]), true);
    assert.equal(await a.send("a", "t", null), true);
    assert.deepEqual(await got.promise, [1]);
    assert.equal(await own.promise, "a");
    assert.equal(await a.send("nobody", "t", 1), false);
  });

  test("subscribe() ends with its cancellation", async (world) => {
    const [a, b] = [await world.bus("a"), await world.bus("b")];
    const last = Promise.withResolvers<unknown>();
    b.subscribe("t", () => assert.fail("it was cancelled"))();
    b.subscribe("t", last.resolve);
    a.publish("t", "x");
    assert.equal(await last.promise, "x");
  });

  test("request() gives the handler's answer, or its CallError with code and details", async (world) => {
    const [a, b] = [await world.bus("a"), await world.bus("b")];
    b.serve("double", (params, from) => Promise.resolve([from, Number(params) * 2]));
    b.serve("nothing", () => Promise.resolve(undefined));
    b.serve("no", () => Promise.reject(new CallError("RUN_ENDED", "It has ended", { status: "failed" })));
    b.serve("bug", () => Promise.reject(new TypeError("secret")));
    const ask = (method: string, params: unknown = null) => a.request({ hubId: "b", method, params, timeoutMs: 5_000 });
    assert.deepEqual(await ask("double", 4), ["a", 8]);
    assert.equal(await ask("nothing"), null);
    await assert.rejects(ask("no"), (error) => {
      assert.ok(error instanceof CallError);
      assert.deepEqual([error.code, error.message, error.details], ["RUN_ENDED", "It has ended", { status: "failed" }]);
      return true;
    });
    await assert.rejects(ask("bug"), (error: Error) => error instanceof CallError && !error.message.includes("secret"));
    await assert.rejects(ask("unknown"), (error) => error instanceof CallError && error.code === "OPERATION_NOT_FOUND");
  });

  test("request() rejects when the hub is absent, or does not answer in time", async (world) => {
    const [a, b] = [await world.bus("a"), await world.bus("b")];
    b.serve("never", () => new Promise(() => {}));
    const reason = (wanted: string) => (error: unknown) => {
      assert.ok(error instanceof PeerUnreachableError);
      assert.equal(error.reason, wanted);
      return true;
    };
    const ask = (hubId: string) => a.request({ hubId, method: "never", params: null, timeoutMs: 30 });
    await assert.rejects(ask("nobody"), reason("absent"));
    await assert.rejects(ask("b"), reason("timeout"));
  });

  test("a bus that is away says so, refuses requests, loses messages, and comes back", async (world) => {
    const [a, b] = [await world.bus("a"), await world.bus("b")];
    const states: string[] = [];
    a.onState((state) => states.push(state));
    const got: unknown[] = [];
    const last = Promise.withResolvers<void>();
    b.subscribe("t", (message) => {
      got.push(message);
      if (message === "after") last.resolve();
    });
    await world.setUp(false);
    assert.equal(a.state(), "away");
    a.publish("t", "lost");
    assert.equal(await a.send("b", "t", "lost"), false);
    await assert.rejects(
      a.request({ hubId: "b", method: "x", params: null, timeoutMs: 1_000 }),
      (error) => error instanceof PeerUnreachableError && error.reason === "away",
    );
    await world.setUp(true);
    assert.equal(a.state(), "connected");
    a.publish("t", "after");
    await last.promise;
    assert.deepEqual(got, ["after"]);
    assert.deepEqual(states, ["away", "connected"]);
  });

  test("close() ends it for good: a closed bus hears nothing, and its requests reject", async (world) => {
    const [a, b] = [await world.bus("a"), await world.bus("b")];
    b.serve("never", () => new Promise(() => {}));
    const pending = a.request({ hubId: "b", method: "never", params: null, timeoutMs: 60_000 });
    pending.catch(() => {});
    a.subscribe("t", () => assert.fail("it is closed"));
    await a.close();
    await a.close();
    assert.equal(a.state(), "closed");
    await assert.rejects(pending, PeerUnreachableError);
    const got = Promise.withResolvers<unknown>();
    const c = await world.bus("c");
    c.subscribe("t", got.resolve);
    b.publish("t", 1);
    await got.promise;
  });
}
