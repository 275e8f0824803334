/** Ways out of the reference spoke, and things in it that never end. */
import assert from "node:assert/strict";
import { assertEnded, hasCode, machine } from "./_test_machine.ts";
import { AllowedPaths } from "./allowed_paths.ts";
import { createFile, openFile, readDirectory } from "./contained_files.ts";
import { globMatcher } from "./glob.ts";
import { devOperations } from "./run_dev_spoke.ts";

async function makeFifo(path: string): Promise<void> {
  assert((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
}

Deno.test("fs.* pass over a FIFO: nothing waits for somebody at its other end", async () => {
  await using it = await machine();
  await makeFifo(`${it.root}/pipe`);
  await assert.rejects(it.call("fs.read", { path: "pipe" }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(it.call("fs.write", { path: "pipe", text: "x" }), hasCode("VALIDATION_ERROR"));
  assert.deepEqual((await it.call("fs.search", { pattern: "x", path: "pipe" }))["matches"], []);
  assert.doesNotMatch(JSON.stringify(await it.call("fs.list", { recursive: true })), /pipe/);
});

Deno.test("fs.* refuse devices", async () => {
  const operations = await devOperations({ roots: ["/dev"], commands: [], hosts: [] });
  const run = async (name: string, input: unknown): Promise<unknown> =>
    await operations.find((operation) => operation.name === name && operation.namespace === "fs")?.handler(input, {});
  await assert.rejects(run("read", { path: "zero" }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(run("read", { path: "/dev/urandom", maxBytes: 10 }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(run("write", { path: "null", text: "x" }), hasCode("VALIDATION_ERROR"));
});

/** Paths that change as soon as they have been found to be allowed. */
function changing(paths: AllowedPaths, change: () => void): AllowedPaths {
  return new Proxy(paths, {
    get(target, name) {
      if (name !== "existing" && name !== "writable") return Reflect.get(target, name, target);
      return async (path: string) => {
        const found = await target[name](path);
        change();
        return found;
      };
    },
  });
}

Deno.test("openFile() and createFile() do not leave the root when a path becomes a link after it was looked at", async () => {
  await using it = await machine();
  const paths = await AllowedPaths.open([it.root]);
  const fill = async (): Promise<void> => {
    await Deno.mkdir(`${it.root}/sub/deep`, { recursive: true });
    await Deno.writeTextFile(`${it.root}/sub/deep/secret.txt`, "mine");
  };
  await Deno.mkdir(`${it.outside}/deep`);
  await Deno.writeTextFile(`${it.outside}/deep/secret.txt`, "secret");
  const swapDirectory = changing(paths, () => {
    Deno.removeSync(`${it.root}/sub`, { recursive: true });
    Deno.symlinkSync(it.outside, `${it.root}/sub`);
  });
  for (const [open, path] of [[openFile, "secret.txt"], [createFile, "secret.txt"], [createFile, "new.txt"]] as const) {
    await fill();
    await assert.rejects(open(swapDirectory, `sub/deep/${path}`), hasCode("PATH_NOT_ALLOWED"));
    assert.deepEqual(await readDirectory(paths, `${it.root}/sub/deep`), []);
    await Deno.remove(`${it.root}/sub`);
  }
  assert.deepEqual([...Deno.readDirSync(`${it.outside}/deep`)].map(({ name }) => name), ["secret.txt"]);
  assert.equal(await Deno.readTextFile(`${it.outside}/deep/secret.txt`), "secret");
  const swapFile = changing(paths, () => {
    Deno.removeSync(`${it.root}/a.txt`);
    Deno.symlinkSync(`${it.outside}/secret.txt`, `${it.root}/a.txt`);
  });
  await assert.rejects(openFile(swapFile, "a.txt"), hasCode("PATH_NOT_ALLOWED"));
  assert.equal(await Deno.readTextFile(`${it.outside}/secret.txt`), "secret");
});

Deno.test("bash.run kills what has left its process group, and does not wait for whoever holds its output", async () => {
  await using it = await machine({ commands: ["sh"] });
  // In a session of its own, holding the pipes, with a child of its own.
  const escaped = "setsid sh -c 'sleep 60 & echo $! > inner.pid; echo $$ > outer.pid; wait' & ";
  const waited = "while ! [ -s outer.pid ]; do :; done; echo done";
  assert.equal((await it.call("bash.run", { command: "sh", args: ["-c", escaped + waited] }))["stdout"], "done\n");
  await assertEnded(`${it.root}/inner.pid`);
  await assertEnded(`${it.root}/outer.pid`);
});

Deno.test("bash.run ends a command that writes without end, and gives no more than it may", async () => {
  await using it = await machine({ commands: ["yes", "sh"] });
  await assert.rejects(it.call("bash.run", { command: "yes", timeoutMs: 500 }), hasCode("TIMEOUT"));
  const args = ["-c", "head -c 200000000 /dev/zero | tr '\\0' x"];
  const { stdout, truncated } = await it.call("bash.run", { command: "sh", args, maxOutputBytes: 1000 });
  assert.deepEqual([stdout, truncated], ["x".repeat(1000), true]);
});

Deno.test("bash.stream gives output as it comes, and ends its command when the reader leaves", async () => {
  await using it = await machine({ commands: ["sh"] });
  const script = "echo one; while ! [ -e go ]; do sleep 0.01; done; echo two >&2; exit 3";
  const seen: unknown[] = [];
  for await (const chunk of it.stream("bash.stream", { command: "sh", args: ["-c", script] })) {
    // The second line is only written once the first has been read.
    if (seen.length === 0) await Deno.writeTextFile(`${it.root}/go`, "");
    seen.push(chunk);
  }
  assert.deepEqual(seen, [
    { stream: "stdout", text: "one\n" },
    { stream: "stderr", text: "two\n" },
    { exitCode: 3, truncated: false },
  ]);
  for await (
    const _ of it.stream("bash.stream", { command: "sh", args: ["-c", "echo $$ > sh.pid; echo x; sleep 60"] })
  ) {
    break;
  }
  await assertEnded(`${it.root}/sh.pid`);
  const none = async () => await Array.fromAsync(it.stream("bash.stream", { command: "ls" }));
  await assert.rejects(none(), hasCode("COMMAND_NOT_ALLOWED"));
});

Deno.test("git.worktree* make, list and remove worktrees inside the roots only", async () => {
  await using it = await machine({ commands: ["git"] });
  const run = (...args: string[]) => it.call("bash.run", { command: "git", args });
  await run("init", "-q", "-b", "trunk");
  await run("config", "user.name", "Ann");
  await run("config", "user.email", "ann@example.com");
  const { hash } = await it.call("git.commit", { message: "First" });
  assert.deepEqual(await it.call("git.worktreeCreate", { worktree: "side", branch: "topic" }), {
    path: "side",
    branch: "topic",
  });
  assert.equal((await it.call("fs.read", { path: "side/src/b.ts" }))["text"], "// needle\n");
  assert.deepEqual((await it.call("git.worktreeList", {}))["worktrees"], [
    { path: "", head: hash, branch: "trunk" },
    { path: "side", head: hash, branch: "topic" },
  ]);
  for (const worktree of [`${it.outside}/side`, "../outside/side", "..", ".git/side"]) {
    await assert.rejects(it.call("git.worktreeCreate", { worktree, branch: "b" }), hasCode("PATH_NOT_ALLOWED"));
  }
  for (const branch of ["-d", "topic"]) {
    await assert.rejects(it.call("git.worktreeCreate", { worktree: "other", branch }));
  }
  await assert.rejects(it.call("git.worktreeRemove", { worktree: "." }), hasCode("PATH_NOT_ALLOWED"));
  await it.call("fs.write", { path: "side/new.txt", text: "x" });
  await assert.rejects(it.call("git.worktreeRemove", { worktree: "side" }), hasCode("WORKTREE_DIRTY"));
  await it.call("git.worktreeRemove", { worktree: "side", force: true });
  await assert.rejects(Deno.stat(`${it.root}/side`));
});

Deno.test("git.merge merges one branch after the other, and takes a merge with conflicts back", async () => {
  await using it = await machine({ commands: ["git"] });
  const run = (...args: string[]) => it.call("bash.run", { command: "git", args });
  await run("init", "-q", "-b", "trunk");
  await run("config", "user.name", "Ann");
  await run("config", "user.email", "ann@example.com");
  const { hash } = await it.call("git.commit", { message: "First" });
  for (const name of ["one", "two", "three"]) {
    await it.call("git.worktreeCreate", { worktree: `${name}.tree`, branch: name });
    await it.call("fs.write", { path: `${name}.tree/${name}.txt`, text: name });
    await it.call("fs.write", { path: `${name}.tree/same.txt`, text: name === "three" ? "theirs" : "ours" });
    await it.call("git.commit", { path: `${name}.tree`, message: `Do ${name}` });
  }
  const merged = await Promise.all(
    ["one", "two"].map((branch) => it.call("git.merge", { branch, message: `M ${branch}` })),
  );
  assert.deepEqual(merged.map(({ merged }) => merged), [true, true]);
  assert.equal((await it.call("fs.read", { path: "two.txt" }))["text"], "two");
  assert.deepEqual((await it.call("git.merge", { branch: "one" }))["merged"], false);
  await assert.rejects(it.call("git.merge", { branch: "three" }), hasCode("MERGE_CONFLICT"));
  const { files } = await it.call("git.status", {}) as { files: { path: string }[] };
  assert.deepEqual(files.filter(({ path }) => !path.endsWith(".tree/")), []);
  await assert.rejects(it.call("git.merge", { branch: "none" }), hasCode("GIT_FAILED"));
  const { commits } = await it.call("git.log", {}) as { commits: { subject: string; hash: string }[] };
  assert.deepEqual(commits.filter(({ subject }) => subject.startsWith("M ")).length, 2);
  assert.ok(commits.some((commit) => commit.hash === hash));
});

Deno.test("git.* do not run what a bare repository among the files names", async () => {
  await using it = await machine({ commands: ["git", "touch"] });
  await it.call("bash.run", { command: "git", args: ["init", "-q", "--bare", "bare"] });
  await it.call("fs.write", {
    path: "bare/config",
    text: `[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = "touch ${it.root}/pwned"\n`,
  });
  await assert.rejects(it.call("git.status", { path: "bare" }), hasCode("GIT_FAILED"));
  await assert.rejects(Deno.stat(`${it.root}/pwned`));
});

Deno.test("globMatcher() needs no more than linear time", () => {
  const path = "a".repeat(250);
  assert.equal(globMatcher(`${"*a".repeat(14)}*b`)(path), false);
  assert.equal(globMatcher(`{${"a,".repeat(20)}aa}${"*{a,aa}".repeat(10)}b`)(path), false);
  assert.throws(() => globMatcher("*a".repeat(500)), hasCode("VALIDATION_ERROR"));
});
