import { Type } from "@alkdev/typebox";
import { CallError, type OperationContext } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import type { AllowedPaths } from "./allowed_paths.ts";
import { defineOperation } from "./define_operation.ts";
import { git, GIT_ERRORS, Repository, Revision } from "./run_git.ts";

/** Merges under way, by repository: git does one at a time. */
const merging: Map<string, Promise<unknown>> = new Map();

/** `git.merge`: a branch into the one that is checked out. */
export function mergeOperation(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "merge",
    type: "mutation",
    description:
      "Merges a branch into the one that is checked out, with a merge commit. A merge with conflicts is taken back.",
    errorSchemas: [
      ...GIT_ERRORS,
      { code: "MERGE_CONFLICT", description: "Both branches have changed the same", schema: {}, httpStatus: 409 },
      {
        code: "REPOSITORY_BUSY",
        description: "Something else is at work in the repository",
        schema: {},
        httpStatus: 409,
      },
    ],
    inputSchema: Type.Object({
      path: Repository,
      branch: Revision,
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 100_000 })),
    }),
    outputSchema: Type.Object({ hash: Type.String(), merged: Type.Boolean() }),
    handler: async ({ path, branch, message = `Merge branch '${branch}'` }, context) => {
      const { path: repository } = await paths.existing(path ?? paths.roots[0] ?? ".");
      const before = merging.get(repository) ?? Promise.resolve();
      const own = before.then(() => merge(paths, repository, { branch, message }, context));
      const settled = own.catch(() => {}).finally(() => {
        if (merging.get(repository) === settled) merging.delete(repository);
      });
      merging.set(repository, settled);
      return await own;
    },
  });
}

/**
 * One merge at a time in a repository, whichever spoke it comes from: the lock is the system's, and gone with whoever held it. What
 * the file says is the branch of a merge that was begun and did not end: it is taken back first.
 */
async function merge(
  paths: AllowedPaths,
  repository: string,
  asked: { readonly branch: string; readonly message: string },
  context: OperationContext,
): Promise<{ readonly hash: string; readonly merged: boolean }> {
  const run = (...args: readonly string[]): Promise<string> => git(paths, repository, args, context);
  const folder = (await run("rev-parse", "--path-format=absolute", "--git-common-dir")).trim();
  if (paths.rootOf(folder) === undefined) {
    throw new CallError("PATH_NOT_ALLOWED", `Repository of "${repository}" is outside the roots`, { path: repository });
  }
  using lock = await Deno.open(`${folder}/hub-merge.lock`, { read: true, write: true, create: true });
  await lock.lock(true);
  const left = (await Deno.readTextFile(`${folder}/hub-merge.lock`)).trim();
  if (left !== "") await takeBack(paths, repository, { branch: left, folder }, context);
  await Deno.writeTextFile(`${folder}/hub-merge.lock`, asked.branch);
  try {
    return await mergeLocked(paths, repository, asked, context);
  } finally {
    await Deno.writeTextFile(`${folder}/hub-merge.lock`, "");
  }
}

/** Whoever merged was killed: git's own lock, a merge that is not concluded, files that only the branch has. */
async function takeBack(
  paths: AllowedPaths,
  repository: string,
  { branch, folder }: { readonly branch: string; readonly folder: string },
  context: OperationContext,
): Promise<void> {
  const run = (...args: readonly string[]): Promise<string> => git(paths, repository, args, context);
  await Deno.remove(`${folder}/index.lock`).catch(ignoreMissing);
  await run("merge", "--abort").catch(() => {}); // there is none
  const added = (await run("diff", "--name-only", "--diff-filter=A", "-z", `HEAD...${branch}`)).split("\0");
  const untracked = new Set((await run("ls-files", "--others", "--full-name", "-z")).split("\0"));
  for (const file of added.filter((name) => name !== "" && untracked.has(name))) {
    await Deno.remove(`${repository}/${file}`).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function mergeLocked(
  paths: AllowedPaths,
  repository: string,
  { branch, message }: { readonly branch: string; readonly message: string },
  context: OperationContext,
): Promise<{ readonly hash: string; readonly merged: boolean }> {
  const run = (...args: readonly string[]): Promise<string> => git(paths, repository, args, context);
  const before = (await run("rev-parse", "HEAD")).trim();
  try {
    await run("merge", "--no-ff", "--no-edit", "--no-verify", "--quiet", `--message=${message}`, "--", branch);
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== "GIT_FAILED") throw error;
    if (/index\.lock|cannot lock ref|MERGE_HEAD exists|not concluded your merge/i.test(error.message)) {
      throw new CallError("REPOSITORY_BUSY", error.message, { branch });
    }
    const files = (await run("diff", "--name-only", "--diff-filter=U", "-z")).split("\0").filter((file) => file !== "");
    if (files.length === 0) throw error;
    await run("merge", "--abort");
    const message = `Branch "${branch}" cannot be merged: both have changed ${files.join(", ")}`;
    throw new CallError("MERGE_CONFLICT", message, { branch, files });
  }
  const hash = (await run("rev-parse", "HEAD")).trim();
  return { hash, merged: hash !== before };
}
