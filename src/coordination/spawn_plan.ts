import { CallError } from "@alkdev/operations";
import { branchOf, worktreeOf } from "./branch_name.ts";
import { spawnDenied, spawnLimit } from "./coordination_error.ts";
import type { MappedWorkspace, Mapping } from "./mapping.ts";
import type { TreeLimits } from "./options.ts";
import { CLAIM_MS } from "./options.ts";
import type { CallPlace, SpawnRights, TreeCaps } from "./ports.ts";
import type { SpawnInput, SpawnTask } from "./requests.ts";
import { promptOf } from "./told.ts";

/** Where what is to be spawned stands. */
export interface SpawnPlace {
  readonly call: CallPlace;
  readonly parentSessionId: string | null;
  /** The mapping of the parent session; null: it was not spawned itself. */
  readonly parentMapping: Mapping | null;
  /** What the roles of the parent and of those above it allow, the parent's first; one without a role is not limited by it. */
  readonly rights: readonly SpawnRights[];
}

/** How deep and broad it may be. @throws {CallError} SPAWN_DENIED, SPAWN_LIMIT */
export function capsOf(place: SpawnPlace, input: SpawnInput, limits: TreeLimits): TreeCaps {
  const parent = place.rights[0] ?? { role: null, spawn: null };
  if (parent.role !== null && parent.spawn === null) {
    throw spawnDenied(`A session in role "${parent.role}" may not spawn others`, { role: parent.role });
  }
  const depth = (place.parentMapping?.depth ?? 0) + 1;
  if (depth > limits.depth) throw spawnLimit("depth", limits.depth, depth - 1);
  for (const [index, { spawn }] of place.rights.entries()) {
    if (spawn !== null && index + 1 > spawn.maxDepth) throw spawnLimit("depth", spawn.maxDepth, index);
  }
  if (parent.spawn === null) return { breadth: limits.breadth, sessions: limits.sessions };
  for (const task of input.tasks) assertRole(parent, task.role ?? input.role);
  return { breadth: Math.min(parent.spawn.maxBreadth, limits.breadth), sessions: limits.sessions };
}

/** A child without a role could call whatever its parent's creator may. */
function assertRole({ role, spawn }: SpawnRights, given: string | undefined): void {
  const allowed = spawn?.roles ?? [];
  const name = given?.split("@", 1)[0];
  if (name !== undefined && (allowed.includes(name) || allowed.includes("*"))) return;
  const wanted = allowed.length === 0 ? "none" : allowed.map((one) => `"${one}"`).join(", ");
  const what = given === undefined ? "without a role" : `in role "${given}"`;
  throw spawnDenied(`A session in role "${role}" may not spawn one ${what}: wanted one of ${wanted}`, {
    role,
    wanted: given ?? null,
  });
}

/** Everything about the new mappings that does not change any more. */
export function mappingsOf(
  params: {
    readonly place: SpawnPlace;
    readonly input: SpawnInput;
    /** Of the request; the tasks' keys are made of it. */
    readonly key: string;
    readonly idOf: (name: string) => string;
    readonly spokes: readonly string[];
    readonly now: number;
  },
): readonly Mapping[] {
  const { place, input, key, idOf, spokes, now } = params;
  const { call: { caller, parent }, parentSessionId, parentMapping } = place;
  const first = Number.parseInt(idOf(`spoke ${key}`).slice(0, 8), 16);
  return input.tasks.map((task, index) => {
    const own = `${key}#${index}`;
    const id = idOf(`mapping ${caller.orgId} ${own}`);
    const workspace = workspaceOf({ input, task, id, spoke: spokes[(first + index) % spokes.length] });
    return {
      id,
      orgId: caller.orgId,
      key: own,
      treeId: parentMapping?.treeId ?? treeOf(place, own),
      depth: (parentMapping?.depth ?? 0) + 1,
      parentSessionId,
      parent,
      sessionId: null,
      taskId: task.taskId ?? null,
      task: task.task,
      role: task.role ?? input.role ?? null,
      model: task.model ?? input.model ?? null,
      prompt: task.prompt ?? promptOf(input.prompt ?? "{{task}}", task.task),
      budget: task.budget ?? input.budget ?? null,
      workspace,
      worktree: workspace === null ? "none" : "wanted",
      status: "active",
      round: 1,
      result: null,
      error: null,
      caller,
      dueAt: now + CLAIM_MS,
      // In one request the first is the oldest.
      createdAt: now + index,
      updatedAt: now,
      completedAt: null,
    } satisfies Mapping;
  });
}

/** The tree of a session is the same in all its turns. */
function treeOf({ call: { parent }, parentSessionId }: SpawnPlace, key: string): string {
  if (parentSessionId !== null) return `session:${parentSessionId}`;
  return parent === null ? `spawn:${key}` : `run:${parent.rootRunId}`;
}

function workspaceOf(
  { input: { workspace }, task, id, spoke: next }: {
    readonly input: SpawnInput;
    readonly task: SpawnTask;
    readonly id: string;
    /** Whose turn it is, of those there are. */
    readonly spoke: string | undefined;
  },
): MappedWorkspace | null {
  if (workspace === undefined) return null;
  const spoke = task.spoke ?? workspace.spoke ?? next;
  if (spoke === undefined) {
    throw new CallError("UNAVAILABLE", "Cannot make a worktree: no connected spoke offers git.worktreeCreate");
  }
  const { repository = null, from = "HEAD", directory = ".worktrees", prefix = "wt/", remove = "clean" } = workspace;
  const branch = task.branch ?? branchOf({ prefix, task: task.task, id });
  return {
    spoke,
    repository,
    directory: worktreeOf({ repository, directory, branch }),
    branch,
    from: task.from ?? from,
    remove,
  };
}
