import assert from "node:assert/strict";
import {
  Approval,
  Conditional,
  defineWorkflow,
  inputRef,
  itemRef,
  Loop,
  Map,
  Operation,
  Parallel,
  Race,
  ref,
  Signal,
  Sleep,
  type Template,
  Workflow,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
import { after, createWorkflowTest, fail, lost, never, returns, sequence, twice } from "./mod.ts";

function workflow(template: Template, name = "w"): WorkflowDefinition {
  return defineWorkflow({ name, template });
}

const charge = workflow(
  <>
    <Operation
      key="charge"
      name="pay.charge"
      input={{ cents: inputRef().cents }}
      retry={{ maxAttempts: 3, backoff: 60_000, jitter: 0 }}
    />
    <Operation key="receipt" name="core.echo" input={{ value: ref("charge").id }} />
  </>,
  "charge",
);

Deno.test("createWorkflowTest() runs a template with mocks and built-ins, and shows what was called", async () => {
  const t = createWorkflowTest({ operations: { "pay.charge": ({ cents }) => ({ id: `c${cents}` }) } });
  const run = await t.run(charge, { cents: 5 });
  assert.equal(run.status, "completed");
  assert.deepEqual(run.output, { value: "c5" });
  assert.deepEqual(run.calls("pay.charge").map(({ nodeKey, attempt, input }) => [nodeKey, attempt, input]), [[
    "charge",
    1,
    { cents: 5 },
  ]]);
  assert.equal(run.node("charge").attempts, 1);
  assert.deepEqual(run.node("receipt").input, { value: "c5" });
  assert.throws(() => run.node("reciept"), /has no node "reciept": did you mean "receipt"\?/);
});

Deno.test("WorkflowRun.advance() fires retries in virtual time, and finish() the rest", async () => {
  const t = createWorkflowTest({
    operations: { "pay.charge": sequence(fail("BUSY"), fail("BUSY", "still", { queue: 3 }), returns({ id: 1 })) },
  });
  const start = t.now;
  const run = await t.run(charge, { cents: 5 });
  assert.equal(run.status, "running");
  assert.deepEqual([run.node("charge").status, run.node("charge").error?.code], ["waiting", "BUSY"]);
  assert.equal(run.node("charge").dueAt, start + 60_000);
  await run.advance("59s");
  assert.equal(run.calls("pay.charge").length, 1);
  await run.advance("1s");
  assert.equal(run.calls("pay.charge").length, 2);
  assert.deepEqual(run.node("charge").error?.details, { queue: 3 });
  await run.finish();
  assert.deepEqual([run.status, run.node("charge").attempts, t.now - start], ["completed", 3, 120_000]);
  assert.deepEqual(run.calls("pay.charge").map(({ at }) => at - start), [0, 60_000, 120_000]);
});

Deno.test("time-outs, sleeps and latencies take no real time", async () => {
  const t = createWorkflowTest({
    operations: {
      "slow.one": after("2h", returns("slow")),
      "hung.one": never(),
      "core.http": after("10m", returns("page")),
    },
  });
  const run = await t.run(workflow(
    <>
      <Sleep ms="7d" />
      <Parallel>
        <Operation key="slow" name="slow.one" timeout="1h" />
        <Operation key="hung" name="hung.one" timeout="30m" />
        <Operation key="nap" name="core.sleep" input={{ ms: 5_000 }} />
        <Race key="race">
          <Operation key="page" name="core.http" />
          <Operation key="slower" name="slow.one" />
        </Race>
      </Parallel>
    </>,
  ));
  const began = performance.now();
  await run.finish();
  assert.ok(performance.now() - began < 900, "no patience was needed");
  assert.equal(run.status, "failed");
  assert.deepEqual([run.node("slow").error?.code, run.node("hung").error?.code], ["TIMEOUT", "TIMEOUT"]);
  assert.deepEqual([run.node("nap").output, run.node("page").output, run.node("slower").status], [
    { ms: 5000 },
    "page",
    "aborted",
  ]);
  assert.equal(t.now - Date.parse("2024-01-01T00:00:00Z"), 7 * 86_400_000 + 3_600_000);
});

Deno.test("signals and approvals are answered, or time out", async () => {
  const template = workflow(
    <>
      <Signal key="go" name="start" />
      <Approval key="ok" question={{ text: "Ship?", of: ref("go").what }} timeout="1d" />
      <Conditional when="nodes.ok.yes">
        <Operation name="core.echo" input={{ value: "shipped" }} />
      </Conditional>
    </>,
  );
  const t = createWorkflowTest();
  const run = await t.run(template);
  await assert.rejects(() => run.finish(), /does not end by itself \(running\): signal "start"/);
  assert.deepEqual(run.waiting.map(({ key, name, due }) => [key, name, due]), [["go", "start", null]]);
  await assert.rejects(
    () => run.signal("strat"),
    /Cannot answer "strat" of run run-1 \(unknown\): it waits for "start"/,
  );
  await run.signal("start", { what: "v2" });
  assert.deepEqual(run.waiting.map(({ question }) => question), [{ text: "Ship?", of: "v2" }]);
  await run.signal("ok", { yes: true });
  assert.deepEqual([run.status, run.node("core_echo").output], ["completed", { value: "shipped" }]);
  const late = await t.run(template);
  await late.signal("start");
  await late.advance("1d");
  assert.deepEqual([late.status, late.error?.code, late.error?.nodeKey], ["failed", "TIMEOUT", "ok"]);
});

Deno.test("inputs are checked: the run's, and those of operations that have schemas", async () => {
  const typed = defineWorkflow({
    name: "typed",
    input: Type.Object({ n: Type.Integer(), unit: Type.String({ default: "m" }) }),
    template: <Operation key="a" name="x.y" input={{ n: inputRef().n, unit: inputRef().unit }} />,
  });
  const seen: unknown[] = [];
  const operations = { "x.y": (input: unknown) => seen.push(input) };
  const t = createWorkflowTest({
    operations,
    schemas: { "x.y": { inputSchema: Type.Object({ n: Type.Integer({ minimum: 3 }) }) } },
  });
  await assert.rejects(() => t.run(typed, { n: "x" }), { code: "VALIDATION_ERROR" });
  assert.equal((await t.run(typed, { n: 3 })).status, "completed");
  assert.deepEqual(seen, [{ n: 3, unit: "m" }]);
  const refused = await t.run(typed, { n: 2 });
  assert.equal(refused.error?.code, "VALIDATION_ERROR");
  assert.throws(() => createWorkflowTest({ schemas: { "x.z": {} } }), /names "x\.z", which "operations" does not mock/);
  const unknown = await createWorkflowTest().run(typed, { n: 3 });
  assert.match(unknown.error?.message ?? "", /There is no operation "x\.y" in this test: give a mock in "operations"/);
});

Deno.test("real operations are called as they are, unless they are mocked", async () => {
  const real = {
    namespace: "x",
    name: "double",
    version: "1.0.0",
    type: "query" as const,
    description: "",
    accessControl: { requiredScopes: [] },
    inputSchema: Type.Object({ n: Type.Number() }),
    outputSchema: Type.Number(),
    handler: (input: unknown) => Reflect.get(Object(input), "n") * 2,
  };
  const template = workflow(<Operation name="x.double" input={{ n: inputRef().n }} />);
  const t = createWorkflowTest({ registrations: [real] });
  assert.equal((await t.run(template, { n: 4 })).output, 8);
  const mocked = createWorkflowTest({ registrations: [real], operations: { "x.double": returns(1) } });
  assert.equal((await mocked.run(template, { n: 4 })).output, 1);
  assert.equal((await mocked.run(template, { n: "x" })).error?.code, "VALIDATION_ERROR");
});

Deno.test("a handler that works in real time is waited for", async () => {
  const t = createWorkflowTest({
    operations: { "real.io": () => new Promise((resolve) => setTimeout(resolve, 50, "done")) },
  });
  const run = await t.run(workflow(<Operation name="real.io" timeout="10ms" />));
  assert.deepEqual([run.status, run.output], ["completed", "done"]);
});

Deno.test("child workflows run, with their parents' virtual time, or are mocked", async () => {
  const child = defineWorkflow({
    name: "child",
    input: Type.Object({ n: Type.Integer() }),
    template: (
      <>
        <Sleep ms="1h" />
        <Operation key="sum" name="core.eval" input={{ expression: "n + 1", vars: { n: inputRef().n } }} />
      </>
    ),
  });
  const parent = workflow(
    <>
      <Workflow key="kid" name="child" input={{ n: 41 }} />
      <Operation key="out" name="core.echo" input={{ value: ref("kid").value }} />
    </>,
    "parent",
  );
  const t = createWorkflowTest({ workflows: [child] });
  const run = await t.run(parent);
  assert.equal(run.child("kid").status, "running");
  await t.crash();
  await run.finish();
  assert.deepEqual([run.output, run.child("kid").output, t.crashes], [{ value: 42 }, { value: 42 }, 1]);
  const mocked = createWorkflowTest({ operations: { "workflow.child": returns({ value: 7 }) } });
  assert.deepEqual((await mocked.run(parent)).output, { value: 7 });
  assert.match(
    (await createWorkflowTest().run(parent)).error?.message ?? "",
    /give it in "workflows", or mock "workflow\.child"/,
  );
});

Deno.test("a crash at each event of a run changes nothing of its result, and repeats no recorded call", async () => {
  const template = workflow(
    <>
      <Map key="each" over={inputRef().items} as="item">
        <Operation key="work" name="x.work" input={{ item: itemRef("item") }} />
      </Map>
      <Loop key="poll" while="nodes.poll_once < 2" maxIterations={5} as="turn">
        <Operation key="poll_once" name="x.poll" />
      </Loop>
      <Sleep key="nap" ms="1h" />
      <Operation key="last" name="x.last" input={{ all: ref("work"), polls: ref("poll_once") }} />
    </>,
  );
  const operations = () => {
    let polls = 0;
    return {
      "x.work": ({ item }: { item: number }) => item * 2,
      "x.poll": () => ++polls,
      "x.last": (input: unknown) => input,
    };
  };
  const plain = createWorkflowTest({ operations: operations() });
  const calm = await (await plain.run(template, { items: [1, 2, 3] })).finish();
  assert.deepEqual(calm.output, { all: [2, 4, 6], polls: [1, 2] });
  const types = [...new Set(calm.events.map(({ type }) => type))];
  assert.ok(types.length >= 8, types.join());
  for (const type of types) {
    for (const when of ["before", "after"] as const) {
      // A poll that is sent again counts twice, as the outside world would: at least once.
      const t = createWorkflowTest({
        operations: { ...operations(), "x.poll": (_input, call) => Number(call.nodeKey.at(-2)) + 1 },
        crashes: [{ [when]: type }],
      });
      const run = await (await t.run(template, { items: [1, 2, 3] })).finish();
      assert.deepEqual([run.status, run.output], [calm.status, calm.output], `${when} ${type}`);
      assert.deepEqual([t.crashes, t.unreached], [1, []], `${when} ${type}`);
      const ids = run.calls().map(({ requestId }) => requestId);
      assert.ok(new Set(ids).size === 6 && ids.length <= 6 + 3, `${when} ${type}: ${ids}`);
    }
  }
});

Deno.test("an answer that is lost comes after a crash or a time-out; one delivered twice counts once", async () => {
  const charged: string[] = [];
  const template = workflow(
    <Operation key="charge" name="pay.charge" timeout="1m" retry={{ maxAttempts: 2, backoff: 0 }} />,
  );
  const mock = lost((_input, { requestId }) => charged.push(requestId));
  const t = createWorkflowTest({ operations: { "pay.charge": mock } });
  const run = await t.run(template);
  assert.deepEqual([run.status, charged.length], ["running", 1]);
  await t.crash();
  assert.deepEqual([run.status, new Set(charged).size, charged.length], ["completed", 1, 2], "the same call again");
  const late = createWorkflowTest({ operations: { "pay.charge": lost(returns("ok")) } });
  const waits = await late.run(template);
  await waits.finish();
  assert.deepEqual([waits.output, waits.node("charge").attempts], ["ok", 2]);
  let deliveries = 0;
  const double = createWorkflowTest({ operations: { "pay.charge": twice(() => ++deliveries) } });
  assert.deepEqual([(await double.run(template)).output, deliveries], [2, 2]);
});

Deno.test("pause holds back what has not started, abort ends the run", async () => {
  const t = createWorkflowTest();
  const run = await t.run(workflow(
    <>
      <Sleep key="nap" ms="1h" />
      <Operation key="a" name="core.echo" input={{ value: 1 }} />
    </>,
  ));
  await run.pause();
  await run.advance("2h");
  assert.deepEqual([run.status, run.node("nap").status, run.node("a").status], ["paused", "completed", "ready"]);
  await run.resume();
  assert.equal(run.status, "completed");
  const other = await t.run(workflow(<Signal name="never" />));
  await other.abort("enough");
  assert.equal(other.status, "aborted");
});
