/** What every way to worktrees promises, the one in memory included. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import type { Caller } from "../../src/runs/mod.ts";
import type { MappedWorkspace, WorktreesPort } from "../../src/coordination/mod.ts";

export interface WorktreesWorld {
  readonly worktrees: WorktreesPort;
  /** Directories of the worktrees that there are, sorted. */
  directories(): Promise<readonly string[]>;
  /** Changes a file in a worktree. */
  change(workspace: MappedWorkspace): Promise<void>;
  /** The spoke is away from now on. */
  disconnect(): void;
  close(): Promise<void>;
}

const caller: Caller = { identity: { id: "me", scopes: ["*"] }, orgId: "a" };

function workspace(branch: string): MappedWorkspace {
  const directory = `.worktrees/${branch.replaceAll("/", "-")}`;
  return { spoke: "dev", repository: null, directory, branch, from: "HEAD", remove: "clean" };
}

const hasCode = (...codes: readonly string[]) => (error: unknown): boolean => {
  assert.ok(error instanceof CallError, `wanted a CallError, got ${error}`);
  assert.ok(codes.includes(error.code), `wanted ${codes}, got ${error.code}: ${error.message}`);
  return true;
};

export function worktreesConformance(name: string, open: () => Promise<WorktreesWorld>): void {
  const test = (what: string, run: (world: WorktreesWorld) => Promise<void>): void => {
    Deno.test(`${name}: ${what}`, async () => {
      const world = await open();
      try {
        await run(world);
      } finally {
        await world.close();
      }
    });
  };

  test("create() makes a worktree once, also when it is asked again", async ({ worktrees, directories }) => {
    const one = workspace("wt/one");
    await worktrees.create({ caller, workspace: one });
    await worktrees.create({ caller, workspace: one });
    await Promise.all(
      [workspace("wt/two"), workspace("wt/three")].map((more) => worktrees.create({ caller, workspace: more })),
    );
    assert.deepEqual(await directories(), [".worktrees/wt-one", ".worktrees/wt-three", ".worktrees/wt-two"]);
    assert.deepEqual(worktrees.spokes({ orgId: "a" }), ["dev"]);
  });

  test("create() refuses a directory that another branch has", async ({ worktrees, directories }) => {
    const one = workspace("wt/one");
    await worktrees.create({ caller, workspace: one });
    const other = { ...one, branch: "wt/other" };
    await assert.rejects(worktrees.create({ caller, workspace: other }), hasCode("GIT_FAILED"));
    assert.deepEqual(await directories(), [".worktrees/wt-one"]);
  });

  test("remove() keeps what has changes, unless it is told not to", async ({ worktrees, directories, change }) => {
    const [clean, dirty] = [workspace("clean"), workspace("dirty")];
    await worktrees.create({ caller, workspace: clean });
    await worktrees.create({ caller, workspace: dirty });
    await change(dirty);
    assert.equal(await worktrees.remove({ caller, workspace: clean, force: false }), "removed");
    assert.equal(await worktrees.remove({ caller, workspace: clean, force: false }), "gone");
    assert.equal(await worktrees.remove({ caller, workspace: dirty, force: false }), "dirty");
    assert.deepEqual(await directories(), [".worktrees/dirty"]);
    assert.equal(await worktrees.remove({ caller, workspace: dirty, force: true }), "removed");
    assert.deepEqual(await directories(), []);
  });

  test("a spoke that is away rejects with a code that says so", async ({ worktrees, disconnect }) => {
    disconnect();
    const away = hasCode("OPERATION_NOT_FOUND", "UNAVAILABLE", "SPOKE_LOST");
    await assert.rejects(worktrees.create({ caller, workspace: workspace("one") }), away);
    await assert.rejects(worktrees.remove({ caller, workspace: workspace("one"), force: false }), away);
    assert.deepEqual(worktrees.spokes({ orgId: "a" }), []);
  });
}
