/** A machine with one allowed directory, for tests of the reference spoke. */
import assert from "node:assert/strict";
import { CallError, OperationRegistry, subscribe } from "@alkdev/operations";
import { devOperations } from "./run_dev_spoke.ts";

export interface Machine extends AsyncDisposable {
  /** The allowed root. */
  readonly root: string;
  /** A directory beside it that is not allowed. */
  readonly outside: string;
  call(id: string, input: unknown, signal?: AbortSignal): Promise<Record<string, unknown>>;
  /** A subscription's chunks. */
  stream(id: string, input: unknown): AsyncIterable<unknown>;
}

/** `root`: that of another machine, instead of one of its own. */
export async function machine(
  allow: { commands?: string[]; hosts?: string[]; root?: string } = {},
): Promise<Machine> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const [root, outside] = [allow.root ?? `${base}/root`, `${base}/outside`];
  await Deno.mkdir(`${root}/src/deep`, { recursive: true });
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/secret.txt`, "secret");
  await Deno.writeTextFile(`${root}/a.txt`, "one\ntwo needle\nthree\n");
  await Deno.writeTextFile(`${root}/src/b.ts`, "// needle\n");
  await Deno.writeTextFile(`${root}/src/deep/c.ts`, "nothing\n");
  const registry = new OperationRegistry();
  for (
    const operation of await devOperations({ roots: [root], commands: allow.commands ?? [], hosts: allow.hosts ?? [] })
  ) {
    registry.register({
      description: "",
      version: "1.0.0",
      type: "mutation",
      inputSchema: {},
      outputSchema: {},
      accessControl: { requiredScopes: [] },
      ...operation,
    });
  }
  return {
    root,
    outside,
    async call(id, input, signal) {
      const { data } = await registry.execute(id, input, { signal });
      assert(typeof data === "object" && data !== null);
      return { ...data };
    },
    async *stream(id, input) {
      for await (const { data } of subscribe(registry, id, input, {})) yield data;
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(base, { recursive: true });
    },
  };
}

export const hasCode = (code: string) => (error: unknown): boolean => {
  assert(error instanceof CallError, `wanted a CallError, got ${error}`);
  assert.equal(error.code, code);
  return true;
};

/** Gone, or a zombie that nobody has collected. */
export async function assertEnded(pidFile: string): Promise<void> {
  const pid = (await Deno.readTextFile(pidFile)).trim();
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => null);
  assert(stat === null || /\) [ZX] /.test(stat), `process ${pid} is still there: ${stat}`);
}
