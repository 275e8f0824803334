import assert from "node:assert/strict";
import type { RunQuery } from "../runs/ports.ts";
import { COUNTS, RunScript, wholeRun } from "../../tests/conformance/fixtures.ts";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { createEventLog } from "./event_log.ts";
import { acquireLease } from "./lease.ts";
import { createRunStore } from "./run_store.ts";

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: createRunStore() shows what commits wrote, filtered and in pages`, async (t) => {
    const { db, drop } = await testDatabase(kind);
    const log = createEventLog(db, await acquireLease(db, { hubId: "a", ttlMs: 60_000 }));
    const store = createRunStore(db);
    const org = { identity: { id: "u", scopes: [] }, orgId: "org" };
    const done = wholeRun(1, { caller: org, labels: { team: "blue", zone: "one%" } });
    const failed = new RunScript().created({ caller: org, workflow: "other", labels: { team: "red" } });
    const running = new RunScript().created({ caller: org, workflow: "demo\u0000" });
    const paused = new RunScript().created({ caller: org }).add({ type: "run.paused", by: "u" });
    const parent = { runId: done.runId, requestId: crypto.randomUUID(), rootRunId: done.runId };
    const aborted = new RunScript().created({ caller: org, parent });
    const foreign = wholeRun(1);
    for (const run of [done, failed, running, paused, aborted, foreign]) await log.commit(run.events);
    failed.add({ type: "run.failed", error: { code: "BOOM", message: "x", nodeKey: null }, counts: COUNTS });
    aborted.add({ type: "run.aborted", reason: "no", by: "u", counts: COUNTS });
    await log.commit([failed.events[1]!, aborted.events[1]!]);

    const ids = async (query: Partial<RunQuery>) =>
      (await store.list({ orgId: "org", limit: 50, ...query })).items.map((run) => run.id).sort();
    const expect = async (query: Partial<RunQuery>, runs: readonly RunScript[]) =>
      assert.deepEqual(await ids(query), runs.map((run) => run.runId).sort(), JSON.stringify(query));
    await t.step("get() tells status, times and error", async () => {
      const record = await store.get({ orgId: "org", runId: failed.runId });
      assert.deepEqual(record, {
        id: failed.runId,
        orgId: "org",
        workflow: "other",
        version: "v1",
        planHash: "p1",
        status: "failed",
        priority: 0,
        labels: { team: "red" },
        parentRunId: null,
        rootRunId: failed.runId,
        createdAt: failed.events[0]!.at,
        completedAt: failed.events[1]!.at,
        errorCode: "BOOM",
      });
      assert.equal(await store.get({ orgId: "default", runId: failed.runId }), null);
      assert.equal((await store.get({ orgId: "org", runId: running.runId }))?.completedAt, null);
    });
    await t.step("list() filters", async () => {
      await expect({}, [done, failed, running, paused, aborted]);
      await expect({ orgId: "nobody" }, []);
      await expect({ workflow: "other" }, [failed]);
      await expect({ status: ["running"] }, [running]);
      await expect({ status: ["paused", "failed"] }, [paused, failed]);
      await expect({ status: ["completed", "aborted"] }, [done, aborted]);
      await expect({ status: ["failed"], workflow: "demo" }, []);
      await expect({ label: ["team"] }, [done, failed]);
      await expect({ label: ["team=blue"] }, [done]);
      await expect({ label: ["team=blue", "zone=two"] }, []);
      await expect({ parent: done.runId }, [aborted]);
      await expect({ parent: "no uuid" }, []);
      await expect({ since: done.events[0]!.at + 1 }, []);
      await expect({ until: done.events[0]!.at + 1 }, [done, failed, running, paused, aborted]);
      await expect({ q: "THE" }, [failed]);
      await expect({ q: "blu" }, [done]);
      await expect({ q: "e%" }, [done]);
      await expect({ q: running.runId }, [running]);
      await expect({ q: "nothing like it" }, []);
    });
    await t.step("list() pages without gap or repeat, though all were created in one millisecond", async () => {
      for (const filter of [{}, { status: ["failed", "aborted"] as const }, { label: ["team"] }]) {
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await store.list({ orgId: "org", limit: 1, ...filter, ...(cursor !== null && { cursor }) });
          seen.push(...page.items.map((run) => run.id));
          cursor = page.nextCursor;
        } while (cursor !== null);
        assert.deepEqual(seen.toSorted(), await ids(filter));
      }
      await assert.rejects(store.list({ orgId: "org", limit: 1, cursor: "?!" }), { code: "VALIDATION_ERROR" });
    });
    await t.step("findCall() and children()", async () => {
      const call = done.events[1]!;
      assert.ok(call.type === "call.requested");
      assert.deepEqual(await store.findCall({ orgId: "org", requestId: call.requestId }), { runId: done.runId });
      assert.deepEqual(await store.findCall({ orgId: "org", requestId: done.runId }), { runId: done.runId });
      assert.equal(await store.findCall({ orgId: "default", requestId: call.requestId }), null);
      const children = await store.children({ orgId: "org", runId: done.runId });
      assert.deepEqual(children.map((run) => run.id), [aborted.runId]);
    });
    await t.step("call_graph_nodes and _edges show every call once, odd strings or not", async () => {
      const request = crypto.randomUUID();
      const open = new RunScript().created({ caller: org }).requested("late", request, "\u0000");
      await log.commit(open.events);
      const late = "select status, attempt, parent_request_id from call_graph_nodes where request_id = $1";
      assert.deepEqual(await db.query(late, [request]), [
        { status: "running", attempt: 1, parent_request_id: open.runId },
      ]);
      await log.commit([open.failed("late", request).events.at(-1)!]);
      assert.deepEqual((await db.query<{ status: string }>(late, [request])).map((row) => row.status), ["failed"]);
      const nodes = await db.query<{ operation_id: string; input: unknown; output: unknown; status: string }>(
        "select operation_id, input, output, status from call_graph_nodes where run_id = $1 order by node_key nulls first",
        [done.runId],
      );
      assert.deepEqual(nodes, [
        { operation_id: "workflow.demo", input: { n: 1 }, output: { done: true }, status: "completed" },
        { operation_id: "core.echo", input: { value: 1 }, output: { value: 1 }, status: "completed" },
      ]);
      const edges = await db.query("select target_request_id from call_graph_edges where source_request_id = $1", [
        parent.requestId,
      ]);
      assert.deepEqual(edges, [{ target_request_id: aborted.runId }]);
    });
    await log.close();
    await drop();
  });
}
