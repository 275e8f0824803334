import { CallError } from "@alkdev/operations";
import { constants, promises as fs } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type AllowedPaths, outsideOfGit } from "./allowed_paths.ts";

/**
 * Files of the roots, opened so that neither a special file nor a race leads out.
 *
 * A path that was found to be inside may be another thing a moment later: a link, a FIFO that blocks whoever opens it. So what
 * is opened is looked at, not its path: last links are not followed, opening never blocks, only regular files pass, and on
 * Linux the kernel says where the open file is before a byte is read or written. Elsewhere its path is resolved once more.
 */
export interface ContainedFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly size: number;
  /** Real and absolute. */
  readonly path: string;
  /** The root that it is in. */
  readonly root: string;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
const IS_LINUX = Deno.build.os === "linux";

/** @throws {CallError} `PATH_NOT_ALLOWED`, `NOT_FOUND`, `VALIDATION_ERROR` for anything but a regular file */
export async function openFile(paths: AllowedPaths, path: string): Promise<ContainedFile> {
  const { path: real } = await paths.existing(path);
  return await contained(paths, await open(real, O_RDONLY, path), real, path);
}

/** Opens for writing, from the start; makes the file where it is missing, in a directory that is there. Errors as {@linkcode openFile}. */
export async function createFile(paths: AllowedPaths, path: string): Promise<ContainedFile> {
  const { path: real } = await paths.writable(path);
  const directory = await open(dirname(real), O_RDONLY | O_DIRECTORY, path);
  try {
    const parent = await check(paths, directory, dirname(real), path);
    outsideOfGit({ path: join(parent, basename(real)), root: paths.rootOf(parent) ?? parent }, path);
    // Through the open directory: whatever its path leads to by now, the file is made there.
    const place = IS_LINUX ? `/proc/self/fd/${directory.fd}/${basename(real)}` : real;
    const file = await contained(paths, await open(place, O_WRONLY | O_CREAT, path), real, path);
    await file.handle.truncate(0);
    return file;
  } finally {
    await directory.close();
  }
}

/** Entries of a directory by name; none where it is no longer inside the roots, or not there. */
export async function readDirectory(paths: AllowedPaths, directory: string): Promise<readonly Deno.DirEntry[]> {
  let handle: FileHandle;
  try {
    handle = await open(directory, O_RDONLY | O_DIRECTORY, directory);
  } catch {
    return [];
  }
  try {
    await check(paths, handle, directory, directory);
    const entries = await Array.fromAsync(Deno.readDir(IS_LINUX ? `/proc/self/fd/${handle.fd}` : directory));
    return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  } catch (error) {
    if (error instanceof CallError || error instanceof Deno.errors.NotFound) return [];
    throw error;
  } finally {
    await handle.close();
  }
}

async function open(real: string, flags: number, asked: string): Promise<FileHandle> {
  try {
    return await fs.open(real, flags | O_NOFOLLOW | O_NONBLOCK, 0o666);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new CallError("NOT_FOUND", `Path "${asked}" does not exist`, { path: asked });
    }
    if (code === "ELOOP") throw notAllowed(asked);
    if (code === "ENXIO" || code === "EISDIR") throw notAFile(asked);
    if (code === "EACCES" || code === "EPERM") {
      throw new CallError("PATH_NOT_ALLOWED", `Path "${asked}" may not be opened by this spoke's user`, {
        path: asked,
      });
    }
    throw error;
  }
}

async function contained(
  paths: AllowedPaths,
  handle: FileHandle,
  real: string,
  asked: string,
): Promise<ContainedFile> {
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw notAFile(asked);
    const path = await check(paths, handle, real, asked);
    const root = paths.rootOf(path);
    if (root === undefined) throw notAllowed(asked);
    return { handle, size: stat.size, path, root, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Where the open file is. @throws {CallError} when that is outside the roots */
async function check(paths: AllowedPaths, { fd }: FileHandle, real: string, asked: string): Promise<string> {
  const path = IS_LINUX ? await Deno.readLink(`/proc/self/fd/${fd}`) : await Deno.realPath(real);
  if (paths.rootOf(path) === undefined) throw notAllowed(asked);
  return path;
}

function notAFile(path: string): CallError {
  return new CallError("VALIDATION_ERROR", `Path "${path}" is not a regular file`, { path });
}

function notAllowed(path: string): CallError {
  return new CallError("PATH_NOT_ALLOWED", `Path "${path}" is not inside an allowed root`, { path });
}
