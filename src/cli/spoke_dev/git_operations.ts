import { Type } from "@alkdev/typebox";
import type { SpokeOperation } from "@alkdev/spoke";
import type { AllowedPaths } from "./allowed_paths.ts";
import { defineOperation } from "./define_operation.ts";
import { mergeOperation } from "./merge_operation.ts";
import { git, GIT_ERRORS, Repository, Revision } from "./run_git.ts";
import { worktreeOperations } from "./worktree_operations.ts";

const FIELD = "\x1f";
const RECORD = "\x1e";

/** `git.status`, `git.diff`, `git.log`, `git.commit`, `git.merge` and worktrees, in repositories inside the allowed roots. */
export function gitOperations(paths: AllowedPaths): readonly SpokeOperation[] {
  return [status(paths), diff(paths), log(paths), commit(paths), mergeOperation(paths), ...worktreeOperations(paths)];
}

function status(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "status",
    type: "query",
    description: "Tells the branch and the changed files, each with git's two-letter status.",
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({ path: Repository }),
    outputSchema: Type.Object({
      branch: Type.String(),
      files: Type.Array(Type.Object({ path: Type.String(), status: Type.String() })),
    }),
    handler: async ({ path }, context) => {
      const output = await git(paths, path, ["status", "--porcelain=v1", "--branch", "-z", "--no-renames"], context);
      const [head = "", ...entries] = output.split("\0").filter((entry) => entry !== "");
      const branch = head.replace(/^## (No commits yet on )?/, "").replace(/\.\.\..*$/, "");
      return { branch, files: entries.map((entry) => ({ status: entry.slice(0, 2), path: entry.slice(3) })) };
    },
  });
}

function diff(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "diff",
    type: "query",
    description: "Gives the changes of the working tree, of the index, or since a revision, as a patch.",
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({
      path: Repository,
      staged: Type.Optional(Type.Boolean()),
      from: Type.Optional(Revision),
    }),
    outputSchema: Type.Object({ diff: Type.String() }),
    handler: async ({ path, staged = false, from }, context) => {
      const args = [
        "diff",
        "--no-ext-diff",
        "--no-textconv",
        ...(staged ? ["--cached"] : []),
        ...(from === undefined ? [] : [from]),
      ];
      return { diff: await git(paths, path, [...args, "--"], context) };
    },
  });
}

function log(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "log",
    type: "query",
    description: "Lists the last commits.",
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({
      path: Repository,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      from: Type.Optional(Revision),
    }),
    outputSchema: Type.Object({
      commits: Type.Array(Type.Object({
        hash: Type.String(),
        author: Type.String(),
        date: Type.String(),
        subject: Type.String(),
        body: Type.String(),
      })),
    }),
    handler: async ({ path, limit = 20, from = "HEAD" }, context) => {
      const format = `--format=%H${FIELD}%an${FIELD}%aI${FIELD}%s${FIELD}%b${RECORD}`;
      const output = await git(paths, path, ["log", `--max-count=${limit}`, format, from, "--"], context);
      const records = output.split(RECORD).map((record) => record.trim()).filter((record) => record !== "");
      return {
        commits: records.map((record) => {
          const [hash = "", author = "", date = "", subject = "", body = ""] = record.split(FIELD);
          return { hash, author, date, subject, body: body.trim() };
        }),
      };
    },
  });
}

function commit(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "git",
    name: "commit",
    type: "mutation",
    description: "Commits the given files, or all changes. Hooks of the repository are not run.",
    errorSchemas: GIT_ERRORS,
    inputSchema: Type.Object({
      path: Repository,
      message: Type.String({ minLength: 1, maxLength: 100_000 }),
      files: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1000 })),
    }),
    outputSchema: Type.Object({ hash: Type.String() }),
    handler: async ({ path, message, files = ["."] }, context) => {
      await git(paths, path, ["add", "--", ...files], context);
      await git(paths, path, ["commit", "--no-verify", "--quiet", `--message=${message}`], context);
      return { hash: (await git(paths, path, ["rev-parse", "HEAD"], context)).trim() };
    },
  });
}
