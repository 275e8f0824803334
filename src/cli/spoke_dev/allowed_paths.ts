import { CallError } from "@alkdev/operations";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

/** A path inside one of the allowed roots, with every symbolic link followed. */
export interface AllowedPath {
  /** Real and absolute. */
  readonly path: string;
  /** The real root that it is in. */
  readonly root: string;
}

/** Which paths a spoke may touch: what is really inside one of its roots. */
export class AllowedPaths {
  /** Real and absolute, in the order given. */
  readonly roots: readonly string[];

  private constructor(roots: readonly string[]) {
    this.roots = roots;
  }

  /** @throws {Error} when a root is no directory */
  static async open(roots: readonly string[]): Promise<AllowedPaths> {
    if (roots.length === 0) throw new Error("Cannot serve files without a root: wanted at least one directory");
    const real = [];
    for (const root of roots) {
      const path = await Deno.realPath(root).catch(() => null);
      if (path === null || !(await Deno.stat(path)).isDirectory) {
        throw new Error(`Cannot serve root "${root}" as it is not a directory`);
      }
      real.push(path);
    }
    return new AllowedPaths(real);
  }

  /**
   * Finds something that is there. A relative path is looked up in each root in turn.
   *
   * @throws {CallError} `PATH_NOT_ALLOWED`, `NOT_FOUND`
   */
  async existing(path: string): Promise<AllowedPath> {
    for (const candidate of this.#candidates(path)) {
      const real = await realOrNull(candidate);
      if (real !== null) return this.#check(real, path);
    }
    throw new CallError("NOT_FOUND", `Path "${path}" does not exist`, { path });
  }

  /**
   * Finds a place to write a file: its directory is there, and the file itself is not a link out of the root.
   *
   * @throws {CallError} `PATH_NOT_ALLOWED`, `NOT_FOUND`
   */
  async writable(path: string): Promise<AllowedPath> {
    for (const candidate of this.#candidates(path)) {
      const real = await realOrNull(candidate);
      if (real !== null) return outsideOfGit(this.#check(real, path), path);
      // A link whose target is not there yet would be written through.
      if (await isLink(candidate)) throw notAllowed(path);
      const directory = await realOrNull(dirname(candidate));
      if (directory !== null) return outsideOfGit(this.#check(join(directory, basename(candidate)), path), path);
    }
    throw new CallError("NOT_FOUND", `Directory of "${path}" does not exist`, { path });
  }

  /**
   * Finds a place for a directory that is to be made, with those above it that are missing. What is there of them is real.
   *
   * @throws {CallError} `PATH_NOT_ALLOWED`
   */
  async creatable(path: string): Promise<AllowedPath> {
    const candidate = this.#candidates(path)[0]!;
    const missing: string[] = [];
    for (let at = candidate;; at = dirname(at)) {
      const real = await realOrNull(at);
      if (real !== null) return outsideOfGit(this.#check(join(real, ...missing), path), path);
      // A link whose target is not there yet would be written through.
      if (await isLink(at)) throw notAllowed(path);
      missing.unshift(basename(at));
    }
  }

  /** The root that a real, absolute path is in. */
  rootOf(path: string): string | undefined {
    return this.roots.find((root) => {
      const rest = relative(root, path);
      return rest !== ".." && !rest.startsWith(`..${sep}`) && !isAbsolute(rest);
    });
  }

  #candidates(path: string): readonly string[] {
    if (path.includes("\0")) throw notAllowed(path);
    const candidates = isAbsolute(path) ? [resolve(path)] : this.roots.map((root) => resolve(root, path));
    // Refused before the disk is asked: whether something outside exists is nobody's business.
    const inside = candidates.filter((candidate) => this.rootOf(candidate) !== undefined);
    if (inside.length === 0) throw notAllowed(path);
    return inside;
  }

  #check(real: string, asked: string): AllowedPath {
    const root = this.rootOf(real);
    if (root === undefined) throw notAllowed(asked);
    return { path: real, root };
  }
}

/** What is written into a repository's own directory can name programs that git then runs. @throws {CallError} */
export function outsideOfGit(allowed: AllowedPath, asked: string): AllowedPath {
  if (relative(allowed.root, allowed.path).split(sep).some((name) => name.toLowerCase() === ".git")) {
    throw notAllowed(asked);
  }
  return allowed;
}

function notAllowed(path: string): CallError {
  return new CallError("PATH_NOT_ALLOWED", `Path "${path}" is not inside an allowed root`, { path });
}

async function realOrNull(path: string): Promise<string | null> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSymlink;
  } catch {
    return false;
  }
}
