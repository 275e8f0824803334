import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { MemoryExchange } from "./memory_bus.ts";
import { createRunOwners } from "./run_owners.ts";

const hasCode = (code: string, message: RegExp = /./) => (error: unknown) => {
  assert.ok(error instanceof CallError);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};
const command = { runId: "r", by: "ann", command: { type: "pause" } } as const;
const notHere = () => Promise.reject(new CallError("RUN_NOT_HERE", "Not here"));

Deno.test("command() is carried out by the owner, and rejects as the owner does", async () => {
  const exchange = new MemoryExchange();
  const ownerOf = () => Promise.resolve("b");
  const a = createRunOwners({ bus: exchange.bus("a"), ownerOf, perform: notHere });
  const done: unknown[] = [];
  createRunOwners({
    bus: exchange.bus("b"),
    ownerOf,
    perform: (params) => {
      if (params.command.type === "abort") return Promise.reject(new CallError("RUN_ENDED", "It has ended"));
      done.push(params);
      return Promise.resolve();
    },
  });
  await a.command(command);
  assert.deepEqual(done, [command]);
  await assert.rejects(a.command({ ...command, command: { type: "abort", reason: "x" } }), hasCode("RUN_ENDED"));
});

Deno.test("command() follows a run that changes hands, and gives up where it stays", async () => {
  const exchange = new MemoryExchange();
  const owners = ["b", "c", "c"];
  const a = createRunOwners({
    bus: exchange.bus("a"),
    ownerOf: () => Promise.resolve(owners.shift() ?? "c"),
    perform: notHere,
  });
  let done = 0;
  createRunOwners({ bus: exchange.bus("b"), ownerOf: () => Promise.resolve("b"), perform: notHere });
  createRunOwners({
    bus: exchange.bus("c"),
    ownerOf: () => Promise.resolve("c"),
    perform: () => Promise.resolve(void done++),
  });
  await a.command(command);
  assert.equal(done, 1);
  owners.push("b", "b");
  await assert.rejects(a.command(command), hasCode("RUN_NOT_HERE"));
});

Deno.test("command() says RUN_NOT_HERE and why when the owner cannot be reached", async () => {
  const exchange = new MemoryExchange();
  const a = createRunOwners({
    bus: exchange.bus("a"),
    ownerOf: () => Promise.resolve("b"),
    perform: notHere,
    timeoutMs: 20,
  });
  await assert.rejects(a.command(command), hasCode("RUN_NOT_HERE", /does not listen/));
  createRunOwners({
    bus: exchange.bus("b"),
    ownerOf: () => Promise.resolve("b"),
    perform: () => new Promise(() => {}),
  });
  await assert.rejects(a.command(command), hasCode("RUN_NOT_HERE", /in time; it may have been carried out/));
  exchange.setUp(false);
  await assert.rejects(a.command(command), hasCode("RUN_NOT_HERE", /bus between hubs is away/));
});
