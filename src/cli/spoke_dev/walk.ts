import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { AllowedPaths } from "./allowed_paths.ts";
import { readDirectory } from "./contained_files.ts";

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
  paths: AllowedPaths,
  path: string,
  recursive: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundFile, void, undefined> {
  if ((await lstat(path)).isDirectory()) yield* walk(paths, path, recursive, signal);
  else yield { path: basename(path), absolute: path };
}

async function* walk(
  paths: AllowedPaths,
  directory: string,
  recursive: boolean,
  signal: AbortSignal | undefined,
  prefix = "",
): AsyncGenerator<FoundFile, void, undefined> {
  for (const { name, isFile, isDirectory } of await readDirectory(paths, directory)) {
    signal?.throwIfAborted();
    const path = prefix + name;
    const absolute = join(directory, name);
    if (isFile) yield { path, absolute };
    else if (isDirectory && recursive && !SKIPPED.has(name)) {
      yield* walk(paths, absolute, recursive, signal, `${path}/`);
    }
  }
}
