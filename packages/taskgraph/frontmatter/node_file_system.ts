import type { TaskFileSystem } from "./task_file_system.ts";

/** `node:fs/promises`, which Node, Deno and Bun have; loaded when it is used, so that a browser can load the package. */
export const nodeFileSystem: TaskFileSystem = {
  async readTextFile(path: string): Promise<string> {
    const { readFile } = await import("node:fs/promises");
    return await readFile(path, "utf8");
  },
  async *readDir(path: string): AsyncGenerator<{ name: string; isFile: boolean; isDirectory: boolean }, void> {
    const { readdir } = await import("node:fs/promises");
    for (const entry of await readdir(path, { withFileTypes: true })) {
      yield { name: entry.name, isFile: entry.isFile(), isDirectory: entry.isDirectory() };
    }
  },
};
