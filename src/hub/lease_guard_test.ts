import assert from "node:assert/strict";
import type { DispatchedCall, Ownership } from "../../engine/mod.ts";
import { FencedError } from "../../engine/mod.ts";
import { LeaseGuard } from "./lease_guard.ts";

function setup(renew: () => Promise<void>) {
  const time = { now: 1_000 };
  const fenced: unknown[] = [];
  const lease: Ownership = {
    hubId: "a",
    epoch: 1,
    claim: () => Promise.resolve([]),
    renew,
    release: () => Promise.resolve(),
  };
  const guard = new LeaseGuard({
    lease,
    ttlMs: 100,
    acquiredAt: 1_000,
    now: () => time.now,
    onFenced: (error) => fenced.push(error),
  });
  const sent: string[] = [];
  const dispatcher = guard.guard({
    dispatch: ({ requestId }) => {
      sent.push(requestId);
      return Promise.resolve({ data: null, meta: { source: "local", operationId: "x", timestamp: 0 } });
    },
  });
  const call = (requestId: string) => dispatcher.dispatch({ requestId } as DispatchedCall);
  return { time, fenced, guard, sent, call };
}

Deno.test("guard() lets calls through at once while the lease is held, and after each renewal", async () => {
  const { time, guard, sent, call } = setup(() => Promise.resolve());
  void call("a");
  assert.deepEqual(sent, ["a"]);
  time.now = 1_090;
  await guard.renew();
  time.now = 1_150;
  assert.equal(guard.isHeld(), true);
  void call("b");
  assert.deepEqual(sent, ["a", "b"]);
});

Deno.test("guard() holds calls back past the end of the lease until a renewal tells that it is held", async () => {
  const renewal = Promise.withResolvers<void>();
  const { time, guard, sent, call } = setup(() => renewal.promise);
  let regained = 0;
  guard.onRegained(() => regained++);
  time.now = 1_100;
  assert.equal(guard.isHeld(), false);
  const calls = [call("a"), call("b")];
  assert.deepEqual(sent, []);
  renewal.resolve();
  await Promise.all(calls);
  assert.deepEqual([sent, regained], [["a", "b"], 1]);
});

Deno.test("guard() never starts a call when the lease turns out to be lost", async () => {
  const { time, fenced, sent, call } = setup(() => Promise.reject(new FencedError("a", 1)));
  time.now = 2_000;
  void call("a");
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual([sent.length, fenced.length], [0, 1]);
});
