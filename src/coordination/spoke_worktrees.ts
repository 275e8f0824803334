import { CallError } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import type { MappedWorkspace } from "./mapping.ts";
import type { WorktreesPort } from "./ports.ts";

/** Calls an operation on the spoke of a name. */
export type CallOnSpoke = (
  params: {
    readonly caller: Caller;
    readonly spoke: string;
    readonly operationId: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly signal?: AbortSignal;
  },
) => Promise<unknown>;

/** Worktrees through the `git.worktree…` operations of dev spokes. */
export function spokeWorktrees(
  { call, spokes }: { readonly call: CallOnSpoke; readonly spokes: WorktreesPort["spokes"] },
): WorktreesPort {
  return {
    spokes,
    async create({ caller, workspace, signal }) {
      const { spoke, directory: worktree, branch, from } = workspace;
      const input = { ...repositoryOf(workspace), worktree, branch, from, adopt: true };
      const operationId = "git.worktreeCreate";
      await call({ caller, spoke, operationId, input, ...(signal !== undefined && { signal }) });
    },
    async remove({ caller, workspace, force }) {
      const { spoke, directory: worktree } = workspace;
      const input = { ...repositoryOf(workspace), worktree, ...(force && { force }) };
      try {
        await call({ caller, spoke, operationId: "git.worktreeRemove", input });
        return "removed";
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        if (error.code === "NOT_FOUND") return "gone";
        if (error.code === "WORKTREE_DIRTY") return "dirty";
        throw error;
      }
    },
  };
}

function repositoryOf({ repository }: MappedWorkspace): { readonly path?: string } {
  return repository === null ? {} : { path: repository };
}
