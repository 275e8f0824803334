import { Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import { relative } from "node:path";
import type { AllowedPaths } from "./allowed_paths.ts";
import { defineOperation } from "./define_operation.ts";
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
    type: "mutation",
    description: "Makes a worktree in a new directory, on a new branch.",
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({
      path: Repository,
      worktree: Worktree,
      branch: Revision,
      from: Type.Optional(Revision),
    }),
    outputSchema: Type.Object({ path: Type.String(), branch: Type.String() }),
    handler: async ({ path, worktree, branch, from = "HEAD" }, context) => {
      const target = await paths.writable(worktree);
      await git(paths, path, ["worktree", "add", "--quiet", "-b", branch, "--", target.path, from], context);
      return { path: relative(target.root, target.path), branch };
    },
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
      const output = await git(paths, path, ["worktree", "list", "--porcelain", "-z"], context);
      const worktrees = [];
      for (const record of output.split("\0\0")) {
        const fields = new Map(
          record.split("\0").map((line) => {
            const space = line.indexOf(" ");
            return space < 0 ? [line, ""] as const : [line.slice(0, space), line.slice(space + 1)] as const;
          }),
        );
        const place = fields.get("worktree");
        const root = place === undefined ? undefined : paths.rootOf(place);
        if (place === undefined || root === undefined) continue;
        const branch = (fields.get("branch") ?? "").replace(/^refs\/heads\//, "");
        worktrees.push({ path: relative(root, place), head: fields.get("HEAD") ?? "", branch });
      }
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
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({ path: Repository, worktree: Worktree, force: Type.Optional(Type.Boolean()) }),
    outputSchema: Type.Object({ path: Type.String() }),
    handler: async ({ path, worktree, force = false }, context) => {
      const target = await paths.existing(worktree);
      if (paths.roots.includes(target.path)) {
        throw new CallError("PATH_NOT_ALLOWED", `Path "${worktree}" is a root of this spoke`, { path: worktree });
      }
      await git(paths, path, ["worktree", "remove", ...(force ? ["--force"] : []), "--", target.path], context);
      return { path: relative(target.root, target.path) };
    },
  });
}
