import type { OperationContext } from "@alkdev/operations";
import type { AllowedPaths } from "./allowed_paths.ts";
import { git } from "./run_git.ts";

/** Tails of the lines in this process, by repository. */
const lines = new Map<string, Promise<unknown>>();

/**
 * Takes a turn with the worktrees of a repository: a git that lists or makes one reads half of what another is about to write
 * ("failed to read commondir: Success"). Turns are taken in this process, and by a lock on a file of the repository with the spokes
 * of others; a process that ends lets go of it.
 */
export async function withWorktreeTurn<T>(
  paths: AllowedPaths,
  { path, context }: { readonly path: string | undefined; readonly context: OperationContext },
  work: () => Promise<T>,
): Promise<T> {
  const common = await commonDirectory(paths, path, context);
  const before = lines.get(common) ?? Promise.resolve();
  const turn = before.then(() => locked(paths, common, work));
  const tail = turn.catch(() => {});
  lines.set(common, tail);
  try {
    return await turn;
  } finally {
    if (lines.get(common) === tail) lines.delete(common);
  }
}

/** Of the repository, shared by all its worktrees; real and absolute. */
export async function commonDirectory(
  paths: AllowedPaths,
  path: string | undefined,
  context: OperationContext,
): Promise<string> {
  const common = await git(paths, path, ["rev-parse", "--path-format=absolute", "--git-common-dir"], context);
  return await Deno.realPath(common.trim());
}

async function locked<T>(paths: AllowedPaths, common: string, work: () => Promise<T>): Promise<T> {
  // A repository outside of the roots is nobody's to write to from here.
  if (paths.rootOf(common) === undefined) return await work();
  using file = await Deno.open(`${common}/hub-worktrees.lock`, { create: true, write: true });
  await file.lock(true);
  return await work();
}
