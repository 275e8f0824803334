import assert from "node:assert/strict";
import { CallError, OperationRegistry } from "../mod.ts";
import { MCPClientLoader } from "./mod.ts";

const SERVER = new URL("_growing_server.ts", import.meta.url).pathname;
const growing = { command: Deno.execPath(), args: ["run", "-A", "--no-config", "--no-lock", SERVER] };

/** The SDK gives a process that is being closed two seconds, by a timer that it does not take back. */
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });

test("MCPClientLoader.refresh() follows a server that says that its tools are others", async () => {
  const changed = Promise.withResolvers<string>();
  const loader = new MCPClientLoader("1.0.0", changed.resolve);
  try {
    await loader.load({ s: growing });
    const registry = new OperationRegistry();
    loader.registerAll(registry);
    const ids = () => registry.list().map(({ namespace, name }) => `${namespace}.${name}`).sort();
    assert.deepEqual(ids(), ["s.old", "s.swap"]);
    assert.deepEqual(await loader.refresh("s", registry), { added: [], removed: [] });
    await registry.execute("s.swap", {});
    assert.equal(await changed.promise, "s");
    assert.deepEqual(ids(), ["s.old", "s.swap"]);
    assert.deepEqual(await loader.refresh("s", registry), { added: ["s.new"], removed: ["s.old"] });
    assert.deepEqual(ids(), ["s.new", "s.swap"]);
    assert.deepEqual(loader.getAllOperations().map(({ name }) => name), ["swap", "new"]);
    await assert.rejects(registry.execute("s.old", {}), { code: "OPERATION_NOT_FOUND" });
    await registry.execute("s.new", {});
  } finally {
    await loader.closeAll();
  }
});

test("MCPClientLoader.refresh() keeps what it knows when the server has gone, and refuses unknown names", async () => {
  const loader = new MCPClientLoader();
  try {
    await loader.load({ s: growing });
    await loader.getClient("s")?.close();
    await assert.rejects(
      loader.refresh("s"),
      (error) => error instanceof CallError && error.code === "EXECUTION_ERROR",
    );
    assert.equal(loader.getAllOperations().length, 2);
    await assert.rejects(loader.refresh("none"), /"none" as it is not loaded/);
  } finally {
    await loader.closeAll();
  }
});
