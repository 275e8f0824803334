import assert from "node:assert/strict";
import { hasCode, placeIn, request, settled, THREE, world } from "./_test_world.ts";

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
