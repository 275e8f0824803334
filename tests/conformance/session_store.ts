import assert from "node:assert/strict";
import type { Message, NewSession, Part, SessionStore, SessionTurn } from "../../src/sessions/mod.ts";

/** A session for tests. */
export function sessionRecord(change: Partial<NewSession> = {}): NewSession {
  const id = crypto.randomUUID();
  return {
    id,
    orgId: "default",
    slug: `s-${id}`,
    title: "A session",
    createdBy: "ann",
    owner: { keyId: "k", identity: { id: "ann", scopes: ["session:*"] } },
    role: null,
    agent: { systemPrompt: "Be brief.\u0000", temperature: null, tools: null },
    model: "fake",
    kind: "direct",
    parentId: null,
    spawnedBy: null,
    forkOf: null,
    workspace: null,
    limits: { maxSteps: 50, maxTokens: null, maxCostMicros: null, maxTurnMs: null },
    budget: { steps: null, tokens: 1_000, costMicros: null, timeMs: null },
    labels: {},
    createdAt: 1_000,
    ...change,
  };
}

const text = (words: string): Part => ({ type: "text", text: words });
const said = (role: Message["role"], parts: readonly Part[], createdAt = 2_000) => ({
  id: crypto.randomUUID(),
  role,
  parts,
  createdAt,
});
const call = (toolCallId: string, state: "input-available" | "approval-requested" = "input-available"): Part => ({
  type: "tool",
  toolName: "echo",
  toolCallId,
  operationId: "core.echo",
  state,
  input: { value: "\u0000\ud800" },
});
const USAGE = { inputTokens: 10, outputTokens: 5, costMicros: 7, malformedCalls: 1 };
const RUN = "0190a000-0000-7000-8000-000000000001";

/** What every {@linkcode SessionStore} does. */
export function sessionStoreConformance(
  kind: string,
  create: () => Promise<{ readonly store: SessionStore; close(): Promise<void> }>,
): void {
  const test = (title: string, body: (store: SessionStore) => Promise<void>) =>
    Deno.test(`${kind}: SessionStore ${title}`, async () => {
      const { store, close } = await create();
      try {
        await body(store);
      } finally {
        await close();
      }
    });
  const add = async (store: SessionStore, change: Partial<NewSession> = {}) => {
    const { session } = await store.create({ session: sessionRecord(change), idempotencyKey: null });
    return { orgId: session.orgId, sessionId: session.id };
  };
  const prompt = async (
    store: SessionStore,
    key: { orgId: string; sessionId: string },
    words = "Hello",
    at = 2_000,
  ) => {
    const turn = { id: crypto.randomUUID(), parent: null };
    const message = said("user", [text(words)], at);
    const prompted = await store.prompt({ ...key, message, idempotencyKey: null, turn });
    assert.ok(prompted !== null);
    return prompted;
  };
  const step = (
    store: SessionStore,
    turn: SessionTurn,
    parts: readonly Part[],
    requestId: string = crypto.randomUUID(),
  ) =>
    store.step({ turnId: turn.id, requestId, message: said("assistant", parts, 3_000), usage: USAGE, status: "busy" });
  const end = (store: SessionStore, turn: SessionTurn, change: Partial<Parameters<SessionStore["end"]>[0]> = {}) =>
    store.end({ turnId: turn.id, status: "done", error: null, at: 5_000, unfinished: "It was not done", ...change });

  test("create() gives what get() gives, once for an idempotency key", async (store) => {
    const session = sessionRecord({
      role: { name: "assistant", version: 2 },
      labels: { team: "a" },
      spawnedBy: { runId: RUN, requestId: RUN, rootRunId: RUN },
      workspace: { spoke: "laptop", directory: "/w", branch: null },
      agent: {
        systemPrompt: "x",
        temperature: 0.5,
        tools: { operations: ["fs.*"], workflows: [], approve: ["fs.write"] },
      },
    });
    const made = await store.create({ session, idempotencyKey: "k1" });
    assert.equal(made.duplicate, false);
    assert.deepEqual(made.session, {
      ...session,
      status: "idle",
      usage: {
        inputTokens: 0,
        outputTokens: 0,
        costMicros: 0,
        steps: 0,
        turns: 0,
        toolCalls: 0,
        toolErrors: 0,
        malformedCalls: 0,
        turnMs: 0,
      },
      lastSeq: 0,
      turnId: null,
      runId: null,
      error: null,
      lastActivityAt: 1_000,
      updatedAt: 1_000,
    });
    const key = { orgId: "default", sessionId: session.id };
    assert.deepEqual(await store.get(key), made.session);
    const again = await store.create({ session: sessionRecord(), idempotencyKey: "k1" });
    assert.deepEqual(again, { session: made.session, duplicate: true });
    const other = await store.create({ session: sessionRecord({ orgId: "other" }), idempotencyKey: "k1" });
    assert.equal(other.duplicate, false);
    assert.equal((await store.create({ session, idempotencyKey: null })).duplicate, true);
  });

  test("an organization does not see another's", async (store) => {
    const { sessionId } = await add(store);
    const foreign = { orgId: "other", sessionId };
    const { turn } = await prompt(store, { orgId: "default", sessionId }, "needle");
    assert.equal(await store.get(foreign), null);
    assert.deepEqual(await store.messages({ ...foreign, limit: 10 }), []);
    assert.deepEqual(await store.turns({ ...foreign, limit: 10 }), []);
    assert.equal(await store.turn({ orgId: "other", turnId: turn.id }), null);
    assert.equal(await store.update({ ...foreign, title: "x", at: 1 }), null);
    const message = said("user", []);
    const asked = { ...foreign, message, idempotencyKey: null, turn: { id: "t", parent: null } };
    assert.equal(await store.prompt(asked), null);
    assert.equal(await store.add({ ...foreign, message, requestId: "r" }), null);
    assert.deepEqual((await store.list({ orgId: "other", limit: 10 })).items, []);
    assert.deepEqual(await store.search({ orgId: "other", text: "needle", limit: 10, perSession: 3 }), []);
  });

  test("list() filters and pages, last active first", async (store) => {
    const a = await add(store, { labels: { team: "a", x: "1" }, createdAt: 1_000 });
    const b = await add(store, { parentId: a.sessionId, createdBy: "bob", createdAt: 2_000 });
    const c = await add(store, { role: { name: "r", version: 1 }, labels: { team: "c" }, createdAt: 3_000 });
    const ids = async (query: object) =>
      (await store.list({ orgId: "default", limit: 10, ...query })).items.map(({ id }) => id);
    assert.deepEqual(await ids({}), [c.sessionId, b.sessionId, a.sessionId]);
    await prompt(store, a, "now", 9_000);
    assert.deepEqual(await ids({}), [a.sessionId, c.sessionId, b.sessionId]);
    assert.deepEqual(await ids({ status: ["busy", "waiting"] }), [a.sessionId]);
    assert.deepEqual(await ids({ parentId: a.sessionId }), [b.sessionId]);
    assert.deepEqual(await ids({ createdBy: "bob" }), [b.sessionId]);
    assert.deepEqual(await ids({ role: "r" }), [c.sessionId]);
    assert.deepEqual(await ids({ label: ["team=a", "x"] }), [a.sessionId]);
    assert.deepEqual(await ids({ label: ["team"] }), [a.sessionId, c.sessionId]);
    const first = await store.list({ orgId: "default", limit: 2 });
    const second = await store.list({ orgId: "default", limit: 2, cursor: first.nextCursor! });
    assert.deepEqual([...first.items, ...second.items].map(({ id }) => id), [a.sessionId, c.sessionId, b.sessionId]);
    assert.equal(second.nextCursor, null);
  });

  test("prompt() opens a turn, and steers it while it is open", async (store) => {
    const key = await add(store);
    const first = await prompt(store, key, "Hello");
    assert.deepEqual([first.steered, first.turn.n, first.message.seq], [false, 1, 1]);
    await store.started({ turnId: first.turn.id, runId: RUN });
    await store.started({ turnId: first.turn.id, runId: "0190a000-0000-7000-8000-000000000002" });
    const second = await prompt(store, key, "And this");
    assert.deepEqual([second.steered, second.turn.id, second.message.seq], [true, first.turn.id, 2]);
    assert.equal(second.message.runId, RUN);
    const session = (await store.get(key))!;
    assert.deepEqual([session.status, session.turnId, session.runId], ["busy", first.turn.id, RUN]);
    assert.deepEqual([session.usage.turns, session.lastSeq], [1, 2]);
    const messages = await store.messages({ ...key, limit: 10 });
    assert.deepEqual(messages.map(({ seq, runId }) => [seq, runId]), [[1, RUN], [2, RUN]]);
    assert.equal((await end(store, first.turn))?.status, "done");
    const third = await prompt(store, key, "Again");
    assert.deepEqual([third.steered, third.turn.n], [false, 2]);
    assert.deepEqual((await store.turns({ ...key, limit: 5 })).map(({ n }) => n), [2, 1]);
  });

  test("prompt() says the same for the same idempotency key", async (store) => {
    const key = await add(store);
    const ask = (id: string) =>
      store.prompt({
        ...key,
        message: said("user", [text(id)]),
        idempotencyKey: "p1",
        turn: { id: crypto.randomUUID(), parent: null },
      });
    const first = await ask("a");
    const again = await ask("b");
    assert.deepEqual(again, { ...first, duplicate: true });
    await end(store, first!.turn);
    assert.equal((await ask("c"))?.turn.status, "done");
    assert.equal((await store.messages({ ...key, limit: 10 })).length, 1);
  });

  test("step() records once for a request id, and adds to what is used", async (store) => {
    const key = await add(store);
    const { turn } = await prompt(store, key);
    const parts = [{ type: "step-start" } as const, text("Hi\nthere\u0000"), call("c1"), call("c2")];
    const first = await step(store, turn, parts, "r1");
    assert.deepEqual(first?.message.parts, parts);
    assert.deepEqual([first?.message.step, first?.message.seq, first?.duplicate], [1, 2, false]);
    const again = await step(store, turn, [text("Other")], "r1");
    assert.deepEqual(again, { message: first!.message, duplicate: true });
    assert.deepEqual(await store.stepOf({ turnId: turn.id, requestId: "r1" }), first!.message);
    assert.equal(await store.stepOf({ turnId: turn.id, requestId: "r2" }), null);
    const second = await step(store, turn, [text("More")], "r2");
    assert.equal(second?.message.step, 2);
    const { usage } = (await store.get(key))!;
    const { steps, inputTokens, outputTokens, costMicros, toolCalls, malformedCalls } = usage;
    assert.deepEqual([steps, inputTokens, outputTokens, costMicros, toolCalls, malformedCalls], [2, 20, 10, 14, 2, 2]);
    const known = (await store.turn({ orgId: "default", turnId: turn.id }))!;
    assert.deepEqual([known.steps, known.inputTokens, known.costMicros], [2, 20, 14]);
    await end(store, turn);
    assert.equal(await step(store, turn, [text("Late")], "r3"), null);
    assert.deepEqual((await step(store, turn, [], "r1"))?.duplicate, true);
  });

  test("tool() says what became of a call, once", async (store) => {
    const key = await add(store);
    const { turn } = await prompt(store, key);
    const made = await store.step({
      turnId: turn.id,
      requestId: "r1",
      message: said("assistant", [call("c1", "approval-requested"), call("c2")]),
      usage: USAGE,
      status: "waiting",
    });
    const messageId = made!.message.id;
    assert.equal((await store.get(key))?.status, "waiting");
    const tell = (toolCallId: string, change: Parameters<SessionStore["tool"]>[0]["change"]) =>
      store.tool({ turnId: turn.id, messageId, toolCallId, change, at: 4_000 });
    const done = await tell("c2", { state: "output-available", output: { a: "\u0000" } });
    assert.deepEqual([done?.state, done?.output], ["output-available", { a: "\u0000" }]);
    assert.deepEqual(await tell("c2", { state: "output-error", errorText: "no" }), done);
    assert.equal((await store.get(key))?.status, "waiting");
    assert.equal((await tell("c1", { state: "input-available" }))?.state, "input-available");
    assert.equal((await store.get(key))?.status, "busy");
    assert.equal((await tell("c1", { state: "output-error", errorText: "bad" }))?.errorText, "bad");
    assert.equal((await store.get(key))?.usage.toolErrors, 1);
    assert.equal(await tell("c3", { state: "output-available" }), null);
    const [, message] = await store.messages({ ...key, limit: 10 });
    assert.deepEqual(message!.parts.map((part) => part.type === "tool" ? part.state : null), [
      "output-error",
      "output-available",
    ]);
  });

  test("end() ends a turn once, and not when something was said that nobody has seen", async (store) => {
    const key = await add(store);
    const { turn, message } = await prompt(store, key);
    await step(store, turn, [call("c1")]);
    await prompt(store, key, "Wait");
    assert.equal((await end(store, turn, { seenSeq: message.seq }))?.status, "open");
    assert.equal((await end(store, turn, { seenSeq: 3 }))?.status, "done");
    assert.equal((await end(store, turn, { status: "failed" }))?.status, "done");
    const session = (await store.get(key))!;
    assert.deepEqual([session.status, session.turnId, session.usage.turnMs], ["idle", null, 3_000]);
    const [, stepped] = await store.messages({ ...key, limit: 10 });
    const [part] = stepped!.parts;
    assert.ok(part?.type === "tool");
    assert.deepEqual([part.state, part.errorText], ["output-error", "It was not done"]);
    assert.equal(await store.end({ turnId: "none", status: "done", error: null, at: 1, unfinished: "" }), null);
  });

  test("end() keeps why a turn failed until the next", async (store) => {
    const key = await add(store);
    const { turn } = await prompt(store, key);
    const error = { code: "SESSION_LIMIT", message: "no more", details: { which: "steps" } };
    await end(store, turn, { status: "failed", error });
    const failed = (await store.get(key))!;
    assert.deepEqual([failed.status, failed.error], ["failed", error]);
    assert.deepEqual((await store.turn({ orgId: "default", turnId: turn.id }))?.error, error);
    await prompt(store, key);
    assert.equal((await store.get(key))?.error, null);
  });

  test("partial() keeps what was said of a stopped turn, unless something followed", async (store) => {
    const key = await add(store);
    const { turn } = await prompt(store, key);
    const partial = (requestId: string) =>
      store.partial({ turnId: turn.id, requestId, message: said("assistant", [text("Half")]) });
    await partial("r0");
    await end(store, turn, { status: "stopped" });
    assert.equal((await store.get(key))?.status, "stopped");
    await partial("r1");
    await partial("r1");
    assert.equal((await store.messages({ ...key, limit: 10 })).length, 2);
    await prompt(store, key);
    await partial("r2");
    assert.equal((await store.messages({ ...key, limit: 10 })).length, 3);
  });

  test("add() adds once, messages() give a window", async (store) => {
    const key = await add(store);
    const compaction: Part = { type: "compaction", summary: "Short", throughSeq: 4 };
    const usage = { inputTokens: 3, outputTokens: 2, costMicros: 1 };
    const first = await store.add({ ...key, message: said("system", [compaction]), requestId: "a", usage });
    assert.deepEqual(await store.add({ ...key, message: said("system", []), requestId: "a" }), first);
    for (const words of ["b", "c", "d"]) {
      await store.add({ ...key, message: said("user", [text(words)]), requestId: words });
    }
    const seqs = async (query: object) => (await store.messages({ ...key, limit: 2, ...query })).map(({ seq }) => seq);
    const so = (await store.get(key))!.usage;
    assert.deepEqual([so.inputTokens, so.outputTokens, so.costMicros, so.steps], [3, 2, 1, 0]);
    assert.deepEqual(await seqs({}), [1, 2]);
    assert.deepEqual(await seqs({ after: 2 }), [3, 4]);
    assert.deepEqual(await seqs({ newest: true }), [3, 4]);
    assert.deepEqual(await seqs({ newest: true, after: 3 }), [4]);
  });

  test("openTurns() finds those that have not ended", async (store) => {
    const [a, b] = [await add(store), await add(store)];
    const first = await prompt(store, a, "a", 2_000);
    const second = await prompt(store, b, "b", 3_000);
    const ids = async (before: number) => (await store.openTurns({ before, limit: 10 })).map(({ id }) => id);
    assert.deepEqual(await ids(10_000), [first.turn.id, second.turn.id]);
    assert.deepEqual(await ids(3_000), [first.turn.id]);
    await end(store, first.turn);
    assert.deepEqual(await ids(10_000), [second.turn.id]);
  });

  test("fork() copies what was said, and both go on by themselves", async (store) => {
    const from = await add(store);
    const { turn } = await prompt(store, from, "Hello");
    await step(store, turn, [text("Hi"), call("c1")]);
    await prompt(store, from, "Later");
    const session = sessionRecord({ forkOf: { sessionId: from.sessionId, messageId: null } });
    const params = { from, throughSeq: 2, session, idempotencyKey: "f", unfinished: "Forked" };
    const made = await store.fork(params);
    assert.deepEqual([made.duplicate, made.session.lastSeq, made.session.status], [false, 2, "idle"]);
    assert.equal((await store.fork({ ...params, session: sessionRecord() })).session.id, session.id);
    const key = { orgId: "default", sessionId: session.id };
    const copied = await store.messages({ ...key, limit: 10 });
    assert.deepEqual(copied.map(({ seq, role, turnId }) => [seq, role, turnId]), [[1, "user", null], [
      2,
      "assistant",
      null,
    ]]);
    const tool = copied[1]!.parts[1];
    assert.ok(tool?.type === "tool");
    assert.deepEqual([tool.state, tool.errorText], ["output-error", "Forked"]);
    assert.equal((await prompt(store, key, "Other way")).message.seq, 3);
    assert.equal((await store.messages({ ...from, limit: 10 })).length, 3);
  });

  test("search() finds texts and titles, whatever the case and the characters", async (store) => {
    const a = await add(store, { title: "About 100% wool" });
    const b = await add(store, { createdAt: 5_000 });
    const { turn } = await prompt(store, b, "the Needle is here", 6_000);
    await step(store, turn, [text(`${"x".repeat(300)} another NEEDLE ${"y".repeat(300)}`)]);
    const find = (words: string) => store.search({ orgId: "default", text: words, limit: 5, perSession: 1 });
    const [hit, ...others] = await find("needle");
    assert.deepEqual([hit?.session.id, others.length, hit?.matches.length], [b.sessionId, 0, 1]);
    assert.deepEqual([hit?.matches[0]?.seq, hit?.matches[0]?.excerpt.includes("another NEEDLE")], [2, true]);
    assert.ok((hit?.matches[0]?.excerpt.length ?? 999) < 200);
    assert.deepEqual((await find("100% W")).map(({ session, matches }) => [session.id, matches.length]), [[
      a.sessionId,
      0,
    ]]);
    assert.deepEqual(await find("100_"), []);
  });

  test("many at once leave seqs without gaps, one open turn, and the sum of what they used", async (store) => {
    const key = await add(store);
    const all = await Promise.all(Array.from({ length: 12 }, (_, i) => prompt(store, key, `m${i}`)));
    assert.equal(all.filter(({ steered }) => !steered).length, 1);
    assert.deepEqual(all.map(({ message }) => message.seq).sort((x, y) => x - y), all.map((_, i) => i + 1));
    const { turn } = all[0]!;
    await Promise.all(Array.from({ length: 6 }, (_, i) => step(store, turn, [text("s")], `r${i % 3}`)));
    const session = (await store.get(key))!;
    assert.deepEqual([session.usage.steps, session.usage.inputTokens, session.lastSeq], [3, 30, 15]);
  });
}
