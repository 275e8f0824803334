/** Names of branches and directories, made of names that people give to tasks. */

const MAX_SLUG = 48;

/** `Fix the login!` -> `fix-the-login`; `task` where nothing is left. */
export function slugOf(task: string): string {
  const plain = task.normalize("NFKD").replace(/\p{Mark}/gu, "").toLowerCase();
  const slug = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, MAX_SLUG).replace(/-$/, "");
  return slug === "" ? "task" : slug;
}

/** Unique, as it holds a piece of the mapping's id. */
export function branchOf(
  { prefix, task, id }: { readonly prefix: string; readonly task: string; readonly id: string },
) {
  return `${prefix}${slugOf(task)}-${id.replaceAll("-", "").slice(-8)}`;
}

/** The worktree of a branch, beside those of others; paths of the spoke. */
export function worktreeOf(
  { repository, directory, branch }: {
    readonly repository: string | null;
    readonly directory: string;
    readonly branch: string;
  },
): string {
  const inside = `${directory}/${branch.replaceAll(/[^A-Za-z0-9._-]+/g, "-")}`;
  return repository === null ? inside : `${repository.replace(/\/$/, "")}/${inside}`;
}
