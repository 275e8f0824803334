import { basename, join } from "node:path";

/** A file under a directory. */
export interface FoundFile {
  /** Relative to the directory, with "/". */
  readonly path: string;
  readonly absolute: string;
}

/** Directories that are nobody's sources. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules"]);

/** The file at `path`, or those in the directory there: by name, depth first. Links are not followed: they may lead out. */
export async function* filesAt(
  path: string,
  recursive: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundFile, void, undefined> {
  if ((await Deno.stat(path)).isFile) yield { path: basename(path), absolute: path };
  else yield* walk(path, recursive, signal);
}

async function* walk(
  directory: string,
  recursive: boolean,
  signal: AbortSignal | undefined,
  prefix = "",
): AsyncGenerator<FoundFile, void, undefined> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const { name, isFile, isDirectory } of entries) {
    signal?.throwIfAborted();
    const path = prefix + name;
    const absolute = join(directory, name);
    if (isFile) yield { path, absolute };
    else if (isDirectory && recursive && !SKIPPED.has(name)) yield* walk(absolute, recursive, signal, `${path}/`);
  }
}
