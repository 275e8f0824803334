import assert from "node:assert/strict";
import {
  Conditional,
  defineWorkflow,
  inputRef,
  itemRef,
  Loop,
  Map,
  Operation,
  Signal,
  Sleep,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { createWorkflowTest, fail, replay, type RunHistory, sequence } from "./mod.ts";

interface Variant {
  readonly when?: string;
  readonly input?: number;
  readonly operation?: string;
  readonly attempts?: number;
  readonly nap?: string;
  readonly signal?: string;
  readonly more?: boolean;
  readonly turns?: string;
  readonly items?: string;
  readonly output?: string;
  readonly key?: string;
}

/** One of everything, each with a knob. */
function order(change: Variant = {}): WorkflowDefinition {
  return defineWorkflow({
    name: "order",
    template: (
      <>
        <Operation
          key={change.key ?? "price"}
          name={change.operation ?? "shop.price"}
          input={{ of: inputRef().id, vat: change.input ?? 19 }}
          retry={{ maxAttempts: change.attempts ?? 3, backoff: 1000 }}
        />
        <Map key="each" over={{ $ref: change.items ?? "input.items" }} as="item">
          <Operation key="pack" name="shop.pack" input={{ item: itemRef("item") }} />
        </Map>
        <Loop key="poll" while={change.turns ?? "nodes.state < 2"} maxIterations={5}>
          <Operation key="state" name="shop.state" />
        </Loop>
        <Sleep key="nap" ms={change.nap ?? "1h"} />
        <Signal key="paid" name={change.signal ?? "paid"} timeout="1d" />
        <Conditional
          key="big"
          when={change.when ?? "nodes.paid.cents > 100"}
          else={<Operation key="small" name="core.echo" input={{ value: 1 }} />}
        >
          <Operation key="large" name="core.echo" input={{ value: 2 }} />
        </Conditional>
        {change.more && <Operation key="extra" name="core.echo" input={{ value: 3 }} />}
      </>
    ),
    result: { $ref: change.output ?? "nodes.paid" },
  });
}

async function recorded(): Promise<RunHistory> {
  let polls = 0;
  const t = createWorkflowTest({
    operations: {
      "shop.price": sequence(fail("BUSY"), 7),
      "shop.pack": ({ item }) => item,
      "shop.state": () => ++polls,
    },
    random: () => 0.37,
    crashes: [{ after: "map.expanded" }],
  });
  const run = await t.run(order(), { id: 1, items: ["a", "b"], others: ["a"] });
  await run.advance("2h");
  await run.signal("paid", { cents: 500 });
  assert.deepEqual([run.status, t.unreached], ["completed", []]);
  return JSON.parse(JSON.stringify(run.history()));
}

Deno.test("replay() finds a history the same on the template that wrote it, finished, failed or still under way", async () => {
  const history = await recorded();
  assert.deepEqual(replay(order(), history), { same: true, divergences: [] });
  for (let length = 1; length < history.events.length; length++) {
    const part = { ...history, events: history.events.slice(0, length) };
    assert.deepEqual(replay(order(), part).divergences, [], `the first ${length} events`);
  }
  const t = createWorkflowTest({ operations: { "shop.price": fail("BUSY") } });
  const failed = await (await t.run(order(), { id: 1, items: [] })).finish();
  assert.equal(failed.status, "failed");
  assert.deepEqual(t.replay(order(), failed.history()).divergences, []);
});

Deno.test("replay() tells where a changed template parts with a history", async () => {
  const history = await recorded();
  const cases: readonly (readonly [Variant, string, string | null, RegExp])[] = [
    [{ operation: "shop.cost" }, "call.requested", "price", /"price" calls another operation now/],
    [{ input: 7 }, "call.requested", "price", /"price" is given another input now/],
    [{ key: "cost" }, "call.requested", "price", /There is no node "price" now/],
    [{ attempts: 1 }, "call.error", "price", /"price" is not tried again after attempt 1 now \(BUSY\)/],
    [{ items: "input.others" }, "map.expanded", "each", /"each" is decided otherwise now/],
    [{ turns: "false" }, "loop.turned", "poll", /"poll" is decided otherwise now/],
    [{ nap: "2h" }, "timer.set", "nap", /"nap" sleeps until another time now/],
    [{ signal: "payed" }, "signal.awaited", "paid", /"paid" waits for something else now/],
    [{ when: "nodes.paid.cents > 1000" }, "branch.taken", "big", /"big" is decided otherwise now/],
    [{ more: true }, "run.completed", "extra", /The run ended here, and now goes on with "extra"/],
    [{ output: "nodes.each" }, "run.completed", null, /The run has another output now/],
  ];
  for (const [change, type, key, message] of cases) {
    const { same, divergences } = replay(order(change), history);
    const [first] = divergences;
    assert.equal(same, false, JSON.stringify(change));
    assert.deepEqual([first?.type, first?.key], [type, key], JSON.stringify(change));
    assert.match(first?.message ?? "", message);
    assert.equal(history.events[(first?.seq ?? 0) - 1]?.type, type);
  }
  const input = replay(order({ input: 7 }), history).divergences[0];
  assert.deepEqual([input?.recorded, input?.present], [{ of: 1, vat: 19 }, { of: 1, vat: 7 }]);
});

Deno.test("replay() lets a node be added before what has not been reached, and refuses what is no history", async () => {
  const history = await recorded();
  const upTo = history.events.findIndex(({ type }) => type === "signal.awaited");
  const live = { ...history, events: history.events.slice(0, upTo + 1) };
  assert.equal(replay(order({ more: true, when: "true", output: "nodes.extra" }), live).same, true);
  assert.throws(() => replay(order(), { ...history, events: [] }), /"events" must begin with "run\.created"/);
  assert.throws(() => replay(order(), { events: history.events.slice(1) }), /"events\[0\]" is no event with seq 1/);
  assert.throws(() => replay(order(), { events: [{}] }), /"events\[0\]" is no event/);
  const strict = defineWorkflow({
    name: "order",
    template: () => {
      throw new Error("no");
    },
  });
  assert.match(replay(strict, history).divergences[0]?.message ?? "", /refuses this input now/);
});
