/** What every store of coordination promises, the one in memory included. */
import assert from "node:assert/strict";
import type { CoordinationStore, Detection, Mapping, Notice } from "../../src/coordination/mod.ts";

const CAPS = { breadth: 100, sessions: 1000 };
let made = 0;

/** A mapping as a spawn makes it. */
export function aMapping(more: Partial<Mapping> = {}): Mapping {
  const n = ++made;
  return {
    id: `mapping-${n}`,
    orgId: "a",
    key: `key-${n}`,
    treeId: "tree",
    depth: 1,
    parentSessionId: "lead",
    parent: { runId: "run", requestId: "request", rootRunId: "root" },
    sessionId: null,
    taskId: null,
    task: `task ${n}`,
    role: "implementer",
    model: null,
    prompt: "Do it\nnow",
    budget: { costMicros: 5 },
    workspace: {
      spoke: "dev",
      repository: null,
      directory: ".worktrees/x",
      branch: `wt/${n}`,
      from: "HEAD",
      remove: "clean",
    },
    worktree: "wanted",
    status: "active",
    round: 1,
    result: null,
    error: null,
    caller: { identity: { id: "me", scopes: ["*"] }, orgId: "a" },
    dueAt: 1_000,
    createdAt: 1_000 + n,
    updatedAt: 1_000 + n,
    completedAt: null,
    ...more,
  };
}

function aNotice(more: Partial<Notice> & Pick<Notice, "mappingId">): Notice {
  const n = ++made;
  return {
    id: `notice-${n}`,
    orgId: "a",
    kind: "notice",
    level: "info",
    recipient: "lead",
    text: "Two\nlines",
    sender: "me",
    runId: null,
    answer: null,
    answeredAt: null,
    deliveredAt: null,
    dueAt: 1_000,
    createdAt: 1_000 + n,
    ...more,
  };
}

function aDetection(more: Partial<Detection> = {}): Detection {
  const n = ++made;
  return {
    id: `detection-${n}`,
    orgId: "a",
    mappingId: null,
    sessionId: "s",
    type: "SESSION_STALL",
    severity: "medium",
    occurrence: "1",
    suggestion: "Look",
    details: { lastActivityAt: 1 },
    createdAt: 1_000 + n,
    ...more,
  };
}

export function coordinationStoreConformance(
  name: string,
  open: () => Promise<{ readonly store: CoordinationStore; close(): Promise<void> }>,
): void {
  const test = (what: string, run: (store: CoordinationStore) => Promise<void>): void => {
    Deno.test(`${name}: ${what}`, async () => {
      const { store, close } = await open();
      try {
        await run(store);
      } finally {
        await close();
      }
    });
  };

  test("plan() adds what is not there by its key, and gives what is stored", async (store) => {
    const [one, two] = [aMapping(), aMapping()];
    assert.deepEqual(await store.plan({ mappings: [one], caps: CAPS }), { mappings: [one] });
    const again = { ...one, id: "another", task: "changed" };
    assert.deepEqual(await store.plan({ mappings: [again, two], caps: CAPS }), { mappings: [one, two] });
    assert.deepEqual(await store.get({ orgId: "a", id: one.id }), one);
    assert.equal(await store.get({ orgId: "b", id: one.id }), null);
    assert.equal(await store.get({ orgId: "a", id: "another" }), null);
  });

  test("plan() adds all or none, by what the caps allow", async (store) => {
    const caps = { breadth: 2, sessions: 3 };
    const [one, two, three] = [aMapping(), aMapping(), aMapping()];
    await store.plan({ mappings: [one], caps });
    assert.deepEqual(await store.plan({ mappings: [two, three], caps }), { refused: "breadth", present: 1 });
    assert.equal(await store.get({ orgId: "a", id: two.id }), null);
    await store.plan({ mappings: [two], caps });
    // What is there already is not counted again.
    assert.deepEqual(await store.plan({ mappings: [one, two], caps }), { mappings: [one, two] });
    // Ended ones make place for others of the parent, but not in the tree.
    const end = (id: string) =>
      store.change({ orgId: "a", id, from: ["active"], change: { status: "completed" }, now: 2_000 });
    await Promise.all([end(one.id), end(two.id)]);
    await store.plan({ mappings: [three], caps });
    assert.deepEqual(await store.plan({ mappings: [aMapping()], caps }), { refused: "sessions", present: 3 });
    const elsewhere = aMapping({ treeId: "other", parentSessionId: "other" });
    assert.deepEqual(await store.plan({ mappings: [elsewhere], caps }), { mappings: [elsewhere] });
  });

  test("plan() lets no more through than the caps allow when many come at once", async (store) => {
    const caps = { breadth: 5, sessions: 100 };
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () => store.plan({ mappings: [aMapping()], caps })),
    );
    assert.equal(outcomes.filter((one) => "mappings" in one).length, 5);
  });

  test("plan() counts children of a run by the run, and those of people not at all", async (store) => {
    const caps = { breadth: 1, sessions: 100 };
    const ofRun = () => aMapping({ parentSessionId: null });
    const ofNobody = () => aMapping({ parentSessionId: null, parent: null });
    assert.ok("mappings" in await store.plan({ mappings: [ofRun()], caps }));
    assert.deepEqual(await store.plan({ mappings: [ofRun()], caps }), { refused: "breadth", present: 1 });
    assert.ok("mappings" in await store.plan({ mappings: [ofNobody()], caps }));
    assert.ok("mappings" in await store.plan({ mappings: [ofNobody()], caps }));
  });

  test("change() changes what is in one of the statuses, and nothing else", async (store) => {
    const one = aMapping();
    await store.plan({ mappings: [one], caps: CAPS });
    const change = {
      status: "failed",
      sessionId: "s",
      worktree: "present",
      error: { code: "X", message: "no" },
      result: "a\nb",
      round: 2,
      dueAt: null,
      completedAt: 2_000,
    } as const;
    const params = { orgId: "a", id: one.id, change, now: 2_000 };
    assert.equal(await store.change({ ...params, from: ["completed", "aborted"] }), null);
    assert.equal(await store.change({ ...params, orgId: "b", from: ["active"] }), null);
    const changed = { ...one, ...change, updatedAt: 2_000 };
    assert.deepEqual(await store.change({ ...params, from: ["active"] }), changed);
    assert.deepEqual(await store.get({ orgId: "a", id: one.id }), changed);
    assert.deepEqual(
      await store.change({ orgId: "a", id: one.id, from: ["failed"], change: { error: null }, now: 2_001 }),
      { ...changed, error: null, updatedAt: 2_001 },
    );
  });

  test("list() filters, newest first, page by page", async (store) => {
    const all = [
      aMapping({ taskId: "t1" }),
      aMapping({ parentSessionId: "other", treeId: "tree2" }),
      aMapping({ parent: null, parentSessionId: null }),
      aMapping({ sessionId: "s4" }),
    ];
    for (const one of all) await store.plan({ mappings: [one], caps: CAPS });
    await store.plan({ mappings: [aMapping({ orgId: "b" })], caps: CAPS });
    const [one, two, three, four] = all as [Mapping, Mapping, Mapping, Mapping];
    const list = async (query: object) => (await store.list({ orgId: "a", limit: 10, ...query })).map(({ id }) => id);
    assert.deepEqual(await list({}), [four.id, three.id, two.id, one.id]);
    assert.deepEqual(await list({ limit: 2 }), [four.id, three.id]);
    assert.deepEqual(await list({ after: three.id }), [two.id, one.id]);
    assert.deepEqual(await list({ after: "none" }), []);
    assert.deepEqual(await list({ ids: [one.id, two.id] }), [two.id, one.id]);
    assert.deepEqual(await list({ ids: [] }), []);
    assert.deepEqual(await list({ sessionIds: ["s4"] }), [four.id]);
    assert.deepEqual(await list({ taskIds: ["t1"] }), [one.id]);
    assert.deepEqual(await list({ parentSessionId: "lead" }), [four.id, one.id]);
    assert.deepEqual(await list({ parentRunId: "run" }), [four.id, two.id, one.id]);
    assert.deepEqual(await list({ treeId: "tree2" }), [two.id]);
    await store.change({ orgId: "a", id: one.id, from: ["active"], change: { status: "aborted" }, now: 1 });
    assert.deepEqual(await list({ status: ["aborted", "failed"] }), [one.id]);
  });

  test("takeDue() gives each one that is due to one taker, the longest due first", async (store) => {
    const [one, two, three] = [aMapping({ dueAt: 3_000 }), aMapping({ dueAt: 2_000 }), aMapping({ dueAt: null })];
    await store.plan({ mappings: [one, two, three], caps: CAPS });
    const take = async (now: number, limit = 10) =>
      (await store.takeDue({ now, forMs: 500, limit })).map(({ id }) => id);
    assert.deepEqual(await take(1_999), []);
    assert.deepEqual(await take(2_000), [two.id]);
    assert.deepEqual(await take(2_499), []);
    assert.deepEqual(await take(3_000, 1), [two.id]);
    const both = await Promise.all([take(3_500), take(3_500)]);
    assert.deepEqual(both.flat().toSorted(), [one.id, two.id].toSorted());
    assert.equal((await store.get({ orgId: "a", id: one.id }))?.dueAt, 4_000);
  });

  test("notices are kept once, until they are delivered or answered", async (store) => {
    const mapping = aMapping();
    await store.plan({ mappings: [mapping], caps: CAPS });
    const one = aNotice({ mappingId: mapping.id });
    const two = aNotice({ mappingId: mapping.id, level: "blocking", runId: "r", dueAt: null });
    assert.deepEqual(await store.addNotice(one), one);
    assert.deepEqual(await store.addNotice({ ...one, text: "other" }), one);
    await store.addNotice(two);
    assert.deepEqual(await store.notice({ orgId: "a", id: one.id }), one);
    assert.equal(await store.notice({ orgId: "b", id: one.id }), null);
    const list = async (query: object) =>
      (await store.notices({ orgId: "a", limit: 10, ...query })).map(({ id }) => id);
    assert.deepEqual(await list({}), [two.id, one.id]);
    assert.deepEqual(await list({ limit: 1 }), [two.id]);
    assert.deepEqual(await list({ after: two.id }), [one.id]);
    assert.deepEqual(await list({ mappingIds: [] }), []);
    assert.deepEqual(await list({ mappingIds: [mapping.id], level: "info" }), [one.id]);
    assert.deepEqual(await list({ kind: "message" }), []);
    assert.deepEqual(await list({ open: true }), [two.id]);
    assert.deepEqual((await store.takeDueNotices({ now: 1_000, forMs: 10, limit: 5 })).map(({ id }) => id), [one.id]);
    await store.changeNotice({ orgId: "a", id: one.id, change: { deliveredAt: 1_500, dueAt: null }, now: 1_500 });
    assert.deepEqual(await store.takeDueNotices({ now: 9_000, forMs: 10, limit: 5 }), []);
    const answer = { text: "go on", deep: [1, null] };
    await store.changeNotice({ orgId: "b", id: two.id, change: { answeredAt: 1, answer: "no" }, now: 1 });
    await store.changeNotice({ orgId: "a", id: two.id, change: { answeredAt: 1_600, answer }, now: 1_600 });
    assert.deepEqual(await store.notice({ orgId: "a", id: two.id }), { ...two, answeredAt: 1_600, answer });
    assert.deepEqual(await list({ open: true }), []);
  });

  test("detections are recorded once for an occurrence", async (store) => {
    const mapping = aMapping();
    await store.plan({ mappings: [mapping], caps: CAPS });
    const one = aDetection({ mappingId: mapping.id });
    assert.equal(await store.addDetection(one), true);
    assert.equal(await store.addDetection(aDetection()), false);
    const two = aDetection({ occurrence: "2" });
    const three = aDetection({ sessionId: "t", type: "CALL_LOOP" });
    assert.equal(await store.addDetection(two), true);
    assert.equal(await store.addDetection(three), true);
    const list = (query: object) => store.detections({ orgId: "a", limit: 10, ...query });
    assert.deepEqual(await list({}), [three, two, one]);
    assert.deepEqual(await list({ sessionIds: ["s"], limit: 1 }), [two]);
    assert.deepEqual(await list({ type: "CALL_LOOP" }), [three]);
    assert.deepEqual(await list({ after: two.id }), [one]);
    assert.deepEqual(await store.detections({ orgId: "b", limit: 10 }), []);
  });

  test("text that no column can hold is stored as far as it can be", async (store) => {
    const mapping = aMapping({ task: "nul \u0000" });
    const planned = await store.plan({ mappings: [mapping], caps: CAPS });
    assert.ok("mappings" in planned && planned.mappings[0]?.task.startsWith("nul "));
    const notice = await store.addNotice(aNotice({ mappingId: mapping.id, text: "a\u0000b\nc" }));
    assert.match(notice.text, /^a.b\nc$/s);
  });
}
