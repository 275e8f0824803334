import assert from "node:assert/strict";
import { LeaseKeeper } from "./lease_keeper.ts";
import type { Engine } from "../../engine/mod.ts";

Deno.test("LeaseKeeper.claim() tries a run again that could not be taken up, and tells of it once (I4)", async () => {
  const told: string[] = [];
  let claims = [["a", "b"]];
  let isMended = false;
  const tried: string[] = [];
  const keeper = new LeaseKeeper({
    lease: { claim: () => Promise.resolve(claims.shift() ?? []) },
    guard: { renew: () => Promise.resolve() },
    engine: {
      adopt: (runId: string) => {
        tried.push(runId);
        return runId === "b" && !isMended ? Promise.reject(new Error("no functions")) : Promise.resolve(true);
      },
    } as unknown as Engine, // all that a keeper uses
    renewEveryMs: 1,
    claimEveryMs: 1,
    onFenced: () => {},
    onError: (message) => told.push(message),
  });
  assert.equal(await keeper.claim(), 1);
  assert.equal(await keeper.claim(), 0);
  isMended = true;
  assert.equal(await keeper.claim(), 1);
  claims = [];
  assert.equal(await keeper.claim(), 0);
  assert.deepEqual(tried, ["a", "b", "b", "b"]);
  assert.equal(told.length, 1);
});
