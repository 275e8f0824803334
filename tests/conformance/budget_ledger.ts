import assert from "node:assert/strict";
import fc from "fast-check";
import type { Amounts, BudgetBook, BudgetLedger, Charge, ChargedHolder } from "../../src/budgets/mod.ts";

export interface LedgerWorld {
  /** Several ledgers over one store, as several hubs have them. */
  readonly ledgers: readonly (BudgetLedger & BudgetBook)[];
  close(): Promise<void>;
}

const NONE: Amounts = { calls: 0, tokens: 0, costMicros: 0 };

function charge(holders: readonly ChargedHolder[], fields: Partial<Charge> = {}): Charge {
  return {
    orgId: "default",
    id: crypto.randomUUID(),
    holders,
    amounts: { ...NONE, calls: 1 },
    runId: null,
    workflow: "demo",
    operationId: "core.echo",
    identityId: "u1",
    expiresAt: null,
    ...fields,
  };
}

function run(limits: ChargedHolder["limits"] = {}): ChargedHolder {
  return { kind: "run", id: crypto.randomUUID(), limits };
}

/** What every {@linkcode BudgetLedger} does. */
export function budgetLedgerConformance(name: string, create: () => Promise<LedgerWorld>): void {
  const test = (what: string, work: (world: LedgerWorld) => Promise<void>) =>
    Deno.test(`${name}: BudgetLedger ${what}`, async () => {
      const world = await create();
      try {
        await work(world);
      } finally {
        await world.close();
      }
    });

  test("reserve() fits along the whole chain or leaves every budget as it was (L2)", async ({ ledgers: [ledger] }) => {
    const outer = run({ calls: 2 });
    const inner = run({ calls: 5, tokens: 100 });
    const first = charge([inner, outer], { amounts: { calls: 1, tokens: 60, costMicros: 7 } });
    assert.deepEqual(await ledger!.reserve(first), { refused: null, state: "reserved" });
    const second = await ledger!.reserve(charge([inner, outer], { amounts: { calls: 1, tokens: 41, costMicros: 0 } }));
    assert.deepEqual(second, {
      refused: { kind: "run", id: inner.id, which: "tokens", limit: 100, spent: 0, reserved: 60, wanted: 41 },
    });
    assert.deepEqual((await ledger!.balance({ ...outer, orgId: "default" }))?.reserved, {
      calls: 1,
      tokens: 60,
      costMicros: 7,
    });
    await ledger!.reserve(charge([inner, outer]));
    const third = await ledger!.reserve(charge([inner, outer]));
    assert.ok(third.refused !== null);
    assert.deepEqual([third.refused.id, third.refused.which, third.refused.limit], [outer.id, "calls", 2]);
    assert.deepEqual((await ledger!.balance({ ...inner, orgId: "default" }))?.reserved.calls, 2);
  });

  test("reserve() finds the reservation of a call that is sent again", async ({ ledgers: [one, other = one] }) => {
    const holder = run({ calls: 1 });
    const call = charge([holder]);
    await one!.reserve(call);
    assert.deepEqual(await other!.reserve(call), { refused: null, state: "reserved" });
    assert.equal((await other!.balance({ ...holder, orgId: "default" }))?.reserved.calls, 1);
    assert.equal(await other!.settle({ ...call, spent: {} }), true);
    assert.deepEqual(await one!.reserve(call), { refused: null, state: "settled" });
    assert.equal(await one!.settle({ ...call, spent: { tokens: 9 } }), false);
    const balance = await one!.balance({ ...holder, orgId: "default" });
    assert.deepEqual([balance?.spent.calls, balance?.reserved.calls, balance?.spent.tokens], [1, 0, 0]);
  });

  test("settle() makes room for what was not used, and believes what passes a limit", async ({ ledgers: [ledger] }) => {
    const holder = run({ tokens: 100 });
    const call = charge([holder], { amounts: { calls: 1, tokens: 100, costMicros: 5 } });
    await ledger!.reserve(call);
    assert.ok((await ledger!.reserve(charge([holder], { amounts: { ...NONE, tokens: 1 } }))).refused !== null);
    await ledger!.settle({ ...call, spent: { tokens: 30 } });
    const balance = await ledger!.balance({ ...holder, orgId: "default" });
    assert.deepEqual(balance, {
      limits: { calls: null, tokens: 100, costMicros: null },
      spent: { calls: 1, tokens: 30, costMicros: 5 },
      reserved: NONE,
    });
    const next = charge([holder], { amounts: { ...NONE, tokens: 70 } });
    assert.equal((await ledger!.reserve(next)).refused, null);
    await ledger!.settle({ ...next, spent: { tokens: 71 } });
    const refused = (await ledger!.reserve(charge([holder], { amounts: NONE }))).refused;
    assert.deepEqual([refused?.spent, refused?.wanted], [101, 0]);
  });

  test("release() gives all back, once, and the call may be reserved anew", async ({ ledgers: [ledger] }) => {
    const holder = run({ calls: 1 });
    const call = charge([holder]);
    await ledger!.reserve(call);
    assert.equal(await ledger!.release(call), true);
    assert.equal(await ledger!.release(call), false);
    assert.equal(await ledger!.settle({ ...call, spent: {} }), false);
    assert.equal(await ledger!.release({ orgId: "default", id: "never" }), false);
    assert.deepEqual(await ledger!.reserve(call), { refused: null, state: "reserved" });
    assert.equal((await ledger!.balance({ ...holder, orgId: "default" }))?.reserved.calls, 1);
  });

  test("raise() reserves up to an amount, or says what it does not fit", async ({ ledgers: [ledger] }) => {
    const holder = run({ tokens: 100 });
    const call = charge([holder]);
    await ledger!.reserve(call);
    assert.equal(await ledger!.raise({ ...call, upTo: { tokens: 80 } }), null);
    assert.equal(await ledger!.raise({ ...call, upTo: { tokens: 80 } }), null);
    const refused = await ledger!.raise({ ...call, upTo: { tokens: 101, costMicros: 1 } });
    assert.deepEqual([refused?.which, refused?.reserved, refused?.wanted], ["tokens", 80, 21]);
    const balance = await ledger!.balance({ ...holder, orgId: "default" });
    assert.deepEqual(balance?.reserved, { calls: 1, tokens: 80, costMicros: 0 });
    await ledger!.settle({ ...call, spent: { tokens: 3 } });
    assert.equal(await ledger!.raise({ ...call, upTo: { tokens: 1000 } }), null);
    assert.deepEqual((await ledger!.balance({ ...holder, orgId: "default" }))?.reserved, NONE);
  });

  test("setLimits() holds from then on, for holders of any kind", async ({ ledgers: [ledger] }) => {
    const key = { kind: "key", id: "k1" } as const;
    assert.equal(await ledger!.balance({ ...key, orgId: "default" }), null);
    await ledger!.setLimits({ ...key, orgId: "default", limits: { costMicros: 10 } });
    const call = charge([key], { amounts: { ...NONE, costMicros: 10 } });
    assert.equal((await ledger!.reserve(call)).refused, null);
    await ledger!.settle({ ...call, spent: {} });
    assert.equal(
      (await ledger!.reserve(charge([key], { amounts: { ...NONE, costMicros: 1 } }))).refused?.which,
      "costMicros",
    );
    const raised = await ledger!.setLimits({ ...key, orgId: "default", limits: { costMicros: 11 } });
    assert.deepEqual([raised.limits.costMicros, raised.spent.costMicros], [11, 10]);
    assert.equal((await ledger!.reserve(charge([key], { amounts: { ...NONE, costMicros: 1 } }))).refused, null);
  });

  test("keeps organizations apart", async ({ ledgers: [ledger] }) => {
    const holder = run({ calls: 1 });
    const call = charge([holder]);
    await ledger!.reserve(call);
    assert.equal(await ledger!.balance({ ...holder, orgId: "other" }), null);
    assert.equal(await ledger!.settle({ orgId: "other", id: call.id, spent: {} }), false);
    assert.deepEqual(await ledger!.reserve({ ...call, orgId: "other" }), { refused: null, state: "reserved" });
    assert.deepEqual((await ledger!.list({ orgId: "other", limit: 10 })).items.map(({ id }) => id), [holder.id]);
  });

  test("usage() sums what is settled, by group", async ({ ledgers: [ledger] }) => {
    const holder = run();
    const settled = charge([holder], { operationId: "llm.chat", amounts: { calls: 1, tokens: 50, costMicros: 9 } });
    await ledger!.reserve(settled);
    await ledger!.settle({ ...settled, spent: { tokens: 20 }, model: "openai/large" });
    await ledger!.settle({ ...settled, spent: { tokens: 99 }, model: "another" });
    await ledger!.reserve(charge([holder], { operationId: "llm.chat" }));
    const { holders: _holders, expiresAt: _expiresAt, ...counted } = charge([], {
      workflow: "other",
      amounts: { calls: 1, tokens: 4, costMicros: 0 },
    });
    await ledger!.record({ ...counted, model: "here/small" });
    await ledger!.record({ ...counted, model: "another" });
    const usage = (by: "workflow" | "operation" | "key" | "model") =>
      ledger!.usage({ orgId: "default", by, since: 0, limit: 10 });
    assert.deepEqual(await usage("workflow"), [
      { group: "demo", calls: 1, tokens: 20, costMicros: 9 },
      { group: "other", calls: 1, tokens: 4, costMicros: 0 },
    ]);
    assert.deepEqual((await usage("operation")).map(({ group }) => group), ["llm.chat", "core.echo"]);
    assert.deepEqual(await usage("key"), [{ group: "u1", calls: 2, tokens: 24, costMicros: 9 }]);
    assert.deepEqual(await usage("model"), [
      { group: "openai/large", calls: 1, tokens: 20, costMicros: 9 },
      { group: "here/small", calls: 1, tokens: 4, costMicros: 0 },
    ]);
    assert.deepEqual(await ledger!.usage({ orgId: "default", by: "key", since: Date.now() + 60_000, limit: 10 }), []);
  });

  test("list() pages through budgets, newest first", async ({ ledgers: [ledger] }) => {
    const holders = Array.from({ length: 5 }, () => run({ calls: 1 }));
    for (const holder of holders) await ledger!.reserve(charge([holder]));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<BudgetBook["list"]>> = await ledger!.list({
        orgId: "default",
        kind: "run",
        limit: 2,
        ...(cursor !== null && { cursor }),
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(seen.toSorted(), holders.map(({ id }) => id).toSorted());
    assert.deepEqual((await ledger!.list({ orgId: "default", kind: "org", limit: 2 })).items, []);
  });

  test("never passes a limit, whatever hubs do at once and wherever they crash (I7, L1, L3)", async ({ ledgers }) => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => play(ledgers, steps)), {
      numRuns: 25,
    });
  });
}

interface Step {
  /** Which of the tree's leaves works. */
  readonly leaf: number;
  readonly tokens: number;
  /** Share of the reserved tokens that is used. */
  readonly share: number;
  /** `crash`: nobody settles it. `again`: it is reserved twice, by two hubs. */
  readonly end: "settle" | "release" | "crash" | "again";
  readonly raise: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  leaf: fc.nat(5),
  tokens: fc.nat(40),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  end: fc.constantFrom("settle", "settle", "release", "crash", "again"),
  raise: fc.nat(20),
});

/** A tree of budgets two levels deep; all steps run at once, on any hub. */
async function play(ledgers: LedgerWorld["ledgers"], steps: readonly Step[]): Promise<void> {
  const root = run({ calls: 20, tokens: 300 });
  const middles = [run({ tokens: 200 }), run({ calls: 7 })];
  const leaves = Array.from({ length: 6 }, (_, i) => [run({ calls: 4, tokens: 90 }), middles[i % 2]!, root]);
  // Else the first batch to make them would hold up the others, and nothing would meet.
  for (const holder of new Set(leaves.flat())) {
    await ledgers[0]!.setLimits({ ...holder, orgId: "default", limits: holder.limits ?? {} });
  }
  const spent = new Map<string, Amounts>();
  const open = new Map<string, Amounts>();
  const note = (totals: Map<string, Amounts>, holders: readonly ChargedHolder[], amounts: Amounts) => {
    for (const { id } of holders) {
      const before = totals.get(id) ?? NONE;
      totals.set(id, { calls: before.calls + amounts.calls, tokens: before.tokens + amounts.tokens, costMicros: 0 });
    }
  };
  await Promise.all(steps.map(async ({ leaf, tokens, share, end, raise }, i) => {
    const ledger = ledgers[i % ledgers.length]!;
    const other = ledgers[(i + 1) % ledgers.length]!;
    const holders = leaves[leaf]!;
    const call = charge(holders, { amounts: { calls: 1, tokens, costMicros: 0 } });
    const [first, second] = await Promise.all([ledger.reserve(call), end === "again" ? other.reserve(call) : null]);
    if (first.refused !== null && (second === null || second.refused !== null)) return;
    let reserved = tokens;
    if (raise > 0 && await ledger.raise({ ...call, upTo: { tokens: tokens + raise } }) === null) reserved += raise;
    const used = Math.floor(reserved * share);
    if (end === "crash") return note(open, holders, { calls: 1, tokens: reserved, costMicros: 0 });
    if (end === "release") return void await ledger.release(call);
    const settled = await Promise.all([
      ledger.settle({ ...call, spent: { tokens: used } }),
      end === "again" ? other.settle({ ...call, spent: { tokens: used } }) : false,
    ]);
    assert.equal(settled.filter(Boolean).length, 1);
    note(spent, holders, { calls: 1, tokens: used, costMicros: 0 });
  }));
  for (const holder of new Set(leaves.flat())) {
    const balance = await ledgers[0]!.balance({ ...holder, orgId: "default" });
    assert.deepEqual(balance?.spent ?? NONE, spent.get(holder.id) ?? NONE, `spent of ${holder.id}`);
    assert.deepEqual(balance?.reserved ?? NONE, open.get(holder.id) ?? NONE, `reserved of ${holder.id}`);
    for (const which of ["calls", "tokens"] as const) {
      const limit = holder.limits?.[which] ?? Infinity;
      assert.ok((balance?.spent[which] ?? 0) + (balance?.reserved[which] ?? 0) <= limit, `${which} of ${holder.id}`);
    }
  }
}
