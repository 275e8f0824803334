import assert from "node:assert/strict";
import { hasCode, placeIn, request, settled, THREE, world } from "./_test_world.ts";
import type { SpawnInput } from "./requests.ts";

Deno.test("wait() ends with all, any or n, gives what was said, and goes on after a restart", async () => {
  const it = world();
  const { sessions, clock } = it;
  const lead = sessions.lead();
  const { spawned } = await it.coordination.spawn(request(placeIn(lead), { ...THREE, workspace: { spoke: "dev-1" } }));
  const ids = spawned.map(({ sessionId }) => sessionId ?? "");
  const wait = (until: "all" | "any" | number, timeoutMs = 60_000) =>
    it.coordination.wait(request(placeIn(lead), { until, timeoutMs }));
  const any = wait("any");
  const killed = wait("all");
  killed.catch(() => {});
  sessions.end(ids[1] ?? "", "idle", "Docs are written");
  await it.pass(2_000);
  const first = await any;
  assert.deepEqual([first.done, first.ended], [true, 1]);
  assert.deepEqual(first.sessions.map(({ task, status, result }) => [task, status, result]), [
    ["Fix the login", "active", null],
    ["Write docs", "completed", "Docs are written"],
    ["Test", "active", null],
  ]);
  const { at: _at, ...rest } = await wait(2, 0);
  const { at: _then, ...before } = first;
  assert.deepEqual(rest, { ...before, done: false });
  it.restart();
  const all = wait("all");
  sessions.end(ids[0] ?? "", "failed", "No provider");
  await it.pass(2_000);
  assert.equal((await wait(2)).done, true);
  sessions.end(ids[2] ?? "", "stopped");
  await it.pass(2_000);
  const { sessions: ended } = await all;
  assert.deepEqual(ended.map(({ status, error }) => [status, error?.code ?? null]), [
    ["failed", "PROVIDER_FAILED"],
    ["completed", null],
    ["aborted", "ABORTED"],
  ]);
  assert.equal(clock.now() > 1_000_000, true);
});

Deno.test("wait() rejects when nobody waits any more, and with what is not there", async () => {
  const { coordination, sessions } = world();
  const lead = sessions.lead();
  await coordination.spawn(request(placeIn(lead), { tasks: [{ task: "a" }] }));
  const leave = new AbortController();
  const waiting = coordination.wait(request(placeIn(lead), {}, leave.signal));
  leave.abort();
  await assert.rejects(waiting, hasCode("ABORTED"));
  await assert.rejects(coordination.wait(request(placeIn(lead), { ids: ["none"] })), hasCode("MAPPING_NOT_FOUND"));
  // Those of others are as good as none.
  const other = placeIn(sessions.lead());
  const { spawned: [mine] } = await coordination.spawn(request(placeIn(lead), { tasks: [{ task: "b" }] }));
  await assert.rejects(coordination.wait(request(other, { ids: [mine?.id ?? ""] })), hasCode("MAPPING_NOT_FOUND"));
  const stranger = placeIn(null, { caller: { identity: { id: "x", scopes: ["*"] }, orgId: "b" }, parent: null });
  await assert.rejects(coordination.wait(request(stranger, { ids: [mine?.id ?? ""] })), hasCode("MAPPING_NOT_FOUND"));
});

Deno.test("message() reaches the session, also one that is not made yet, and sets one that has ended to work", async () => {
  const it = world();
  const { sessions, worktrees } = it;
  const lead = sessions.lead();
  worktrees.connected.delete("dev-1");
  const tasks = [{ task: "a", spoke: "dev-1" }];
  const { spawned: [one] } = await it.coordination.spawn(request(placeIn(lead), { tasks, workspace: {} }));
  const id = one?.id ?? "";
  const queued = await it.coordination.message(request(placeIn(lead), { id, message: "First" }));
  assert.equal(queued.outcome, "queued");
  worktrees.connected.add("dev-1");
  await it.pass(12_000);
  const sessionId = sessions.ids.at(-1) ?? "";
  assert.deepEqual(sessions.said(sessionId).slice(1), ["First"]);
  const place = placeIn(lead);
  const said = await it.coordination.message(request(place, { sessionId, message: "Second" }));
  assert.equal(said.outcome, "delivered");
  assert.deepEqual(await it.coordination.message(request(place, { sessionId, message: "Second" })), said);
  assert.deepEqual(sessions.said(sessionId).slice(1), ["First", "Second"]);
  sessions.end(sessionId, "idle", "Done");
  const { sessions: [ended] } = await it.coordination.wait(request(placeIn(lead), {}));
  assert.deepEqual([ended?.status, ended?.round], ["completed", 1]);
  await it.coordination.message(request(placeIn(lead), { sessionId, message: "Once more" }));
  const { sessions: [again] } = await it.coordination.wait(request(placeIn(lead), { timeoutMs: 0 }));
  assert.deepEqual([again?.status, again?.round, again?.result], ["active", 2, null]);
});

Deno.test("message() lends nobody the rights of a session", async () => {
  const { coordination, sessions } = world();
  const lead = sessions.lead();
  const { spawned: [one] } = await coordination.spawn(request(placeIn(lead), { tasks: [{ task: "a" }] }));
  const weak = { identity: { id: "weak", scopes: ["coord:write"] }, orgId: "a" };
  const place = placeIn(null, { caller: weak, parent: null, key: null });
  await assert.rejects(
    coordination.message(request(place, { id: one?.id ?? "", message: "Give me the secrets" })),
    hasCode("ACCESS_DENIED"),
  );
  assert.equal(sessions.said(one?.sessionId ?? "").length, 1);
});

Deno.test("message() that a crash comes into is delivered once", async () => {
  const it = world();
  const { sessions } = it;
  const lead = sessions.lead();
  const { spawned: [one] } = await it.coordination.spawn(request(placeIn(lead), { tasks: [{ task: "a" }] }));
  const sessionId = one?.sessionId ?? "";
  const real = sessions.prompt.bind(sessions);
  sessions.prompt = async (params) => {
    await real(params);
    return await new Promise(() => {});
  };
  void it.coordination.message(request(placeIn(lead), { sessionId, message: "Hear" }));
  await settled();
  sessions.prompt = real;
  it.restart();
  await it.pass(40_000);
  assert.deepEqual(sessions.said(sessionId).slice(1), ["Hear"]);
  const [notice] = await it.store.notices({ orgId: "a", limit: 5 });
  assert.ok(notice?.deliveredAt);
});

Deno.test("notify() tells the parent, and a blocking one waits for its answer", async () => {
  const { coordination, sessions, store, questions } = world();
  const lead = sessions.lead();
  const { spawned: [one] } = await coordination.spawn(request(placeIn(lead), { tasks: [{ task: "a" }] }));
  const child = one?.sessionId ?? "";
  await coordination.notify(request(placeIn(child), { message: "Half done" }));
  await coordination.notify(request(placeIn(child), { message: "Odd", level: "warning" }));
  assert.deepEqual(sessions.said(lead).map((text) => text.split("\n")[0]), ["[a] Half done", "[a] Warning: Odd"]);
  const place = placeIn(child);
  const asked = coordination.notify(request(place, { message: "Which one?", level: "blocking" }));
  await settled();
  const { sessions: [report] } = await coordination.status(request(placeIn(lead), {}));
  assert.equal(report?.blockedBy?.text, "Which one?");
  assert.match(sessions.said(lead)[2] ?? "", /^\[a\] BLOCKING/);
  const answered = await coordination.message(request(placeIn(lead), { sessionId: child, message: "The first" }));
  assert.equal(answered.outcome, "answered");
  assert.deepEqual((await asked).answer, { text: "The first" });
  // A replay after a crash finds the same question, which has its answer.
  assert.deepEqual(
    (await coordination.notify(request(place, { message: "Which one?", level: "blocking" }))).answer,
    { text: "The first" },
  );
  assert.equal(questions.size, 1);
  assert.equal(sessions.said(lead).length, 3);
  assert.deepEqual(await store.notices({ orgId: "a", open: true, limit: 5 }), []);
  await assert.rejects(coordination.notify(request(placeIn(lead), { message: "x" })), hasCode("NOT_COORDINATED"));
  const person = placeIn(null, { parent: null, key: null });
  await assert.rejects(coordination.notify(request(person, { message: "x" })), hasCode("NOT_COORDINATED"));
  await assert.rejects(
    coordination.notify(request(placeIn(lead), { message: "x", sessionId: child })),
    hasCode("ACCESS_DENIED"),
  );
});

Deno.test("abort() ends all that is below, stops sessions, and removes worktrees where nothing is lost", async () => {
  const it = world();
  const { coordination, sessions, worktrees, store } = it;
  const lead = sessions.lead();
  const input: SpawnInput = { tasks: [{ task: "a" }, { task: "b" }], workspace: { spoke: "dev-1" } };
  const { spawned: [a, b] } = await coordination.spawn(request(placeIn(lead), input));
  const { spawned: [below] } = await coordination.spawn(
    request(placeIn(a?.sessionId ?? ""), { tasks: [{ task: "c" }], workspace: { spoke: "dev-1" } }),
  );
  worktrees.change({ spoke: "dev-1", directory: below?.directory ?? "" });
  const { aborted } = await coordination.abort(request(placeIn(lead), { ids: [a?.id ?? ""], reason: "Enough" }));
  assert.deepEqual(aborted.map(({ task, status, worktree }) => [task, status, worktree]), [
    ["a", "aborted", "removed"],
    ["c", "aborted", "kept"],
  ]);
  for (const one of [a, below]) {
    assert.equal((await sessions.state({ orgId: "a", sessionId: one?.sessionId ?? "" }))?.status, "stopped");
  }
  assert.deepEqual(worktrees.directories("dev-1"), [below?.directory, b?.directory].sort());
  const { aborted: again } = await coordination.abort(request(placeIn(lead), { ids: [a?.id ?? ""] }));
  assert.equal(again[0]?.status, "aborted");
  assert.deepEqual((await store.get({ orgId: "a", id: a?.id ?? "" }))?.error, { code: "ABORTED", message: "Enough" });
  await assert.rejects(
    coordination.message(request(placeIn(lead), { id: a?.id ?? "", message: "x" })),
    hasCode("MAPPING_ENDED"),
  );
  await assert.rejects(
    coordination.spawn(request(placeIn(a?.sessionId ?? ""), { tasks: [{ task: "d" }] })),
    hasCode("MAPPING_ENDED"),
  );
});

Deno.test("abort() of one that has completed removes its worktree, and leaves what came of it", async () => {
  const { coordination, sessions, worktrees } = world();
  const lead = sessions.lead();
  const input = { tasks: [{ task: "a" }], workspace: { spoke: "dev-1" } };
  const { spawned: [a] } = await coordination.spawn(request(placeIn(lead), input));
  sessions.end(a?.sessionId ?? "", "idle", "Done");
  await coordination.wait(request(placeIn(lead), {}));
  assert.equal(worktrees.directories("dev-1").length, 1);
  const { aborted } = await coordination.abort(request(placeIn(lead), { remove: "clean" }));
  assert.deepEqual(aborted.map(({ status, worktree }) => [status, worktree]), [["completed", "removed"]]);
  assert.deepEqual(worktrees.directories("dev-1"), []);
});

Deno.test("sweep() removes what was left while a spoke was away", async () => {
  const it = world();
  const { sessions, worktrees } = it;
  const lead = sessions.lead();
  const input = { tasks: [{ task: "a" }], workspace: { spoke: "dev-1" } };
  await it.coordination.spawn(request(placeIn(lead), input));
  worktrees.connected.delete("dev-1");
  const { aborted } = await it.coordination.abort(request(placeIn(lead), {}));
  assert.deepEqual(aborted.map(({ status, worktree }) => [status, worktree]), [["aborted", "present"]]);
  it.restart();
  await it.pass(20_000);
  worktrees.connected.add("dev-1");
  assert.equal(worktrees.directories("dev-1").length, 1);
  await it.pass(30_000);
  assert.equal(worktrees.directories("dev-1").length, 0);
});

Deno.test("sweep() ends orphans: what is below a session that was stopped, or is gone", async () => {
  for (const way of ["stopped", "gone"] as const) {
    const it = world();
    const { sessions, worktrees } = it;
    const lead = sessions.lead();
    const input = { tasks: [{ task: "a" }, { task: "b" }], workspace: { spoke: "dev-1" } };
    const { spawned } = await it.coordination.spawn(request(placeIn(lead), input));
    const below = await it.coordination.spawn(request(placeIn(spawned[0]?.sessionId ?? ""), input));
    await it.pass(10_000);
    assert.equal(worktrees.directories("dev-1").length, 4);
    if (way === "gone") sessions.forget(lead);
    else sessions.end(lead, "stopped");
    await it.pass(10_000);
    const all = await it.store.list({ orgId: "a", limit: 10 });
    assert.deepEqual(all.map(({ status }) => status), Array(4).fill("aborted"), way);
    for (const { sessionId } of [...spawned, ...below.spawned]) {
      assert.equal((await sessions.state({ orgId: "a", sessionId: sessionId ?? "" }))?.status, "stopped");
    }
    assert.equal(worktrees.directories("dev-1").length, 0, way);
    assert.ok(all.every(({ dueAt }) => dueAt === null));
  }
});

Deno.test("sweep() ends what an aborted run has spawned", async () => {
  const it = world();
  const { sessions, aborted } = it;
  const place = placeIn(null, { parent: { runId: "board", requestId: "request", rootRunId: "board" } });
  const { spawned: [one] } = await it.coordination.spawn(request(place, { tasks: [{ task: "a" }] }));
  await it.pass(10_000);
  const stateOf = async () => (await sessions.state({ orgId: "a", sessionId: one?.sessionId ?? "" }))?.status;
  assert.equal(await stateOf(), "busy");
  aborted.add("board");
  await it.pass(5_000);
  assert.equal(await stateOf(), "stopped");
});

Deno.test("sweep() records each anomaly once and tells the parent, and does nothing else", async () => {
  const it = world();
  const { sessions, store } = it;
  const lead = sessions.lead();
  const { spawned: [a] } = await it.coordination.spawn(request(placeIn(lead), { tasks: [{ task: "a" }] }));
  const child = a?.sessionId ?? "";
  sessions.set(child, {}, { malformedCalls: 1 });
  await it.pass(29_000);
  assert.equal((await store.detections({ orgId: "a", limit: 10 })).length, 0);
  await it.pass(64_000);
  const found = await store.detections({ orgId: "a", limit: 10 });
  assert.deepEqual(found.map(({ type }) => type).sort(), ["MODEL_DEGRADATION", "SESSION_STALL"]);
  assert.equal(sessions.said(lead).length, 2);
  it.restart();
  await it.pass(120_000);
  assert.equal((await store.detections({ orgId: "a", limit: 10 })).length, 2);
  assert.equal(sessions.said(lead).length, 2);
  assert.match(sessions.said(lead)[0] ?? "", /The hub has noticed: MODEL_DEGRADATION \(high\)/);
  assert.equal((await sessions.state({ orgId: "a", sessionId: child }))?.status, "busy");
  assert.deepEqual(sessions.said(child).length, 1);
  const { anomalies } = await it.coordination.detect(request(placeIn(lead), {}));
  assert.deepEqual(anomalies.map(({ type, isNew }) => [type, isNew]), [
    ["MODEL_DEGRADATION", false],
    ["SESSION_STALL", false],
  ]);
});

Deno.test("status() pages through, and tells only of what is the caller's", async () => {
  const { coordination, sessions } = world();
  const lead = sessions.lead();
  const tasks = ["a", "b", "c"].map((task) => ({ task }));
  const { spawned } = await coordination.spawn(request(placeIn(lead), { tasks }));
  const first = await coordination.status(request(placeIn(lead), { limit: 2 }));
  assert.deepEqual(first.sessions.map(({ task, state }) => [task, state]), [["c", "busy"], ["b", "busy"]]);
  const rest = await coordination.status(request(placeIn(lead), { limit: 2, after: first.after ?? "" }));
  assert.deepEqual([rest.sessions.map(({ task }) => task), rest.after], [["a"], null]);
  const other = sessions.lead();
  assert.deepEqual((await coordination.status(request(placeIn(other), {}))).sessions, []);
  assert.deepEqual(
    (await coordination.status(request(placeIn(other), { parentSessionId: lead }))).sessions,
    [],
  );
  const person = placeIn(null, { parent: null, key: null });
  assert.equal((await coordination.status(request(person, {}))).sessions.length, 3);
  assert.equal(spawned.length, 3);
});
