/** Agent sessions against a real hub: what turns do, what ends them, and who may. */
import assert from "node:assert/strict";
import { type Said, type Turn, turnOf } from "../support/fake_provider/turn.ts";
import { type HubProcess, until } from "./_hub_process.ts";
import { PRICES, proxyWorld } from "./_proxy_world.ts";

interface Part {
  readonly type: string;
  readonly state?: string;
  readonly text?: string;
  readonly summary?: string;
  readonly errorText?: string;
  readonly output?: unknown;
  readonly approvalKey?: string;
}
interface Message {
  readonly id: string;
  readonly seq: number;
  readonly role: string;
  readonly runId: string;
  readonly parts: readonly Part[];
}
interface Session {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly runId: string;
  readonly parentId: string | null;
  readonly error: { readonly code: string; readonly details?: Record<string, unknown> } | null;
  readonly usage: Readonly<Record<string, number>>;
}
interface Prompted {
  readonly runId: string;
  readonly steered: boolean;
  readonly text: string | null;
  readonly turn: { readonly status: string } | null;
}

const LOOP: Turn = {
  text: "",
  toolCalls: [{ name: "hub_call", arguments: '{"operationId":"core.echo","input":{"value":1}}' }],
};

/** Whoever says LOOP is answered with the same call for ever. */
function answer(said: readonly Said[]): Turn {
  return said.some(({ text }) => text.includes("LOOP")) ? LOOP : turnOf(said);
}

const hubCall = (operationId: string, input: unknown): string =>
  `tool:hub_call ${JSON.stringify({ operationId, input })}`;

class Driver {
  readonly hub: HubProcess;

  constructor(hub: HubProcess) {
    this.hub = hub;
  }

  async ok<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const answer = await this.hub.api<T>(method, path, { ...(body !== undefined && { body }), headers });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  create(body: object = {}): Promise<Session> {
    return this.ok("POST", "/api/sessions", { title: "T", ...body });
  }

  say(id: string, text: string, wait = true): Promise<Prompted> {
    return this.ok("POST", `/api/sessions/${id}/messages`, { text }, wait ? { prefer: "wait=60" } : {});
  }

  get(id: string): Promise<Session> {
    return this.ok("GET", `/api/sessions/${id}`);
  }

  async messages(id: string): Promise<readonly Message[]> {
    return (await this.ok<{ items: Message[] }>("GET", `/api/sessions/${id}/messages?limit=500`)).items;
  }

  async tools(id: string): Promise<readonly Part[]> {
    return (await this.messages(id)).flatMap(({ parts }) => parts).filter(({ type }) => type === "tool");
  }

  async status(id: string, wanted: string): Promise<Session> {
    return await until(`it is ${wanted}`, async () => {
      const session = await this.get(id);
      return session.status === wanted && session;
    }, 60_000);
  }
}

Deno.test("agent sessions", async (t) => {
  await using world = await proxyWorld([{ answer }]);
  const { hub, providers: [fake] } = world;
  assert.ok(fake);
  await world.addProvider(fake, { name: "fake", models: [{ id: "fake", prices: PRICES }] });
  const drive = new Driver(hub);

  await t.step("what is said while a turn is under way reaches its next step", async () => {
    const { id } = await drive.create();
    await drive.say(id, hubCall("core.sleep", { ms: 1_500 }), false);
    await until("the tool is called", async () => (await drive.tools(id)).length === 1);
    const steering = await drive.say(id, "say:steered well");
    assert.deepEqual([steering.steered, steering.text, steering.turn?.status], [true, "steered well", "done"]);
    const roles = (await drive.messages(id)).map(({ role }) => role);
    assert.deepEqual(roles, ["user", "assistant", "user", "assistant"]);
    assert.equal((await drive.get(id)).usage["turns"], 1);
  });

  await t.step("calls of one answer are made at the same time", async () => {
    const { id } = await drive.create();
    const slow = hubCall("core.sleep", { ms: 1_000 });
    const { runId } = await drive.say(id, `${slow}\n${slow}\n${slow}`);
    const { items } = await drive.ok<{ items: { operationId: string; startedAt: number; completedAt: number }[] }>(
      "GET",
      `/api/runs/${runId}/calls`,
    );
    const calls = items.filter(({ operationId }) => operationId === "session.tool");
    assert.equal(calls.length, 3);
    assert.ok(Math.max(...calls.map(({ startedAt }) => startedAt)) < Math.min(...calls.map((one) => one.completedAt)));
  });

  await t.step("a person says yes or no to a call that needs it", async () => {
    const tools = { operations: ["core.echo"], approve: ["core.*"] };
    const scopes = ["operation:read", "operation:call"];
    await drive.ok("PUT", "/api/roles/careful", { systemPrompt: "Be careful.", tools, scopes });
    const { id } = await drive.create({ role: "careful" });
    for (const approved of [true, false]) {
      await drive.say(id, 'tool:core_echo {"value":"done"}', false);
      const { runId } = await drive.status(id, "waiting");
      const asked = (await drive.tools(id)).at(-1);
      assert.equal(asked?.state, "approval-requested");
      const { items } = await drive.ok<{ items: { runId: string; key: string }[] }>("GET", "/api/approvals");
      assert.ok(items.some((one) => one.runId === runId && one.key === asked?.approvalKey));
      await drive.ok("POST", `/api/runs/${runId}/signals/${asked?.approvalKey}`, {
        approved,
        ...(!approved && { reason: "not now" }),
      });
      await drive.status(id, "idle");
    }
    const [yes, no] = await drive.tools(id);
    assert.deepEqual([yes?.state, yes?.output], ["output-available", { value: "done" }]);
    assert.deepEqual([no?.state, no?.errorText], ["output-denied", "not now"]);
    assert.match((await drive.messages(id)).at(-1)?.parts[1]?.text ?? "", /A person has said no: not now/);
    // Nor is there a way round by hub.call.
    await drive.say(id, hubCall("core.echo", { value: 2 }), false);
    await drive.status(id, "waiting");
    await drive.ok("POST", `/api/sessions/${id}/stop`, {});
  });

  await t.step("a role's session calls what the role allows, and nothing else by hub.call", async () => {
    const { id } = await drive.create({ role: "careful" });
    await drive.say(id, `${hubCall("core.sleep", { ms: 1 })}\ntool:core_sleep {"ms":1}`);
    const [called, named] = await drive.tools(id);
    assert.match(called?.errorText ?? "", /^ACCESS_DENIED/);
    assert.match(named?.errorText ?? "", /^OPERATION_NOT_FOUND/);
  });

  await t.step("a workflow is a tool, and its run a child of the turn's", async () => {
    const scopes = ["operation:read", "operation:call", "workflow:run"];
    await drive.ok("PUT", "/api/roles/runner", { systemPrompt: "", tools: { workflows: ["hello"] }, scopes });
    const { id } = await drive.create({ role: "runner" });
    const { runId } = await drive.say(id, 'tool:workflow_hello {"name":"Ada"}');
    const [tool] = await drive.tools(id);
    assert.equal(tool?.state, "output-available", JSON.stringify(tool));
    const { items } = await drive.ok<{ items: { workflow: string }[] }>("GET", `/api/runs?parent=${runId}`);
    assert.ok(items.some(({ workflow }) => workflow === "hello"));
  });

  await t.step("stop ends the turn with what it has started, and the session goes on after", async () => {
    const { id } = await drive.create();
    const { runId } = await drive.say(id, hubCall("core.sleep", { ms: 60_000 }), false);
    await until("the tool is called", async () => (await drive.tools(id)).length === 1);
    const stopped = await drive.ok<Session>("POST", `/api/sessions/${id}/stop`, {});
    assert.equal(stopped.status, "stopped");
    await until("its run is aborted", async () => {
      return (await drive.ok<{ status: string }>("GET", `/api/runs/${runId}`)).status === "aborted";
    });
    const [tool] = await drive.tools(id);
    assert.equal(tool?.state, "output-error");
    assert.equal((await drive.say(id, "Go on")).text, "You said: Go on");
  });

  await t.step("a run that is aborted by itself leaves its session stopped", async () => {
    const { id } = await drive.create();
    const { runId } = await drive.say(id, hubCall("core.sleep", { ms: 60_000 }), false);
    await until("the tool is called", async () => (await drive.tools(id)).length === 1);
    await drive.ok("POST", `/api/runs/${runId}/abort`, {});
    await drive.status(id, "stopped");
  });

  await t.step("a run that is paused holds its turn", async () => {
    const { id } = await drive.create();
    const { runId } = await drive.say(id, hubCall("core.sleep", { ms: 300 }), false);
    await until("the tool is called", async () => (await drive.tools(id)).length === 1);
    await drive.ok("POST", `/api/runs/${runId}/pause`);
    await until("the tool has ended", async () => (await drive.tools(id))[0]?.state === "output-available");
    assert.equal((await drive.get(id)).status, "busy");
    assert.equal((await drive.messages(id)).length, 2);
    await drive.ok("POST", `/api/runs/${runId}/resume`);
    await drive.status(id, "idle");
  });

  await t.step("limits end a turn, and say which", async () => {
    const ending = async (body: object, text: string): Promise<Session> => {
      const { id } = await drive.create(body);
      assert.equal((await drive.say(id, text)).turn?.status, "failed");
      return await drive.get(id);
    };
    const steps = await ending({ limits: { maxSteps: 2 } }, "LOOP");
    assert.deepEqual([steps.error?.code, steps.error?.details], ["SESSION_LIMIT", {
      scope: "turn",
      which: "steps",
      limit: 2,
      used: 2,
    }]);
    const time = await ending({ limits: { maxTurnMs: 700 } }, hubCall("core.sleep", { ms: 60_000 }));
    assert.deepEqual([time.error?.code, time.error?.details?.["which"]], ["SESSION_LIMIT", "timeMs"]);
    const budget = await ending({ budget: { steps: 1 } }, "LOOP");
    assert.deepEqual([budget.error?.code, budget.error?.details?.["scope"]], ["SESSION_LIMIT", "session"]);
    // Less than a call may use at most: none is made.
    const asked = fake.count;
    const money = await ending({ budget: { costMicros: 10 } }, "Hello");
    assert.deepEqual([money.error?.code, fake.count], ["BUDGET_EXCEEDED", asked]);
    const turn = await ending({ limits: { maxTokens: 10 } }, "Hello");
    assert.deepEqual([turn.error?.code, fake.count], ["BUDGET_EXCEEDED", asked]);
    const loop = await ending({}, "LOOP");
    assert.deepEqual([loop.error?.code, loop.usage["steps"]], ["SESSION_LOOP", 6]);
  });

  await t.step("a malformed call is made again once, and counted when it is malformed then", async () => {
    const { id } = await drive.create();
    const bad = { text: "", toolCalls: [{ name: "hub_call", arguments: '{"operationId": ' }] };
    fake.script(bad, LOOP);
    await drive.say(id, "one");
    assert.deepEqual((await drive.tools(id)).map(({ state }) => state), ["output-available"]);
    assert.equal((await drive.get(id)).usage["malformedCalls"], 0);
    fake.script(bad, bad);
    await drive.say(id, "two");
    const [, tool] = await drive.tools(id);
    assert.equal(tool?.state, "output-error");
    assert.match(tool?.errorText ?? "", /no JSON/);
    assert.equal((await drive.get(id)).usage["malformedCalls"], 1);
  });

  await t.step("a provider that is limited or fails for a moment is asked again", async () => {
    const { id } = await drive.create();
    fake.fail({ kind: "status", status: 500, times: 2 });
    assert.equal((await drive.say(id, "Hello")).text, "You said: Hello");
  });

  await t.step("a session is forked, summed up, named and found", async () => {
    const { id } = await drive.create();
    await drive.say(id, "say:alpha");
    await drive.say(id, "say:beta zebra");
    const [, first] = await drive.messages(id);
    const fork = await drive.ok<Session>("POST", `/api/sessions/${id}/fork`, { messageId: first?.id, title: "Other" });
    assert.equal((await drive.messages(fork.id)).length, 2);
    await drive.say(fork.id, "say:gamma");
    assert.equal((await drive.messages(id)).length, 4);
    fake.script({ text: "It was about alpha and beta.", toolCalls: [] });
    await drive.ok("POST", `/api/sessions/${id}/compact`, {});
    const spent = (await drive.get(id)).usage["costMicros"] ?? 0;
    assert.equal((await drive.say(id, "say:after")).text, "after");
    const { messages } = fake.requests.at(-1)?.body as { messages: { content: string }[] };
    assert.deepEqual(messages.map(({ content }) => content), [
      "[Summary of what was said before]\nIt was about alpha and beta.",
      "say:after",
    ]);
    assert.ok(((await drive.get(id)).usage["costMicros"] ?? 0) > spent);
    fake.script({ text: '"Letters of Greece"', toolCalls: [] });
    assert.equal((await drive.ok<Session>("POST", `/api/sessions/${id}/title`, {})).title, "Letters of Greece");
    const { items } = await drive.ok<{ items: { session: Session; matches: unknown[] }[] }>(
      "GET",
      "/api/sessions/search?q=ZEBRA",
    );
    assert.deepEqual(items.map(({ session, matches }) => [session.id, matches.length]), [[id, 2]]);
  });

  await t.step("a session that a session makes stands below it", async () => {
    const { id } = await drive.create();
    const { runId } = await drive.say(id, hubCall("session.create", { title: "Child", prompt: "say:I am the child" }));
    const { items: [child] } = await drive.ok<{ items: Session[] }>("GET", `/api/sessions?parent=${id}`);
    assert.equal(child?.parentId, id);
    const idle = await drive.status(child!.id, "idle");
    const run = await drive.ok<{ parentRunId: string; rootRunId: string }>("GET", `/api/runs/${idle.runId}`);
    assert.deepEqual([run.parentRunId, run.rootRunId], [runId, runId]);
  });

  await t.step("nobody borrows a session's rights, and its steps let nobody in", async () => {
    const { id, runId } = await drive.create({ prompt: "Hello" });
    await drive.status(id, "idle");
    const { key } = await drive.ok<{ key: string }>("POST", "/api/keys", {
      name: "weak",
      scopes: ["session:read", "session:write", "operation:call"],
    });
    const path = `/api/sessions/${id}/messages`;
    const prompted = await hub.api("POST", path, { key, body: { text: "hi" } });
    assert.deepEqual([prompted.status, prompted.body["code"]], [403, "ACCESS_DENIED"]);
    assert.equal((await hub.api("GET", path, { key })).status, 200);
    const own = await hub.api<Session>("POST", "/api/sessions", { key, body: { title: "Mine" } });
    const said = await hub.api<Prompted>("POST", `/api/sessions/${own.body.id}/messages`, {
      key,
      body: { text: hubCall("hub.list", {}) },
      headers: { prefer: "wait=60" },
    });
    assert.equal(said.body.turn?.status, "done");
    assert.match((await drive.tools(own.body.id))[0]?.errorText ?? "", /ACCESS_DENIED|OPERATION_NOT_FOUND/);
    const step = await hub.api("POST", "/api/operations/session.generate", { body: { session: id, turn: runId } });
    assert.equal(step.body["code"], "ACCESS_DENIED", JSON.stringify(step.body));
  });

  await t.step("a key that is revoked ends what its sessions may do", async () => {
    const made = await drive.ok<{ key: string; record: { id: string } }>("POST", "/api/keys", {
      name: "short",
      scopes: ["session:write", "session:read"],
    });
    const own = await hub.api<Session>("POST", "/api/sessions", { key: made.key, body: { title: "Mine" } });
    await drive.ok("POST", `/api/keys/${made.record.id}/revoke`);
    const prompted = await hub.api("POST", `/api/sessions/${own.body.id}/messages`, { body: { text: "hi" } });
    assert.deepEqual([prompted.status, prompted.body["code"]], [403, "ACCESS_DENIED"]);
    assert.equal((await drive.get(own.body.id)).status, "failed");
  });
});
