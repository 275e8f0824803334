import { CallError } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import type { TaskFiles } from "./ports.ts";

/** Calls an operation on the spoke of a name; null: on any that offers it. */
export type CallOnSpoke = (
  params: {
    readonly caller: Caller;
    readonly spoke: string | null;
    readonly operationId: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly signal?: AbortSignal;
  },
) => Promise<unknown>;

/** Files that one board may have, tasks or not. */
const MAX_FILES = 5_000;
/** Of one file: the most that a task may be, and its frontmatter. */
const MAX_BYTES = 512 * 1024;
const AT_ONCE = 8;

/**
 * Files through the `fs.*` operations of dev spokes. Between the look at what a file holds and the writing of it lie some
 * milliseconds in which somebody else's writing would be lost: a spoke has no operation that does both.
 */
export function spokeFiles(call: CallOnSpoke): TaskFiles {
  return {
    async read({ caller, source: { spoke, directory }, signal }) {
      const on = { caller, spoke, ...(signal !== undefined && { signal }) };
      const listed = await call({
        ...on,
        operationId: "fs.list",
        input: { path: directory, recursive: true, limit: MAX_FILES },
      }) as { readonly files: readonly { readonly path: string }[]; readonly truncated: boolean };
      if (listed.truncated) {
        throw new CallError("PAYLOAD_TOO_LARGE", `Directory "${directory}" has more than ${MAX_FILES} files`);
      }
      const paths = listed.files.map(({ path }) => path).filter((path) => path.endsWith(".md")).sort();
      const texts: { path: string; text: string }[] = [];
      for (let at = 0; at < paths.length; at += AT_ONCE) {
        texts.push(
          ...await Promise.all(
            paths.slice(at, at + AT_ONCE).map(async (path) => {
              const { text, truncated } = await readFile(call, on, path);
              // A part of a file is no file: what is made of it must not be written back.
              return { path, text: truncated ? "" : text };
            }),
          ),
        );
      }
      return texts;
    },
    async write({ caller, source: { spoke }, path, text, before, signal }) {
      const on = { caller, spoke, ...(signal !== undefined && { signal }) };
      const now = await readFile(call, on, path).catch((error: unknown) => {
        if (error instanceof CallError && error.code === "NOT_FOUND") return null;
        throw error;
      });
      // Written already, by a call that nobody heard the end of.
      if (now?.text === text) return true;
      if ((now?.text ?? null) !== before) return false;
      await call({ ...on, operationId: "fs.write", input: { path, text } });
      return true;
    },
  };
}

async function readFile(
  call: CallOnSpoke,
  on: Pick<Parameters<CallOnSpoke>[0], "caller" | "spoke" | "signal">,
  path: string,
): Promise<{ readonly text: string; readonly truncated: boolean }> {
  const input = { path, maxBytes: MAX_BYTES };
  return await call({ ...on, operationId: "fs.read", input }) as { text: string; truncated: boolean };
}
