import { join } from "node:path";

/** Folders nested deeper are not looked into. */
const MAX_DEPTH = 8;

/** What was found under one directory. `missing` is true when there is no such directory. */
export interface FoundFiles {
  readonly files: readonly string[];
  readonly missing: boolean;
}

/**
 * The `.ts` and `.tsx` files under a directory, in order of path. Left out are names that start with `_` or `.`, and files
 * whose name without the ending ends in `_test`, `.test` or `.d`; links to files count, links to folders do not.
 */
export async function findTemplateFiles(directory: string): Promise<FoundFiles> {
  const files: string[] = [];
  try {
    await collect(directory, 0, files);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { files: [], missing: true };
    throw error;
  }
  return { files: files.sort(), missing: false };
}

async function collect(directory: string, depth: number, into: string[]): Promise<void> {
  for await (const entry of Deno.readDir(directory)) {
    if (/^[_.]/.test(entry.name) || entry.name === "node_modules") continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory) {
      if (depth < MAX_DEPTH) await collect(path, depth + 1, into);
    } else if (isTemplateFile(entry.name) && !(entry.isSymlink && await isDirectory(path))) into.push(path);
  }
}

/** Whether a file of this name is looked at. */
export function isTemplateFile(name: string): boolean {
  return /^[^_.].*\.tsx?$/.test(name) && !/(_test|\.test|\.d)\.tsx?$/.test(name);
}

async function isDirectory(path: string): Promise<boolean> {
  const info = await Deno.stat(path).catch(() => null);
  return info === null || info.isDirectory;
}
