import { CallError } from "@alkdev/operations";
import type { MappedWorkspace } from "./mapping.ts";
import type { WorktreesPort } from "./ports.ts";

/** Worktrees in memory: the reference, with spokes that can be away and worktrees that can have changes. */
export class MemoryWorktrees implements WorktreesPort {
  /** Spokes that answer. */
  readonly connected: Set<string>;
  /** Branch by spoke and directory. */
  readonly #made = new Map<string, string>();
  readonly #dirty = new Set<string>();
  /** Branches that were ever made; they stay. */
  readonly #branches = new Set<string>();

  constructor(spokes: readonly string[] = ["dev"]) {
    this.connected = new Set(spokes);
  }

  /** Directories of a spoke's worktrees, sorted. */
  directories(spoke: string): readonly string[] {
    const all = [...this.#made.keys()].filter((place) => place.startsWith(`${spoke}:`));
    return all.map((place) => place.slice(spoke.length + 1)).sort();
  }

  change(workspace: Pick<MappedWorkspace, "spoke" | "directory">): void {
    this.#dirty.add(placeOf(workspace));
  }

  spokes(): readonly string[] {
    return [...this.connected].sort();
  }

  create({ workspace }: Parameters<WorktreesPort["create"]>[0]): Promise<void> {
    return this.#at(workspace, () => {
      const place = placeOf(workspace);
      if (this.#made.get(place) === workspace.branch) return;
      const branch = `${workspace.spoke}:${workspace.branch}`;
      if (this.#made.has(place) || this.#branches.has(branch)) {
        throw new CallError("GIT_FAILED", `fatal: a branch named '${workspace.branch}' already exists`);
      }
      this.#made.set(place, workspace.branch);
      this.#branches.add(branch);
    });
  }

  remove({ workspace, force }: Parameters<WorktreesPort["remove"]>[0]): ReturnType<WorktreesPort["remove"]> {
    return this.#at(workspace, () => {
      const place = placeOf(workspace);
      if (!this.#made.has(place)) return "gone";
      if (this.#dirty.has(place) && !force) return "dirty";
      this.#made.delete(place);
      this.#dirty.delete(place);
      return "removed";
    });
  }

  #at<T>({ spoke }: MappedWorkspace, work: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (!this.connected.has(spoke)) {
        throw new CallError("OPERATION_NOT_FOUND", `No connected spoke with labels {"spoke":"${spoke}"}`);
      }
      resolve(work());
    });
  }
}

function placeOf({ spoke, directory }: Pick<MappedWorkspace, "spoke" | "directory">): string {
  return `${spoke}:${directory}`;
}
