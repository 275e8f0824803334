import assert from "node:assert/strict";
import { machine } from "./_test_machine.ts";

/** Git reads half of what another git is about to write. */
Deno.test("git.worktree* take turns when many worktrees are made and listed at once", async () => {
  await using it = await machine({ commands: ["git"] });
  const run = (...args: string[]) => it.call("bash.run", { command: "git", args });
  await run("init", "-q", "-b", "trunk");
  await run("config", "user.name", "Ann");
  await run("config", "user.email", "ann@example.com");
  await it.call("git.commit", { message: "First" });
  // Another spoke on the same repository.
  await using other = await machine({ root: it.root });
  const names = Array.from({ length: 12 }, (_, i) => `w${i}`);
  await Promise.all(names.flatMap((name, i) => {
    const by = i % 2 === 0 ? it : other;
    return [
      by.call("git.worktreeCreate", { worktree: `.worktrees/${name}`, branch: name, adopt: true }),
      by.call("git.worktreeList", {}),
    ];
  }));
  const { worktrees } = await it.call("git.worktreeList", {});
  assert.equal((worktrees as readonly unknown[]).length, 13);
  await Promise.all(names.map((name) => it.call("git.worktreeRemove", { worktree: `.worktrees/${name}` })));
  assert.equal(((await it.call("git.worktreeList", {}))["worktrees"] as readonly unknown[]).length, 1);
});
