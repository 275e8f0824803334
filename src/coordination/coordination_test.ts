import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { placeIn, request, settled, world } from "./_test_world.ts";
import type { SpawnInput } from "./requests.ts";

const hasCode = (code: string, details: Record<string, unknown> = {}) => (error: unknown): boolean => {
  assert.ok(error instanceof CallError, `wanted a CallError, got ${error}`);
  assert.equal(error.code, code);
  const given = error.details as Record<string, unknown>;
  for (const [name, value] of Object.entries(details)) assert.equal(given[name], value);
  return true;
};
const THREE: SpawnInput = {
  tasks: [{ task: "Fix the login" }, { task: "Write docs", prompt: "Write them" }, { task: "Test" }],
  prompt: "Please do: {{task}}",
  workspace: {},
};

Deno.test("spawn() makes a worktree and a session for each task, and the same again for the same call", async () => {
  const { coordination, sessions, worktrees, audited } = world();
  const lead = sessions.lead();
  const place = placeIn(lead);
  const { spawned } = await coordination.spawn(request(place, THREE));
  assert.equal(sessions.ids.length, 4);
  assert.deepEqual(spawned.map(({ status, depth, error }) => [status, depth, error]), [
    ["active", 1, null],
    ["active", 1, null],
    ["active", 1, null],
  ]);
  assert.match(spawned[0]?.branch ?? "", /^wt\/fix-the-login-[0-9a-f]{8}$/);
  assert.match(spawned[0]?.directory ?? "", /^\.worktrees\/wt-fix-the-login-[0-9a-f]{8}$/);
  const made = [...worktrees.directories("dev-1"), ...worktrees.directories("dev-2")];
  assert.deepEqual(made.sort(), spawned.map(({ directory }) => directory).sort());
  // In turn: neither of two spokes has all of three.
  assert.deepEqual([1, 2].includes(worktrees.directories("dev-1").length), true);
  const [first] = sessions.said(spawned[0]?.sessionId ?? "");
  assert.match(first ?? "", /^Please do: Fix the login\n\nYou work in the git worktree "\.worktrees/);
  assert.match(sessions.said(spawned[1]?.sessionId ?? "")[0] ?? "", /^Write them\n/);
  const created = sessions.createdAs(spawned[0]?.sessionId ?? "");
  assert.deepEqual([created?.parentSessionId, created?.parent?.rootRunId], [lead, "root"]);
  assert.deepEqual(await coordination.spawn(request(place, THREE)), { spawned });
  assert.equal(sessions.ids.length, 4);
  assert.deepEqual(audited.map(({ action }) => action), ["coord.spawn", "coord.spawn"]);
});

Deno.test("spawn() tells a key that stands for something else", async () => {
  const { coordination } = world();
  const place = placeIn(null, { key: null, parent: null });
  const input = { tasks: [{ task: "One" }], key: "k" };
  const { spawned } = await coordination.spawn(request(place, input));
  assert.deepEqual(await coordination.spawn(request(place, input)), { spawned });
  await assert.rejects(
    coordination.spawn(request(place, { ...input, tasks: [{ task: "Two" }] })),
    hasCode("IDEMPOTENCY_MISMATCH"),
  );
});

Deno.test("spawn() keeps to depth, breadth and number of the tree", async () => {
  const { coordination, sessions } = world({ depth: 2, breadth: 2, sessions: 3 });
  const lead = sessions.lead();
  const spawn = (by: string, ...tasks: string[]) =>
    coordination.spawn(request(placeIn(by), { tasks: tasks.map((task) => ({ task })) }));
  await assert.rejects(spawn(lead, "a", "b", "c"), hasCode("SPAWN_LIMIT", { which: "breadth", limit: 2, present: 0 }));
  const { spawned: [one, two] } = await spawn(lead, "a", "b");
  assert.ok(one?.sessionId && two?.sessionId);
  await assert.rejects(spawn(lead, "c"), hasCode("SPAWN_LIMIT", { which: "breadth", present: 2 }));
  const { spawned: [below] } = await spawn(one.sessionId, "d");
  assert.equal(below?.depth, 2);
  await assert.rejects(spawn(below?.sessionId ?? "", "e"), hasCode("SPAWN_LIMIT", { which: "depth", limit: 2 }));
  await assert.rejects(spawn(two.sessionId, "f"), hasCode("SPAWN_LIMIT", { which: "sessions", limit: 3, present: 3 }));
  assert.equal(sessions.ids.length, 4);
});

Deno.test("spawn() keeps to what the roles of the parent and of those above it allow", async () => {
  const { coordination, sessions, rights } = world();
  rights.set("coordinator", { roles: ["implementer", "coordinator"], maxDepth: 1, maxBreadth: 2 });
  rights.set("implementer", null);
  const lead = sessions.lead("coordinator");
  const spawn = (by: string, role: string | undefined, ...tasks: string[]) =>
    coordination.spawn(
      request(placeIn(by), { tasks: tasks.map((task) => ({ task })), ...(role !== undefined && { role }) }),
    );
  await assert.rejects(spawn(lead, undefined, "a"), hasCode("SPAWN_DENIED"));
  await assert.rejects(spawn(lead, "reviewer", "a"), hasCode("SPAWN_DENIED", { wanted: "reviewer" }));
  await assert.rejects(spawn(lead, "implementer", "a", "b", "c"), hasCode("SPAWN_LIMIT", { which: "breadth" }));
  const { spawned: [one, two] } = await spawn(lead, "implementer@1", "a", "b");
  await assert.rejects(spawn(one?.sessionId ?? "", "implementer", "c"), hasCode("SPAWN_DENIED"));
  // The lead's role allows one generation, also to a child whose own role would allow more.
  sessions.end(two?.sessionId ?? "", "idle", "done");
  await coordination.wait(request(placeIn(lead), { ids: [two?.id ?? ""] }));
  const { spawned: [deputy] } = await spawn(lead, "coordinator", "deputy");
  await assert.rejects(
    spawn(deputy?.sessionId ?? "", "implementer", "d"),
    hasCode("SPAWN_LIMIT", { which: "depth", limit: 1 }),
  );
});

Deno.test("spawn() waits for a spoke that is away, and fails for a stated reason in the end", async () => {
  const it = world();
  const { sessions, worktrees, store } = it;
  worktrees.connected.clear();
  const place = placeIn(sessions.lead());
  await assert.rejects(it.coordination.spawn(request(place, THREE)), hasCode("UNAVAILABLE"));
  const input = { tasks: [{ task: "a", spoke: "dev-1" }, { task: "b", spoke: "gone" }], workspace: {} };
  const { spawned } = await it.coordination.spawn(request(place, input));
  assert.deepEqual(spawned.map(({ status, sessionId }) => [status, sessionId]), [["active", null], ["active", null]]);
  worktrees.connected.add("dev-1");
  await it.pass(10_000);
  const [a, b] = await Promise.all(spawned.map(({ id }) => store.get({ orgId: "a", id })));
  assert.ok(a?.sessionId);
  assert.equal(b?.status, "active");
  await it.pass(130_000);
  const failed = await store.get({ orgId: "a", id: spawned[1]?.id ?? "" });
  assert.deepEqual([failed?.status, failed?.error?.code], ["failed", "OPERATION_NOT_FOUND"]);
});

Deno.test("spawn() tells what failed for each task, and the others go on", async () => {
  const { coordination, sessions } = world();
  const tasks = [{ task: "a", branch: "same", spoke: "dev-1" }, { task: "b", spoke: "dev-1" }];
  const place = placeIn(sessions.lead());
  await coordination.spawn(request(place, { tasks: [{ task: "z", branch: "same", spoke: "dev-1" }], workspace: {} }));
  // The branch is taken, in another directory.
  const input = { tasks, workspace: { directory: "other" } };
  const { spawned } = await coordination.spawn(request(placeIn(place.sessionId), input));
  assert.deepEqual(spawned.map(({ status, error }) => [status, error?.code ?? null]), [
    ["failed", "GIT_FAILED"],
    ["active", null],
  ]);
});

Deno.test("a spawn that a crash came into is finished once, wherever the crash came", async () => {
  for (const point of ["planned", "worktree", "session"] as const) {
    const it = world();
    const { sessions, worktrees, store } = it;
    const lead = sessions.lead();
    const at = point === "planned" ? [worktrees, "create"] as const : [sessions, "create"] as const;
    // The kill: the call does its work or does not, and its caller never hears of it.
    const [target, name] = at;
    const real = (target as MemoryParts)[name].bind(target);
    (target as MemoryParts)[name] = async (params) => {
      if (point === "session") await real(params);
      return await new Promise(() => {});
    };
    const place = placeIn(lead);
    const input = { tasks: [{ task: "Only" }], workspace: {} };
    void it.coordination.spawn(request(place, input));
    await settled();
    (target as MemoryParts)[name] = real;
    it.restart();
    const [before] = await store.list({ orgId: "a", limit: 5 });
    assert.equal(before?.sessionId, null, point);
    if (point === "worktree") {
      // By the sweep.
      await it.pass(40_000);
    } else {
      // By the call that is made again.
      await it.coordination.spawn(request(place, input));
    }
    const [after] = await store.list({ orgId: "a", limit: 5 });
    assert.equal(after?.id, before?.id);
    assert.ok(after?.sessionId, point);
    assert.equal(sessions.ids.length, 2, point);
    assert.equal(worktrees.directories("dev-1").length + worktrees.directories("dev-2").length, 1, point);
  }
});

interface MemoryParts {
  create(params: unknown): Promise<unknown>;
}

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
