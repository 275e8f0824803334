import assert from "node:assert/strict";
import { CallError, type OperationSpec, type ResponseEnvelope } from "@alkdev/operations";
import type { DispatchedCall, EventOf, RunEvent } from "../../engine/mod.ts";
import { VirtualClock } from "../../engine/memory/mod.ts";
import { RunScript } from "../../tests/conformance/fixtures.ts";
import { BudgetedCalls } from "./budgeted_calls.ts";
import { MemoryLedger } from "./memory_ledger.ts";
import type { BudgetLedger } from "./ports.ts";
import { settleLeftovers } from "./settle_leftovers.ts";

interface World {
  readonly calls: BudgetedCalls;
  readonly ledger: MemoryLedger;
  readonly created: EventOf<"run.created">;
  readonly clock: VirtualClock;
  stopped: boolean;
  /** Dispatches one call of the run. */
  call(handler: (call: DispatchedCall) => Promise<ResponseEnvelope>, id?: string): Promise<ResponseEnvelope>;
  balance(): Promise<unknown>;
}

function world(
  limits: Record<string, number> | null,
  declared: object = {},
  wrap: (ledger: MemoryLedger) => BudgetLedger = (ledger) => ledger,
): World {
  const ledger = new MemoryLedger();
  const budget = limits === null ? {} : { budget: { own: { limits, deadline: null, level: 0 }, above: [] } };
  const created = new RunScript().created(budget).events[0] as EventOf<"run.created">;
  const clock = new VirtualClock();
  const calls = new BudgetedCalls({
    ledger: wrap(ledger),
    clock,
    created: () => created,
    isStopped: () => made.stopped,
    spec: () => ({ _meta: { usage: declared } }) as unknown as OperationSpec,
    log: { warn() {} },
  });
  const made: World = {
    calls,
    ledger,
    created,
    clock,
    stopped: false,
    call(handler, id = crypto.randomUUID()) {
      const { runId, caller } = created;
      const call = {
        requestId: id,
        operationId: "llm.chat",
        runId,
        nodeKey: "a",
        orgId: caller.orgId,
        identity: caller.identity,
        signal: new AbortController().signal,
      } as unknown as DispatchedCall;
      return calls.dispatcher({ dispatch: handler }).dispatch(call);
    },
    async balance() {
      const found = await ledger.balance({ kind: "run", id: created.runId, orgId: created.caller.orgId });
      return found && { spent: found.spent, reserved: found.reserved };
    },
  };
  return made;
}

function answer(usage?: object): ResponseEnvelope {
  return { data: 1, meta: { source: "local", operationId: "llm.chat", timestamp: 0, ...(usage && { usage }) } };
}

const NONE = { calls: 0, tokens: 0, costMicros: 0 };

Deno.test("BudgetedCalls reserves what an operation declares, and settles what its answer says", async () => {
  const w = world({ tokens: 100 }, { tokens: 60 });
  await w.call(async () => {
    assert.deepEqual(await w.balance(), { spent: NONE, reserved: { calls: 1, tokens: 60, costMicros: 0 } });
    return answer({ inputTokens: 10, outputTokens: 20, costMicros: 3 });
  });
  assert.deepEqual(await w.balance(), { spent: { calls: 1, tokens: 30, costMicros: 3 }, reserved: NONE });
  await w.call(() => Promise.resolve(answer())); // says nothing: what was reserved
  assert.deepEqual(await w.balance(), { spent: { calls: 2, tokens: 90, costMicros: 3 }, reserved: NONE });
  await assert.rejects(w.call(() => assert.fail("it must not be called")), (error) => {
    assert.ok(error instanceof CallError);
    assert.equal(error.code, "BUDGET_EXCEEDED");
    assert.deepEqual(error.details, {
      which: "tokens",
      budgetRunId: w.created.runId,
      limit: 100,
      spent: 90,
      reserved: 0,
      wanted: 60,
      node: "a",
    });
    return true;
  });
});

Deno.test("BudgetedCalls lets a handler reserve more and say what it used, also when it fails", async () => {
  const w = world({ tokens: 100 });
  await assert.rejects(
    w.call(async (call) => {
      await w.calls.reserve(call, { tokens: 80 });
      await assert.rejects(w.calls.reserve(call, { tokens: 101 }), /does not fit the budget of run/);
      w.calls.report(call, { inputTokens: 5 });
      w.calls.report(call, { outputTokens: 2 });
      throw new CallError("RATE_LIMITED", "Later");
    }),
    /Later/,
  );
  assert.deepEqual(await w.balance(), { spent: { calls: 1, tokens: 7, costMicros: 0 }, reserved: NONE });
  const lost = world({ tokens: 100 }, { tokens: 9 });
  await assert.rejects(lost.call(() => Promise.reject(new CallError("OPERATION_NOT_FOUND", "Gone"))));
  assert.deepEqual(await lost.balance(), { spent: { calls: 1, tokens: 0, costMicros: 0 }, reserved: NONE });
});

Deno.test("BudgetedCalls leaves the reservation to the next owner when the hub stops, and it finds it", async () => {
  const w = world({ calls: 1 });
  const id = crypto.randomUUID();
  await w.call(() => {
    w.stopped = true;
    return Promise.resolve(answer());
  }, id);
  assert.deepEqual(await w.balance(), { spent: NONE, reserved: { ...NONE, calls: 1 } });
  w.stopped = false;
  await w.call(() => Promise.resolve(answer()), id);
  assert.deepEqual(await w.balance(), { spent: { ...NONE, calls: 1 }, reserved: NONE });
});

Deno.test("BudgetedCalls waits for a ledger that is away", async () => {
  let failures = 2;
  const w = world({ calls: 1 }, {}, (ledger) => ({
    ...ledger,
    reserve: (charge) => failures-- > 0 ? Promise.reject(new Error("away")) : ledger.reserve(charge),
    settle: (params) => ledger.settle(params),
  } as BudgetLedger));
  const done = w.call(() => Promise.resolve(answer()));
  let isDone = false;
  void done.then(() => isDone = true);
  while (!isDone) {
    await new Promise<void>((resolve) => w.clock.afterTurn(resolve));
    w.clock.advance(250);
  }
  assert.deepEqual(await w.balance(), { spent: { ...NONE, calls: 1 }, reserved: NONE });
});

Deno.test("BudgetedCalls counts what calls without a budget say that they used, once", async () => {
  const w = world(null);
  await w.call(() => Promise.resolve(answer()));
  assert.equal(await w.balance(), null);
  const { runId } = w.created;
  const output = answer({ outputTokens: 4 });
  const event: RunEvent = {
    runId,
    seq: 3,
    at: 0,
    type: "call.responded",
    key: "a",
    attempt: 1,
    requestId: "r1",
    output,
  };
  w.calls.committed([event, event, { ...event, requestId: "r2", output: answer() }]);
  assert.deepEqual(await w.ledger.usage({ orgId: "default", by: "run", since: 0, limit: 9 }), [
    { group: runId, calls: 1, tokens: 4, costMicros: 0 },
  ]);
});

Deno.test("settleLeftovers() settles with what the log says, else as reserved", async () => {
  const w = world({ tokens: 100 }, { tokens: 10 });
  w.stopped = true;
  await w.call(() => Promise.resolve(answer()), "known");
  await w.call(() => Promise.resolve(answer()), "unknown");
  const orgId = "default";
  const found = [{ orgId, id: "known", usage: { tokens: 4, costMicros: 0 } }, { orgId, id: "unknown", usage: null }];
  const settled = await settleLeftovers({ ledger: w.ledger, leftovers: { find: () => Promise.resolve(found) } });
  assert.equal(settled, 2);
  assert.deepEqual(await w.balance(), { spent: { calls: 2, tokens: 14, costMicros: 0 }, reserved: NONE });
});
