import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { machine } from "../../src/cli/spoke_dev/_test_machine.ts";
import { MemoryWorktrees, spokeWorktrees } from "../../src/coordination/mod.ts";
import { worktreesConformance } from "./worktrees.ts";

worktreesConformance("memory", () => {
  const worktrees = new MemoryWorktrees(["dev"]);
  return Promise.resolve({
    worktrees,
    directories: () => Promise.resolve(worktrees.directories("dev")),
    change: (workspace) => Promise.resolve(worktrees.change(workspace)),
    disconnect: () => worktrees.connected.clear(),
    close: () => Promise.resolve(),
  });
});

worktreesConformance("git on a dev spoke", async () => {
  const it = await machine();
  await git(it.root, "init", "--quiet", "--initial-branch=main");
  await git(it.root, "add", ".");
  await git(it.root, ...AUTHOR, "commit", "--quiet", "--message=first");
  let isHere = true;
  const worktrees = spokeWorktrees({
    spokes: () => isHere ? ["dev"] : [],
    call({ spoke, operationId, input }) {
      if (!isHere) throw new CallError("OPERATION_NOT_FOUND", "No connected spoke");
      assert.equal(spoke, "dev");
      return it.call(operationId, input);
    },
  });
  return {
    worktrees,
    async directories() {
      const { worktrees: all } = await it.call("git.worktreeList", {}) as { worktrees: { path: string }[] };
      // None of them is a change of the repository.
      assert.deepEqual((await it.call("git.status", {}))["files"], []);
      return all.slice(1).map(({ path }) => path).sort();
    },
    change: ({ directory }) => Deno.writeTextFile(`${it.root}/${directory}/a.txt`, "changed"),
    disconnect() {
      isHere = false;
    },
    close: async () => await it[Symbol.asyncDispose](),
  };
});

const AUTHOR = ["-c", "user.name=t", "-c", "user.email=t@example.com"];

async function git(cwd: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command("git", { args: [...args], cwd, stdout: "null", stderr: "piped" })
    .output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}
