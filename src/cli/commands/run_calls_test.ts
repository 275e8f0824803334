import assert from "node:assert/strict";
import { hub } from "../_command.ts";

Deno.test("hub runs calls shows a table, or the tree with child runs", async () => {
  const call = {
    requestId: "run-1",
    runId: "run-1",
    nodeKey: null,
    operationId: "workflow.report",
    status: "completed",
    attempt: 1,
    startedAt: 90_000,
    durationMs: 500,
    error: null,
  };
  const failed = { code: "DOWN", message: "nobody there" };
  const child = { ...call, requestId: "c", nodeKey: "fetch", operationId: "core.http", status: "failed", attempt: 2 };
  const answer = (_request: Request, { pathname }: URL) =>
    pathname === "/api/runs/run-1/calls"
      ? Response.json({ items: [call, { ...child, error: failed }], nextCursor: null })
      : pathname === "/api/calls/run-1/tree"
      ? Response.json({ ...call, children: [{ ...child, error: failed, children: [] }] })
      : undefined;
  const table = await hub(["runs", "calls", "run-1"], answer);
  assert.match(table.out, /^✗ {2}fetch {2}core\.http {2,}2 {2}.*DOWN/m);
  const tree = await hub(["runs", "calls", "run-1", "--tree"], answer);
  assert.match(tree.out, /^✓ workflow\.report {2}500 ms\n└ ✗ fetch {2}core\.http \(attempt 2\) .*DOWN: nobody there$/);
});

Deno.test("hub runs events reads page after page", async () => {
  const told = await hub(["runs", "events", "run-1", "--json"], (_request, { searchParams }) => {
    const after = Number(searchParams.get("after"));
    const items = Array.from({ length: after === 0 ? 1_000 : 2 }, (_, i) => ({ seq: after + i + 1, at: 0, type: "x" }));
    return Response.json({ items, nextCursor: null });
  });
  assert.deepEqual(JSON.parse(told.out).at(-1).seq, 1_002);
  const text = await hub(
    ["runs", "events", "run-1"],
    () =>
      Response.json({ items: [{ runId: "run-1", seq: 1, at: 0, type: "branch.taken", key: "if", branch: "then" }] }),
  );
  assert.equal(text.out, '    1  1970-01-01T00:00:00.000Z  branch.taken     if  {"branch":"then"}');
});

Deno.test("hub webhooks, schedules and spokes show all of one", async () => {
  const schedule = { id: "s-1", name: "nightly", cron: "0 3 * * *", nextAt: 0, lastError: null };
  const told = await hub(
    ["schedules", "show", "nightly"],
    () => Response.json({ items: [schedule], nextCursor: null }),
  );
  assert.match(told.out, /^nextAt {2}1970-01-01T00:00:00\.000Z$/m);
  assert.doesNotMatch(told.out, /lastError/);
  const webhook = { id: "w-1", definition: { kind: "inbound", name: "greet" }, path: "/api/hooks/w-1" };
  const receipts = await hub(
    ["webhooks", "receipts", "greet"],
    (_request, { pathname }) =>
      pathname.endsWith("/receipts")
        ? Response.json({ items: [{ deliveryId: "msg-1", outcome: "started", at: 99_000, runId: "run-1" }] })
        : Response.json({ items: [webhook], nextCursor: null }),
  );
  assert.match(receipts.out, /^msg-1 {2,}started {2}.*run-1$/m);
  const spoke = await hub(["spokes", "show", "spoke-1"], () => Response.json({ id: "spoke-1", operations: ["a.b"] }));
  assert.match(spoke.out, /^operations {2}\["a\.b"\]$/m);
});
