import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import fc from "fast-check";
import { VirtualClock } from "../../engine/memory/mod.ts";
import { MemoryLedger } from "../budgets/mod.ts";
import { limitingBudgets } from "./limiting_budgets.ts";
import { LiveCall } from "./live_call.ts";
import { refusalOf } from "./inference_error.ts";
import { Spending } from "./spending.ts";
import { costOf } from "./usage.ts";

const PRICES = { inputMicrosPerMTok: 3_000_000, outputMicrosPerMTok: 15_000_000 };
const MODEL = { id: "m", prices: PRICES };
const PROVIDER = {
  name: "p",
  kind: "openai" as const,
  baseUrl: "http://x/v1",
  keys: ["k"],
  models: [MODEL],
  headers: {},
  timeoutMs: null,
  maxConcurrency: null,
};

function setUp() {
  const clock = new VirtualClock();
  const ledger = new MemoryLedger(() => clock.now());
  const spending = new Spending({
    ledger,
    clock,
    limiting: limitingBudgets(ledger, () => clock.now()),
    runHolders: () => Promise.resolve([]),
  });
  return { clock, ledger, spending };
}

function callOf(maxTokens: number, content = "hello"): LiveCall {
  const call = new LiveCall({
    asker: { caller: { identity: { id: "i", scopes: [] }, orgId: "o" }, keyId: "key", sessionId: null, runId: null },
    endpoint: "chat",
    model: "m",
    body: { model: "m", max_tokens: maxTokens, messages: [{ role: "user", content }] },
    isStream: false,
    startedAt: 0,
  });
  call.route = [{ provider: PROVIDER, model: MODEL }];
  return call;
}

Deno.test("Spending never lets a budget of money be passed, whatever calls come, fail, break off or are lost", async () => {
  const step = fc.record({
    maxTokens: fc.integer({ min: 0, max: 500 }),
    used: fc.double({ min: 0, max: 1, noNaN: true }),
    end: fc.constantFrom("settled", "failed", "broke off", "lost"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 20_000 }), async (steps, limit) => {
      const { ledger, spending } = setUp();
      const holder = { orgId: "o", kind: "key" as const, id: "key" };
      await ledger.setLimits({ ...holder, limits: { costMicros: limit } });
      let refused = 0;
      await Promise.all(steps.map(async ({ maxTokens, used, end }, at) => {
        const call = callOf(maxTokens);
        try {
          await spending.reserve(call, {}, { runId: "00000000-0000-7000-8000-000000000000", chargeId: `c${at}` });
        } catch (error) {
          assert.ok(error instanceof CallError && error.code === "BUDGET_EXCEEDED");
          assert.equal(refusalOf(error)?.status, 429);
          refused++;
          return;
        }
        if (end === "lost") return; // the hub was killed: the reservation stays
        if (end === "broke off") call.lost = call.worst;
        if (end === "settled") {
          call.answeredBy = call.route[0]!;
          const inputTokens = Math.floor(call.inputEstimate * used);
          call.setUsage({ inputTokens, outputTokens: Math.floor(maxTokens * used), cachedInputTokens: 0 }, () => "");
        }
        await spending.settle(call);
      }));
      const balance = await ledger.balance(holder);
      assert.ok(balance!.spent.costMicros + balance!.reserved.costMicros <= limit);
      if (limit === 0) assert.equal(refused, steps.length);
    }),
  );
});

Deno.test("Spending.reserve() limits requests of a minute, and says when the next begins", async () => {
  const { clock, spending } = setUp();
  const policy = { keys: { key: { requestsPerMinute: 2 } } };
  const reserve = (id: string) =>
    spending.reserve(callOf(10), policy, { runId: "00000000-0000-7000-8000-000000000000", chargeId: id });
  await reserve("a");
  await reserve("b");
  await assert.rejects(reserve("c"), (error) => {
    const refusal = refusalOf(error);
    assert.equal(refusal?.error.code, "rate_limit_exceeded");
    assert.ok(Number(refusal?.retryAfter) >= 1 && Number(refusal?.retryAfter) <= 60);
    return true;
  });
  clock.advance(60_000);
  await reserve("d");
});

Deno.test("Spending.reserve() asks the ledger nothing where nothing limits the call", async () => {
  const { ledger, spending } = setUp();
  const call = callOf(10);
  await spending.reserve(call, {}, { runId: "00000000-0000-7000-8000-000000000000", chargeId: "c" });
  assert.equal(call.chargeId, null);
  assert.equal(await ledger.balance({ orgId: "o", kind: "key", id: "key" }), null);
});

Deno.test("costOf() rounds up, and has cached input at its own price", () => {
  assert.equal(
    costOf({ inputTokens: 1, outputTokens: 0, cachedInputTokens: 0 }, {
      inputMicrosPerMTok: 1,
      outputMicrosPerMTok: 1,
    }),
    1,
  );
  const prices = { inputMicrosPerMTok: 1_000_000, outputMicrosPerMTok: 2_000_000, cachedInputMicrosPerMTok: 0 };
  assert.equal(costOf({ inputTokens: 10, outputTokens: 5, cachedInputTokens: 4 }, prices), 16);
  assert.equal(costOf({ inputTokens: 10, outputTokens: 5, cachedInputTokens: 0 }, undefined), 0);
});
