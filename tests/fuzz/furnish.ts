/** A hub with something of everything in it, so that requests get further than "there is no such thing". */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, until } from "../e2e/_hub_process.ts";
import type { Pools } from "./route_arbitrary.ts";

/** Operations that end by themselves, whatever they are given. */
const OPERATIONS = ["core.echo", "core.eval", "core.fail", "core.http", "hub.list", "hub.search", "hub.schema"];

export interface Furnished {
  readonly pools: Pools;
  /** Values by the name of a property or parameter. */
  readonly hints: ReadonlyMap<string, readonly unknown[]>;
}

/** Registers workflows, starts runs and makes one of each thing that has an id. */
export async function furnish(hub: HubProcess): Promise<Furnished> {
  const make = async (method: string, path: string, body: unknown, wait = false): Promise<Record<string, unknown>> => {
    const headers: Record<string, string> = wait ? { prefer: "wait=5" } : {};
    const answer = await hub.api(method, path, { body, headers });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const echo = operation("core.echo", "a", { value: { $ref: "input" } });
  const asks = container("sequential", [
    echo,
    { type: "approval", props: { key: "ok", question: "Go on?" } },
    operation("core.echo", "b", { value: { $ref: "nodes.ok" } }),
  ]);
  const broken = operation("core.fail", "f", { code: "BROKEN", message: "as asked" });
  await make("PUT", "/api/workflows/echo", { template: echo });
  await make("PUT", "/api/workflows/asks", { template: asks });
  await make("PUT", "/api/workflows/broken", { template: broken });
  const done = await make("POST", "/api/workflows/echo/runs", { input: { n: 1 }, labels: { a: "b" } }, true);
  const failed = await make("POST", "/api/workflows/broken/runs", {}, true);
  const runs = [done["id"], failed["id"]];
  for (let n = 0; n < 4; n++) runs.push((await make("POST", "/api/workflows/asks/runs", {}))["id"]);
  await until("a run that asks", async () => {
    const { body } = await hub.api<{ items: unknown[] }>("GET", "/api/approvals");
    return body.items.length > 0;
  });
  const key = await make("POST", "/api/keys", { name: "spare", scopes: ["run:read"] });
  const schedule = await make("POST", "/api/schedules", { name: "daily", workflow: "echo", cron: "0 3 * * *" });
  const hook = await make("POST", "/api/webhooks", {
    kind: "inbound",
    name: "in",
    target: { workflow: "echo" },
  });
  await make("PUT", "/api/roles/writer", { systemPrompt: "Write." });
  await make("POST", "/api/accounts", { id: "bot" });
  await make("POST", "/api/boards", { name: "main" });
  for (const id of ["a", "b"]) await make("PUT", `/api/boards/main/tasks/${id}`, { name: id, dependsOn: [] });
  await make("PUT", "/api/limits/workflow:echo", { concurrency: 50 });
  const calls = (await hub.api<{ nodes?: { requestId: string }[]; items?: { requestId: string }[] }>(
    "GET",
    `/api/runs/${done["id"]}/calls`,
  )).body;
  const requestIds = JSON.stringify(calls).match(/"requestId":"([^"]+)"/g)?.map((found) => found.slice(13, -1)) ?? [];
  assert.ok(requestIds.length > 0);
  const pools = new Map<string, readonly string[]>([
    ["workflows.name", ["echo", "asks", "broken", "hello", "git_digest", "source_report"]],
    ["runs.id", runs.map(String)],
    ["runs.key", ["a", "ok", "b", "f"]],
    ["runs.name", ["ok"]],
    ["calls.requestId", requestIds],
    ["operations.id", OPERATIONS],
    ["keys.id", [String((key["key"] as Record<string, unknown>)["id"])]],
    ["schedules.id", [String(schedule["id"])]],
    ["webhooks.id", [String((hook["webhook"] as Record<string, unknown>)["id"])]],
    ["hooks.id", [String((hook["webhook"] as Record<string, unknown>)["id"])]],
    ["roles.name", ["writer", "writer@1", "assistant", "assistant@1"]],
    ["boards.name", ["main"]],
    ["boards.id", ["a", "b"]],
    ["accounts.id", ["bot", "admin"]],
    ["limits.key", ["workflow:echo", "operation:core.echo"]],
    ["flow.key", ["workflow:echo", "operation:core.echo"]],
    ["budgets.kind", ["key", "organization", "workflow", "run"]],
    ["budgets.id", ["echo", ...runs.map(String)]],
  ]);
  return { pools, hints: hintsOf(runs.map(String)) };
}

function hintsOf(runs: readonly string[]): Furnished["hints"] {
  const templates = [
    operation("core.echo", "a", { value: 1 }),
    container("map", [operation("core.echo", "each", { value: { $ref: "x" } })], {
      over: { $ref: "input.list" },
      as: "x",
    }),
    container("parallel", [operation("core.echo", "p", {}), operation("core.eval", "q", { expression: "1 + 1" })]),
    container("conditional", [operation("core.echo", "then", {})], { test: "input.n > 3" }),
  ];
  return new Map<string, readonly unknown[]>([
    ["workflow", ["echo", "asks", "broken"]],
    ["template", templates],
    ["cron", ["0 3 * * *", "*/5 4 * * 1", "0 0 29 2 *", "0 0 30 2 *", "61 * * * *", "* * * * * * *"]],
    ["timeZone", ["UTC", "Europe/Berlin", "Mars/Olympus"]],
    ["scopes", [["run:read"], ["workflow:run:report-*"], ["*"], [""]]],
    ["from", ["a", "ok", "b"]],
    ["ids", [runs.slice(0, 2)]],
    ["id", runs],
    ["q", ["core", "e"]],
    ["limit", [1, 2, 1000]],
    ["cursor", ["", "e30", "eyJhdCI6MX0", "W10", "bnVsbA", "AAAA", "%%%"]],
    ["at", [1, 2, 3]],
    ["url", [
      "https://example.invalid/x",
      "http://127.0.0.1:1/x",
      "http://[::1]/",
      "http://169.254.169.254/",
      "ftp://x/",
    ]],
    ["expression", ["1 + 1", "vars.a", "[1, 2].map(x, x * x)", "'a'.matches('(a+)+$')"]],
    ["input", [{}, { n: 1 }, { list: [1, 2, 3] }, null]],
    ["Prefer", ["wait=0", "wait=1", "wait=-1", "wait=99999999999999999999", "wait=x", "respond-async"]],
    ["Last-Event-ID", ["0", "1", "-1", "x", "9007199254740993"]],
    ["traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0"]],
    ["olderThan", ["1d", "0s", "-1d"]],
  ]);
}
