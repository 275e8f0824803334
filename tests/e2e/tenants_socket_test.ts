/**
 * I9 over sockets: every message of the call protocol, every call that the hub itself answers, and every operation that the hub
 * lists, said by another organization's key about what the first one has.
 */
import assert from "node:assert/strict";
import { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import { type HubProcess, startHubProcess, until } from "./_hub_process.ts";
import type { Ids } from "./_tenant_routes.ts";
import { bare, furnish, nobodys, SECRET, withStranger } from "./_tenant_world.ts";

type Message = Readonly<Record<string, unknown>>;

/** Calls that a socket's connection answers itself; the connection's own list is in docs/protocol.md. */
const OF_THE_CONNECTION: Readonly<Record<string, (ids: Ids) => unknown>> = {
  "hub.runEvents": ({ run }) => ({ runId: run }),
  "hub.progress": ({ asked }) => ({ requestId: asked, value: 1 }),
  "hub.log": ({ asked }) => ({ requestId: asked, level: "info", message: "from a stranger" }),
  "hub.heartbeat": () => ({ load: 0 }),
};

/** Namespaces of the hub's own operations, which look at what is stored; all others know their input alone. */
const OF_THE_HUB: readonly string[] = ["hub", "coord", "task", "session", "inference", "workflow"];

/** Operations of the hub that are about what organizations have; all others are about their input alone. */
const SESSION = {
  id: "m",
  sessionId: null,
  status: "completed",
  branch: null,
  directory: null,
  spoke: null,
  error: null,
  result: null,
};
const OPERATIONS: Readonly<Record<string, (ids: Ids) => unknown>> = {
  "hub.list": () => ({}),
  "hub.search": () => ({ query: "private secret mine op" }),
  "hub.schema": ({ operation }) => ({ operationId: operation }),
  "hub.call": ({ operation }) => ({ operationId: operation, input: {} }),
  "hub.listRoles": () => ({}),
  "hub.getRole": ({ role }) => ({ role }),
  "hub.archiveRole": ({ role }) => ({ name: role }),
  "hub.createRole": ({ role }) => ({ name: role, role: { systemPrompt: "of the stranger" } }),
  "hub.listAccounts": () => ({}),
  "hub.createAccount": ({ account }) => ({ accountId: account }),
  "coord.spawn": ({ mapping }) => ({ tasks: [{ task: "x" }], parentSessionId: mapping }),
  "coord.status": () => ({}),
  "coord.message": ({ mapping }) => ({ id: mapping, message: "hello" }),
  "coord.notify": ({ mapping }) => ({ sessionId: mapping, message: "hello" }),
  "coord.abort": ({ mapping }) => ({ ids: [mapping] }),
  "coord.wait": ({ mapping }) => ({ ids: [mapping] }),
  "coord.detect": ({ mapping }) => ({ ids: [mapping] }),
  "session.create": ({ session, model }) => ({ model, parentSessionId: session }),
  "session.prompt": ({ session }) => ({ sessionId: session, text: "of the stranger" }),
  "session.stop": ({ session }) => ({ sessionId: session }),
  "session.fork": ({ session }) => ({ sessionId: session }),
  "session.compact": ({ session }) => ({ sessionId: session }),
  "session.get": ({ session }) => ({ sessionId: session }),
  "session.list": () => ({}),
  "session.messages": ({ session }) => ({ sessionId: session }),
  "session.search": () => ({ query: "secret" }),
  "session.generate": ({ session, turn }) => ({ session, turn }),
  "session.advance": ({ session, turn }) => ({ session, turn, seenSeq: 1, toolCalls: 0 }),
  "session.tool": ({ session, turn, operation }) => ({
    session,
    turn,
    message: "m",
    call: { toolCallId: "t", operationId: operation, input: {}, approve: false },
    answer: null,
  }),
  "session.run": ({ session, turn }) => ({ session, turn }),
  "session.turn": ({ session, turn }) => ({ session, turn }),
  "session.step": ({ session, turn }) => ({ session, turn, name: "n", text: "of the stranger", seenSeq: 1 }),
  "session.append": ({ session, turn }) => ({ session, turn, messageId: "m", toolCallId: "c", output: 1 }),
  "session.delta": ({ session, turn }) => ({ session, turn, name: "n", text: "of the stranger" }),
  "session.finish": ({ session, turn }) => ({ session, turn, seenSeq: 1 }),
  "task.list": ({ board }) => ({ board }),
  "task.show": ({ board }) => ({ board, id: "a" }),
  "task.deps": ({ board }) => ({ board, id: "a" }),
  "task.validate": ({ board }) => ({ board }),
  "task.topo": ({ board }) => ({ board }),
  "task.parallelGroups": ({ board }) => ({ board }),
  "task.criticalPath": ({ board }) => ({ board }),
  "task.bottlenecks": ({ board }) => ({ board }),
  "task.risk": ({ board }) => ({ board }),
  "task.cost": ({ board }) => ({ board }),
  "task.decompose": ({ board }) => ({ board }),
  "task.estimate": ({ board }) => ({ board }),
  "task.put": ({ board }) => ({ board, id: "a", task: { name: "of the stranger" } }),
  "task.updateStatus": ({ board }) => ({ board, id: "a", status: "failed" }),
  "task.sync": ({ board }) => ({ board }),
  "task.run": ({ board }) => ({ board }),
  "task.createBoard": ({ board }) => ({ board, title: "of the stranger" }),
  "task.begin": ({ board }) => ({ board, id: "a" }),
  "task.check": ({ board }) => ({ board, id: "a", done: true, session: SESSION }),
  "task.verdict": ({ board }) => ({ board, id: "a", done: true, session: SESSION }),
  "task.merge": ({ board }) => ({
    board,
    id: "a",
    name: "x",
    repository: null,
    spoke: "namesake",
    branch: "x",
    directory: null,
    reviewed: null,
  }),
  "task.finish": ({ board }) => ({ board, id: "a", hash: null, result: null }),
  "task.fail": ({ board }) => ({ board, id: "a", errors: [] }),
  "task.settle": ({ board }) => ({ board, ids: ["a"] }),
  "inference.chat": ({ model }) => ({ model, messages: [{ role: "user", content: "hello" }] }),
  "inference.chatStream": ({ model }) => ({ model, messages: [{ role: "user", content: "hello" }] }),
  "inference.authorise": ({ asked }) => ({ call: asked }),
  "inference.reserve": ({ asked }) => ({ call: asked }),
  "inference.attempt": ({ asked }) => ({ call: asked }),
  "inference.settle": ({ asked }) => ({ call: asked }),
};

Deno.test("a key of another organization gets nothing over a socket, and says nothing in another's name (I9)", async (t) => {
  const provider = new FakeProvider();
  const stranger = await withStranger({ egress: { allowPrivate: [new URL(provider.url).host] } });
  await using hub = await startHubProcess({ dataDir: stranger.dataDir });
  const { ids, socket } = await furnish(hub, provider);
  const none = nobodys(ids);
  const client = await openSocket(hub, stranger.key);
  const spoke = await openSocket(hub, stranger.key);
  const registration = {
    name: SECRET,
    operations: [{ namespace: "private", name: "strangers", description: "of the stranger" }],
  };
  assert.match(await spoke.ask("hub.register", registration), /"spokeId"/);

  await t.step("every operation of the hub is known here, or about its input alone", async () => {
    const { body } = await hub.api<{ items: { id: string }[] }>("GET", "/api/operations?limit=1000", {
      key: stranger.key,
    });
    const own = body.items.map(({ id }) => id).filter((id) => OF_THE_HUB.includes(id.split(".")[0]!));
    assert.deepEqual(own.filter((id) => !Object.hasOwn(OPERATIONS, id)), []);
  });
  for (const [operation, input] of Object.entries({ ...OPERATIONS, ...OF_THE_CONNECTION })) {
    for (const peer of [client, spoke]) {
      await t.step(`${operation}, asked by a ${peer === client ? "client" : "spoke"}`, async () => {
        const [mine, unknown] = [await peer.ask(operation, input(ids)), await peer.ask(operation, input(none))];
        // What it has said itself may come back.
        const said = bare(JSON.parse(mine), JSON.stringify(input(ids)).length > 2 ? ids : none);
        assert.ok(!said.includes(SECRET) && !said.includes("private.op"), said);
        assert.ok(!said.includes("VALIDATION_ERROR"), said);
        assert.equal(plain(mine, ids), plain(unknown, none));
      });
    }
  }
  await t.step("its operations and those of others are called by their id only", async () => {
    for (const peer of [client, spoke]) {
      assert.equal(
        plain(await peer.ask(ids.operation, {}), ids),
        plain(await peer.ask(none.operation, {}), none),
      );
    }
  });
  await t.step("answers to a call that another's spoke has are nobody's, whatever their form", async () => {
    const outcomes: readonly Message[] = [
      { type: "call.responded", payload: { requestId: ids.asked, output: envelopeOf("of a stranger") } },
      { type: "call.completed", payload: { requestId: ids.asked } },
      { type: "call.error", payload: { requestId: ids.asked, code: "BROKEN", message: "of a stranger" } },
      { type: "call.aborted", payload: { requestId: ids.asked } },
      { type: "__subscribe", payload: { topic: `call.responded:${ids.asked}` } },
      { type: "__subscribe", payload: { topic: "call.requested" } },
      { type: "__unsubscribe", payload: { topic: "call.requested" } },
    ];
    for (const peer of [client, spoke]) {
      for (const message of outcomes) peer.say(message);
      // In order: once this is answered, all of them have been taken.
      await peer.ask("hub.search", { query: "x" });
    }
    assert.equal((await hub.api("GET", `/api/runs/${ids.busy}`)).body.status, "running");
  });
  await t.step("a spoke of the same name and operation takes no call of another organization", async () => {
    const namesake = await openSocket(hub, stranger.key);
    const operations = [{ namespace: "private", name: "op", description: "of the stranger" }];
    assert.match(await namesake.ask("hub.register", { name: "namesake", operations }), /"spokeId"/);
    const before = namesake.calls();
    const run = await hub.api<{ id: string }>("POST", `/api/workflows/${SECRET}/runs`, { body: {} });
    await until("the call is on the owner's spoke", async () => {
      const { body } = await hub.api<{ items: { operationId: string }[] }>("GET", `/api/runs/${run.body.id}/calls`);
      return body.items.some(({ operationId }) => operationId === "private.op");
    });
    await namesake.ask("hub.search", { query: "x" });
    assert.equal(namesake.calls(), before);
    // Nor may it come back as what another organization's spoke is.
    const resumed = await openSocket(hub, stranger.key);
    const answer = await resumed.ask("hub.register", { name: SECRET, operations, resume: ids.spoke });
    assert.ok(!answer.includes(ids.spoke), answer);
    await Promise.all([namesake.close(), resumed.close()]);
  });
  await t.step("what the stranger took the names of stays what it was", async () => {
    const role = await hub.api<{ systemPrompt: string; archived: boolean }>("GET", "/api/roles/private-role");
    assert.equal(role.body.systemPrompt, SECRET);
    assert.equal((await hub.api("GET", "/api/accounts/private-account")).body.displayName, SECRET);
  });
  await t.step("the owner's own answer is what its run ends with", async () => {
    const payload = { requestId: ids.asked, output: envelopeOf("of the owner") };
    socket.send(JSON.stringify({ type: "call.responded", id: "", payload }));
    const run = await until("the run has ended", async () => {
      const { body } = await hub.api<{ status: string; output: unknown }>("GET", `/api/runs/${ids.busy}`);
      return body.status !== "running" && body;
    });
    assert.deepEqual([run.status, run.output], ["completed", "of the owner"]);
    const logs = await hub.api("GET", `/api/runs/${ids.busy}/logs`);
    assert.ok(!JSON.stringify(logs.body).includes("stranger"), JSON.stringify(logs.body));
    assert.equal((await hub.api("GET", `/api/spokes/${ids.spoke}`)).body.status, "connected");
  });
  await Promise.all([client.close(), spoke.close()]);
  socket.close();
  await new Promise<void>((resolve) => socket.onclose = () => resolve());
  await provider.stop();
});

/** Without request ids, times and names of the organization or of nobody, and without what of the asker's own is like them. */
function plain(text: string, ids: Ids): string {
  return bare(JSON.parse(text), ids).replace(/"requestId":"[^"]*"/g, "-").replace(
    /"(timestamp|at|createdAt|updatedAt)":\d+/g,
    "-",
  )
    .replace(/"role":\{"id":"[^"]*"/, "-").replace(/; did you mean [^?]*\?/g, "").replace(/,"similar":\[[^\]]*\]/g, "");
}

function envelopeOf(data: unknown): Message {
  return { data, meta: { source: "local", operationId: "private.op", timestamp: Date.now() } };
}

async function openSocket(hub: HubProcess, key: string) {
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${key}`]);
  const waiting = new Map<string, (answer: string) => void>();
  let calls = 0;
  socket.onmessage = ({ data }) => {
    const { type, payload } = JSON.parse(String(data)) as { type: string; payload: { requestId?: string } };
    if (type === "call.requested") calls++;
    waiting.get(payload.requestId ?? "")?.(String(data));
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("The socket was refused"));
  });
  const say = (message: Message): void => socket.send(JSON.stringify({ id: "", ...message }));
  return {
    say,
    /** How many calls it was sent. */
    calls: () => calls,
    /** The first answer to one call, as text. */
    ask(operationId: string, input: unknown): Promise<string> {
      const requestId = crypto.randomUUID();
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const timer = setTimeout(() => reject(new Error(`No answer to ${operationId}`)), 10_000);
      waiting.set(requestId, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      say({ type: "call.requested", payload: { requestId, operationId, input } });
      return promise;
    },
    async close(): Promise<void> {
      socket.close();
      await new Promise<void>((resolve) => socket.onclose = () => resolve());
    },
  };
}
