/** A client that is removed while it is called as fast as it can be: what it had begun ends well, and nothing begins after. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { startService } from "../support/clients/service.ts";
import { CALLER, type ClientsWorld, clientsWorld, eventually } from "./_clients_world.ts";

const CALLERS = 40;
const SCRIPT = new URL("../support/clients/mcp_server.ts", import.meta.url).pathname;

interface Load {
  /** Answers so far. */
  readonly answered: () => number;
  /** Resolves when every caller has been told that the operation is not there; gives codes of all other errors. */
  readonly over: Promise<readonly string[]>;
}

/** More callers than the client has places, each of which calls again when it has its answer. */
function load(world: ClientsWorld, operationId: string, input: unknown): Load {
  let answered = 0;
  const caller = async (): Promise<readonly string[]> => {
    const wrong: string[] = [];
    while (true) {
      try {
        await world.call(operationId, input);
        answered++;
      } catch (error) {
        const code = error instanceof CallError ? error.code : String(error);
        if (code === "OPERATION_NOT_FOUND") return wrong;
        wrong.push(code);
        if (wrong.length > 3) return wrong;
      }
    }
  };
  const over = Promise.all(Array.from({ length: CALLERS }, caller)).then((all) => all.flat());
  return { answered: () => answered, over };
}

async function removeUnder(world: ClientsWorld, { answered, over }: Load): Promise<void> {
  await eventually("it is under way", () => answered() > 200);
  await world.clients.remove({ caller: CALLER, name: "gone" });
  assert.deepEqual(await over, []);
  assert.deepEqual(world.names(), []);
}

Deno.test("remove() lets calls of a service end that it had begun, those that wait for a place among them", async () => {
  const service = startService();
  await using world = clientsWorld({ allowPrivate: [service.host] });
  try {
    const body = { type: "openapi", spec: `${service.url}/openapi.json`, maxConcurrency: 4 };
    await world.clients.put({ caller: CALLER, name: "gone", body });
    const calls = load(world, "gone.getPet", { id: "a" });
    await removeUnder(world, calls);
    assert.equal(service.seen.length, calls.answered());
  } finally {
    await service.stop();
  }
});

Deno.test({
  name: "remove() ends the process of an MCP server when the last of its calls has its answer",
  // The SDK gives a process that is being closed two seconds, by a timer that it does not take back.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const file = await Deno.makeTempFile();
    const [command = "", ...args] = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", SCRIPT, file];
    await using world = clientsWorld({ commands: [{ run: [command, ...args].join(" ") }] });
    const body = { type: "mcp", command, args, maxConcurrency: 4 };
    await world.clients.put({ caller: CALLER, name: "gone", body });
    await removeUnder(world, load(world, "gone.echo", { text: "hi" }));
    const [pid] = (await Deno.readTextFile(file)).split("\n").flatMap((line) =>
      line.startsWith("pid ") ? [Number(line.slice(4))] : []
    );
    assert.ok(pid !== undefined);
    await eventually("its process is gone", async () => await isGone(pid));
    await Deno.remove(file);
  },
});

async function isGone(pid: number): Promise<boolean> {
  const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => null);
  return state === null || state.slice(state.lastIndexOf(")") + 2).startsWith("Z");
}
