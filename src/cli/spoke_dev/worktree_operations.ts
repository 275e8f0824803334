import { Type } from "@alkdev/typebox";
import { CallError, type OperationContext } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import { dirname, relative } from "node:path";
import type { AllowedPaths } from "./allowed_paths.ts";
import { defineOperation } from "./define_operation.ts";
import { commonDirectory, withWorktreeTurn } from "./worktree_turn.ts";
import { git, GIT_ERRORS, Repository, Revision } from "./run_git.ts";

const Worktree = Type.String({ minLength: 1, maxLength: 4096, description: "Directory of the worktree" });

/** `git.worktreeCreate`, `git.worktreeList` and `git.worktreeRemove`: further working directories of a repository. */
export function worktreeOperations(paths: AllowedPaths): readonly SpokeOperation[] {
  return [create(paths), list(paths), remove(paths)];
}

function create(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "worktreeCreate",
    version: "1.1.0",
    type: "mutation",
    description:
      "Makes a worktree in a new directory, on a new branch. Inside the repository, git does not see it as a change.",
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({
      path: Repository,
      worktree: Worktree,
      branch: Revision,
      from: Type.Optional(Revision),
      adopt: Type.Optional(Type.Boolean({
        description: "Takes a worktree that is in that directory, on that branch, or a branch that has none, as it is",
      })),
    }),
    outputSchema: Type.Object({ path: Type.String(), branch: Type.String() }),
    handler: async ({ path, worktree, branch, from = "HEAD", adopt = false }, context) => {
      const target = await paths.creatable(worktree);
      const made = { path: relative(target.root, target.path), branch };
      return await withWorktreeTurn(paths, { path, context }, async () => {
        if (adopt) {
          const all = parseWorktrees(await git(paths, path, LIST, context));
          if (all.some((one) => one.path === target.path && one.branch === branch)) return made;
        }
        const repository = await paths.existing(path ?? paths.roots[0] ?? ".");
        await exclude(paths, { path, repository: repository.path, target: target.path, context });
        await Deno.mkdir(dirname(target.path), { recursive: true });
        const isThere = adopt && await hasBranch(paths, { path, branch, context });
        const what = isThere ? ["--", target.path, branch] : ["-b", branch, "--", target.path, from];
        await git(paths, path, ["worktree", "add", "--quiet", ...what], context);
        return made;
      });
    },
  });
}

/** A branch that a call which was interrupted has made, before its worktree. */
async function hasBranch(
  paths: AllowedPaths,
  { path, branch, context }: { path: string | undefined; branch: string; context: OperationContext },
): Promise<boolean> {
  const refs = await git(paths, path, ["for-each-ref", "--format=%(refname)", `refs/heads/${branch}`], context);
  return refs.split("\n").includes(`refs/heads/${branch}`);
}

/** Keeps a worktree inside its repository out of what `git status` and `git add` of the repository see. */
async function exclude(
  paths: AllowedPaths,
  { path, repository, target, context }: {
    path: string | undefined;
    repository: string;
    target: string;
    context: OperationContext;
  },
): Promise<void> {
  const inside = relative(repository, dirname(target));
  if (inside === "" || inside.startsWith("..")) return;
  const common = await commonDirectory(paths, path, context);
  // A repository outside of the roots is nobody's to change from here.
  if (paths.rootOf(common) === undefined) return;
  const file = `${common}/info/exclude`;
  const line = `/${inside}/`;
  const before = await Deno.readTextFile(file).catch(() => "");
  if (before.split("\n").includes(line)) return;
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, `${before === "" || before.endsWith("\n") ? "" : "\n"}${line}\n`, { append: true });
}

const LIST = ["worktree", "list", "--porcelain", "-z"] as const;

function parseWorktrees(
  output: string,
): readonly { readonly path: string; readonly head: string; readonly branch: string }[] {
  return output.split("\0\0").flatMap((record) => {
    const fields = new Map(
      record.split("\0").map((line) => {
        const space = line.indexOf(" ");
        return space < 0 ? [line, ""] as const : [line.slice(0, space), line.slice(space + 1)] as const;
      }),
    );
    const path = fields.get("worktree");
    if (path === undefined) return [];
    return [{
      path,
      head: fields.get("HEAD") ?? "",
      branch: (fields.get("branch") ?? "").replace(/^refs\/heads\//, ""),
    }];
  });
}

function list(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "worktreeList",
    type: "query",
    description: "Lists the worktrees of a repository that are inside the allowed roots, the main one first.",
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({ path: Repository }),
    outputSchema: Type.Object({
      worktrees: Type.Array(Type.Object({ path: Type.String(), head: Type.String(), branch: Type.String() })),
    }),
    handler: async ({ path }, context) => {
      const worktrees = parseWorktrees(
        await withWorktreeTurn(paths, { path, context }, () => git(paths, path, LIST, context)),
      ).flatMap(
        ({ path: place, head, branch }) => {
          const root = paths.rootOf(place);
          return root === undefined ? [] : [{ path: relative(root, place), head, branch }];
        },
      );
      return { worktrees };
    },
  });
}

function remove(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "worktreeRemove",
    type: "mutation",
    description: "Removes a worktree; one with changes only with force. Its branch stays.",
    errorSchemas: [
      ...GIT_ERRORS,
      {
        code: "WORKTREE_DIRTY",
        description: "The worktree has changes that would be lost",
        schema: {},
        httpStatus: 409,
      },
    ],
    inputSchema: Type.Object({ path: Repository, worktree: Worktree, force: Type.Optional(Type.Boolean()) }),
    outputSchema: Type.Object({ path: Type.String() }),
    handler: async ({ path, worktree, force = false }, context) => {
      const target = await paths.existing(worktree);
      if (paths.roots.includes(target.path)) {
        throw new CallError("PATH_NOT_ALLOWED", `Path "${worktree}" is a root of this spoke`, { path: worktree });
      }
      if (!force) {
        const changes = await git(paths, target.path, ["status", "--porcelain=v1", "-z"], context);
        if (changes !== "") {
          throw new CallError("WORKTREE_DIRTY", `Worktree "${worktree}" has changes`, {
            path: worktree,
            changes: changes.split("\0").filter((line) => line !== "").length,
          });
        }
      }
      const args = ["worktree", "remove", ...(force ? ["--force"] : []), "--", target.path];
      await withWorktreeTurn(paths, { path, context }, () => git(paths, path, args, context));
      return { path: relative(target.root, target.path) };
    },
  });
}
