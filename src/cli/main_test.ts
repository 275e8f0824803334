import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Answer, command, hub, problem } from "./_command.ts";

const HELLO = fileURLToPath(new URL("../../workflows/hello.tsx", import.meta.url));

const RUN = {
  id: "run-1",
  workflow: "report",
  version: "v1",
  status: "completed",
  createdAt: 90_000,
  completedAt: 90_500,
  input: {},
  output: { n: 1 },
  error: null,
  labels: {},
  parentRunId: null,
  progress: { total: 1, completed: 1 },
};

const frame = (seq: number, type: string, more: object = {}): string =>
  `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify({ type, seq, at: seq, ...more })}\n\n`;

const stream = (text: string): Response => new Response(text, { headers: { "content-type": "text/event-stream" } });

Deno.test("runCli() explains a command line that it cannot understand, with exit code 2", async () => {
  const cases = [
    [["rnu"], /no command `hub rnu`[\s\S]*Did you mean `hub run`/],
    [["runs", "list", "--sttaus", "x"], /Unknown option "--sttaus"[\s\S]*"--status"/],
    [["run"], /wants <workflow>/],
    [["run", "a", "b"], /takes no further word: current value is "b"/],
    [["run", "a", "--input"], /"--input" wants a value: JSON\|@file/],
    [["run", "a", "--watch=yes"], /"--watch" takes no value/],
    [["run", "a", "--input", "{", "--url", "http://x"], /is not JSON/],
    [["run", "a", "--input", "@/nowhere", "--url", "http://x"], /no file "\/nowhere"/],
    [["graph", "a", "--format", "png", "--url", "http://x"], /--format wants one of text, mermaid, dot, svg, json/],
    [["runs", "list", "--url", "ftp://x"], /not the address of a hub/],
  ] as const;
  for (const [words, message] of cases) {
    const told = await command(words);
    assert.deepEqual([told.code, told.out], [2, ""], words.join(" "));
    assert.match(told.err, message);
  }
});

Deno.test("runCli() says how to start a hub when none is known or none answers", async () => {
  const unknown = await command(["runs", "list", "--data-dir", "/nowhere"]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /"\/nowhere\/hub\.json" is not there[\s\S]*deno task start/);
  const silent = await command(["runs", "list"], { HUB_URL: "http://127.0.0.1:1", HUB_KEY: "k" });
  assert.equal(silent.code, 1);
  assert.match(silent.err, /No hub answers at http:\/\/127\.0\.0\.1:1\n.*deno task start/);
});

Deno.test("runCli() finds url and key in the data directory", async () => {
  const dataDir = await Deno.makeTempDir();
  let key: string | null = null;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    key = request.headers.get("authorization");
    return Response.json({ items: [], nextCursor: null });
  });
  await Deno.writeTextFile(`${dataDir}/hub.json`, JSON.stringify({ url: `http://127.0.0.1:${server.addr.port}` }));
  await Deno.writeTextFile(`${dataDir}/admin.key`, "alk_1\n");
  const told = await command(["runs", "list"], { HUB_DATA_DIR: dataDir });
  assert.deepEqual([told.code, key], [0, "Bearer alk_1"]);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("`hub run` starts a run and prints its id alone on stdout", async () => {
  let body: unknown = null, idempotencyKey: string | null = null;
  const told = await hub(
    ["run", "my flow", "--input", '{"a":1}', "--label", "k=v=w", "--priority", "-3", "--idempotency-key", "once"],
    async (request) => {
      body = await request.json();
      idempotencyKey = request.headers.get("idempotency-key");
      return Response.json({ id: "run-1", status: "running" }, { status: 202 });
    },
  );
  assert.deepEqual([told.code, told.out], [0, "run-1"]);
  assert.deepEqual(told.requests, ["POST /api/workflows/my%20flow/runs"]);
  assert.deepEqual(body, { input: { a: 1 }, labels: { k: "v=w" }, priority: -3 });
  assert.equal(idempotencyKey, "once");
});

Deno.test("`hub run --watch` goes on after the last event when the connection drops, then prints the output", async () => {
  const lastIds: (string | null)[] = [];
  const told = await hub(["run", "report", "--watch"], (request, { pathname }) => {
    if (request.method === "POST") return Response.json({ id: "run-1", status: "running" }, { status: 202 });
    if (pathname === "/api/runs/run-1") return Response.json(RUN);
    if (pathname === "/api/runs/run-1/graph") return Response.json({ nodes: [] });
    if (pathname !== "/api/runs/run-1/events") return undefined;
    lastIds.push(request.headers.get("last-event-id"));
    return lastIds.length === 1
      ? stream(
        `: hello\n\n${frame(1, "run.created")}${
          frame(2, "call.requested", { key: "a", operationId: "x.y" })
        }id: 3\neve`,
      )
      : stream(frame(3, "call.responded", { key: "a" }) + frame(4, "run.completed"));
  });
  assert.equal(told.code, 0);
  assert.deepEqual(lastIds, ["0", "2"]);
  assert.match(told.err, /▸ a .*x\.y[\s\S]*✓ a .*x\.y[\s\S]*Run run-1 completed in 500 ms/);
  assert.equal(told.out, '{\n  "n": 1\n}');
});

Deno.test("`hub run --wait` ends with 1 and the error when the run failed", async () => {
  const failed = { ...RUN, status: "failed", output: null, error: { code: "BAD", message: "no", nodeKey: "a" } };
  const told = await hub(["run", "report", "--wait"], (request, { pathname }) => {
    if (request.method === "POST") return Response.json({ id: "run-1", status: "running" }, { status: 202 });
    return pathname.endsWith("/events") ? stream(frame(1, "run.failed")) : Response.json(failed);
  });
  assert.deepEqual([told.code, told.out], [1, ""]);
  assert.match(told.err, /Run run-1 failed in 500 ms at node "a": BAD: no/);
});

Deno.test("commands tell a problem with its errors and what to do", async () => {
  const invalid = await hub(
    ["run", "report"],
    () =>
      problem(400, "VALIDATION_ERROR", "Input does not fit", { errors: [{ path: "/n", message: "Expected integer" }] }),
  );
  assert.equal(invalid.code, 2);
  assert.match(invalid.err, /Input does not fit\n {2}\/n: Expected integer/);
  const failed = await hub(["operations", "call", "a.b"], () => problem(422, "NO_PAPER", "The tray is empty"));
  assert.equal(failed.code, 1);
  assert.match(failed.err, /NO_PAPER: The tray is empty/);
  const denied = await hub(["runs", "list"], () => problem(401, "UNAUTHENTICATED", "No key"));
  assert.equal(denied.code, 1);
  assert.match(denied.err, /No key[\s\S]*--key or HUB_KEY_FILE/);
  const missing = await hub(["runs", "show", "x"], () => problem(404, "RUN_NOT_FOUND", 'Cannot find run "x"'));
  assert.match(missing.err, /Cannot find run "x"[\s\S]*hub runs list/);
  const html = await hub(["runs", "list"], () => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  assert.match(html.err, /answered 502 Bad Gateway/);
});

Deno.test("`hub runs list` prints a table, or the page as JSON", async () => {
  const page = { items: [RUN, { ...RUN, id: "run-2", status: "failed", errorCode: "BAD" }], nextCursor: "c2" };
  const words = ["runs", "list", "--status", "failed", "--status", "completed"];
  const told = await hub(words, () => Response.json(page));
  assert.deepEqual(told.requests, ["GET /api/runs?status=failed&status=completed"]);
  assert.match(told.out, /✓ {2}run-1 {2}report {3,}10 s ago {2}500 ms\n✗ {2}run-2 .* BAD$/);
  assert.match(told.err, /--cursor c2/);
  assert.deepEqual(JSON.parse((await hub([...words, "--json"], () => Response.json(page))).out), page);
});

Deno.test("`hub graph` draws the containers that the run's own plan has", async () => {
  const graph = {
    runId: "run-1",
    workflow: "report",
    status: "completed",
    nodes: [{
      key: "a",
      kind: "operation",
      operationId: "x.y",
      title: null,
      parent: "p",
      status: "completed",
      attempts: 1,
      startedAt: 1,
      completedAt: 3,
    }],
    tree: [{ key: "p", kind: "parallel", parent: -1 }, { key: "a", kind: "operation", parent: 0, operationId: "x.y" }],
  };
  const told = await hub(["graph", "run-1"], () => Response.json(graph));
  assert.equal(told.code, 0);
  assert.match(told.out, /└ ✓ p {2}parallel .*2 ms\n {2}└ ✓ a {2}x\.y {2,}2 ms/);
  const dot = await hub(["graph", "run-1", "--format", "dot"], () => new Response("digraph {}\n"));
  assert.deepEqual([dot.out, dot.requests], ["digraph {}", ["GET /api/runs/run-1/graph?format=dot"]]);
});

Deno.test("`hub workflows validate` checks a file without a hub and ends with 1 on problems", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/bad.tsx`;
  await Deno.writeTextFile(
    path,
    `import { defineWorkflow, Operation, ref } from "@alkdev/flowgraph";
export default defineWorkflow({ name: "bad", template: <Operation name="core.echo" key="a" input={{ value: ref("b") }} /> });`,
  );
  const told = await command(["workflows", "validate", path, "--data-dir", "/nowhere"]);
  assert.equal(told.code, 1);
  assert.match(told.out, /unknown-reference[\s\S]*"b"/);
  const good = await command(["workflows", "validate", HELLO, "--data-dir", "/nowhere", "--json"]);
  assert.deepEqual([good.code, JSON.parse(good.out)], [0, { valid: true, problems: [] }]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("`hub keys create` puts the key alone on stdout", async () => {
  let body: unknown = null;
  const record = { id: "k1", name: "ci", scopes: ["run:read"], status: "active", createdAt: 1, lastUsedAt: null };
  const told = await hub(
    ["keys", "create", "--name", "ci", "--scope", "run:read", "--expires", "2"],
    async (request) => {
      body = await request.json();
      return Response.json({ key: "alk_new", record }, { status: 201 });
    },
  );
  assert.deepEqual([told.code, told.out], [0, "alk_new"]);
  assert.deepEqual(body, { name: "ci", scopes: ["run:read"], expiresAt: 100_000 + 2 * 86_400_000 });
});

Deno.test("`hub runs signal` hands the payload over as the body", async () => {
  let body: unknown = null;
  const told = await hub(["runs", "signal", "run-1", "go on", "--payload", '{"ok":true}'], async (request) => {
    body = await request.json();
    return Response.json({ accepted: true }, { status: 202 });
  });
  assert.deepEqual([told.code, told.requests, body], [0, ["POST /api/runs/run-1/signals/go%20on"], { ok: true }]);
});

Deno.test("`hub runs fork` and `rerun` say from where, and how many results were reused", async () => {
  const bodies: unknown[] = [];
  const answer: Answer = async (request) => {
    bodies.push(await request.json());
    return Response.json({ id: "run-2", status: "running", duplicate: false, reused: 3 }, { status: 202 });
  };
  const fork = await hub(
    ["runs", "fork", "run-1", "--from", "a[1]", "--from", "b", "--at", "7", "--input", "{}"],
    answer,
  );
  assert.deepEqual([fork.code, fork.out, fork.err], [0, "run-2", "3 results reused"]);
  const rerun = await hub(["runs", "rerun", "run-1", "--from-failed", "--version", "v2"], answer);
  assert.deepEqual(rerun.requests, ["POST /api/runs/run-1/rerun"]);
  assert.deepEqual(bodies, [{ at: 7, from: ["a[1]", "b"], input: {} }, { fromFailed: true, version: "v2" }]);
  const wrong = await hub(["runs", "fork", "run-1", "--at", "x"], answer);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /"--at" wants the seq of an event: current value is "x"/);
});

Deno.test("`hub runs migrate` shows what differs, and ends with 1 and the reasons when it cannot be", async () => {
  const diff = {
    added: [{ key: "new", kind: "operation", operationId: "core.echo" }],
    removed: [{ key: "old", kind: "sleep" }],
    changed: [{
      key: "a",
      kind: "operation",
      operationId: "core.echo",
      affectsResult: true,
      fields: [{ field: "input", from: 1, to: "x".repeat(90) }],
    }],
    unchanged: 1,
    edges: { added: [], removed: [] },
  };
  const reasons = [{ key: "a", reason: "It has begun" }];
  const migration = { runId: "run-1", from: "v1", to: "v2", migrated: false, allowed: false, reasons, diff };
  const told = await hub(["runs", "migrate", "run-1", "--version", "v2", "--dry-run"], () => Response.json(migration));
  assert.equal(told.code, 1);
  assert.match(
    told.out,
    /^\+ new {2}core.echo\n- old {2}sleep\n~ a {2}core.echo\n {4}input: 1 -> "x{58}…\n1 node is the same/,
  );
  assert.match(told.out, /cannot be moved to version v2/);
  assert.equal(told.err, "a: It has begun");
  const missing = await hub(["runs", "migrate", "run-1"], () => undefined);
  assert.deepEqual([missing.code, missing.requests], [2, []]);
});

Deno.test("`hub --help` and each command's --help tell what there is", async () => {
  const help = await command(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /serve[\s\S]*demo[\s\S]*doctor/);
  const nothing = await command([]);
  assert.deepEqual([nothing.code, nothing.out], [2, ""]);
  const run = await command(["run", "--help"]);
  assert.match(run.out, /Usage: hub run <workflow> \[options\][\s\S]*-i, --input JSON\|@file/);
});

Deno.test("runCli() follows a run's log until its end, after the line it is told", async () => {
  const line = (id: number, message: string) =>
    `id: ${id}\nevent: log\ndata: ${
      JSON.stringify({ id, at: id, key: "a", attempt: 1, level: "warn", message, data: { n: id } })
    }\n\n`;
  const ids: (string | null)[] = [];
  const told = await hub(["runs", "logs", "run-1", "--follow", "--node", "a", "--after", "6"], (request, url) => {
    if (url.pathname !== "/api/runs/run-1/logs") return undefined;
    ids.push(request.headers.get("last-event-id"));
    return stream(ids.length === 1 ? line(7, "first") : line(8, "second") + "event: end\ndata: {}\n\n");
  });
  assert.equal(told.code, 0, told.err);
  assert.deepEqual(ids, ["6", "7"]);
  assert.match(told.out, /warn {2}a {2}first \{"n":7\}\n.*second \{"n":8\}/);
  assert.match(told.requests[0]!, /\?node=a$/);
});

Deno.test("hub types prints the declarations, or writes them to a file", async () => {
  const answer: Answer = (_request, url) =>
    url.pathname === "/api/types"
      ? new Response("declare module {}\n", { headers: { "content-type": "text/typescript" } })
      : undefined;
  const printed = await hub(["types"], answer);
  assert.deepEqual([printed.code, printed.out, printed.requests], [0, "declare module {}", ["GET /api/types"]]);
  const out = await Deno.makeTempFile();
  try {
    const written = await hub(["types", "--out", out], answer);
    assert.deepEqual([written.code, written.out], [0, ""]);
    assert.equal(await Deno.readTextFile(out), "declare module {}\n");
  } finally {
    await Deno.remove(out);
  }
  const project = await Deno.makeTempDir();
  try {
    const made = await hub(["types", "--project", project, "--json"], answer);
    assert.deepEqual(JSON.parse(made.out).files, [`${project}/hub_types.d.ts`, `${project}/deno.json`]);
    const { imports, compilerOptions } = JSON.parse(await Deno.readTextFile(`${project}/deno.json`));
    assert.deepEqual(compilerOptions.types, ["./hub_types.d.ts"]);
    assert.match(imports["@alkdev/flowgraph/jsx-runtime"], /^\/.*jsx_runtime\.ts$/);
    const again = await hub(["types", "--project", project, "--json"], answer);
    assert.deepEqual(JSON.parse(again.out).files, [`${project}/hub_types.d.ts`], "what is there is left alone");
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});

Deno.test("runCli() shows what a dry-run estimates, and what it does not know", async () => {
  const range = { p10: 900, p50: 1_000, p90: 2_500 };
  const work = { operationId: "t.work", attempts: 40, failureRate: 0.1, durationMs: range, costMicros: null };
  const estimate = {
    durationMs: range,
    calls: { p10: 3, p50: 3, p90: 4 },
    costMicros: null,
    tokens: null,
    failureRisk: { p10: 0.01, p50: 0.12, p90: 0.3 },
    samples: 40,
    missing: [{ key: "later", what: "branch" }],
    operations: [work],
    workflow: { ...work, operationId: "report" },
  };
  const told = await hub(
    ["workflows", "dry-run", "report"],
    () => Response.json({ name: "report", plan: { tree: [] }, input: {}, estimate }),
  );
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /duration +0?\.?9.*1\.?0? ?s.*2\.5 ?s/);
  assert.match(told.out, /cost +not known/);
  assert.match(told.out, /risk of failure +1\.0 % +12 % +30 %/);
  assert.match(told.out, /Never seen: later \(branch\)/);
  assert.match(told.out, /40 runs of this workflow so far/);
});
