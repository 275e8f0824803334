import assert from "node:assert/strict";
import { assertEnded, hasCode, machine } from "./_test_machine.ts";
import { globMatcher } from "./glob.ts";
import { devOperations } from "./run_dev_spoke.ts";

Deno.test("fs.list gives files of a root, by glob and limit", async () => {
  await using it = await machine();
  const list = async (input: unknown) => {
    const { files, truncated } = await it.call("fs.list", input);
    assert(Array.isArray(files));
    return [files.map(({ path }) => path), truncated];
  };
  assert.deepEqual(await list({}), [["a.txt"], false]);
  assert.deepEqual(await list({ recursive: true }), [["a.txt", "src/b.ts", "src/deep/c.ts"], false]);
  assert.deepEqual(await list({ path: "src", recursive: true, glob: "*.ts", limit: 1 }), [["src/b.ts"], true]);
  assert.deepEqual(await list({ path: it.root, glob: "src/**/*.ts" }), [["src/b.ts", "src/deep/c.ts"], false]);
});

Deno.test("fs.read and fs.write work inside a root", async () => {
  await using it = await machine();
  assert.deepEqual(await it.call("fs.write", { path: "src/new.txt", text: "grüße" }), { path: "src/new.txt", size: 7 });
  assert.deepEqual(await it.call("fs.read", { path: "src/new.txt" }), { text: "grüße", size: 7, truncated: false });
  assert.deepEqual(await it.call("fs.read", { path: `${it.root}/src/new.txt`, maxBytes: 3 }), {
    text: "gr",
    size: 7,
    truncated: true,
  });
  await assert.rejects(it.call("fs.read", { path: "none.txt" }), hasCode("NOT_FOUND"));
  await assert.rejects(it.call("fs.write", { path: "none/x.txt", text: "" }), hasCode("NOT_FOUND"));
});

Deno.test("fs.search finds lines, as text or as a regular expression", async () => {
  await using it = await machine();
  assert.deepEqual(await it.call("fs.search", { pattern: "needle" }), {
    matches: [{ path: "a.txt", line: 2, text: "two needle" }, { path: "src/b.ts", line: 1, text: "// needle" }],
    truncated: false,
  });
  assert.deepEqual(await it.call("fs.search", { pattern: "^two", regex: true, path: "a.txt" }), {
    matches: [{ path: "a.txt", line: 2, text: "two needle" }],
    truncated: false,
  });
  for (const pattern of ["(", "(?=two)"]) {
    await assert.rejects(it.call("fs.search", { pattern, regex: true }), hasCode("VALIDATION_ERROR"));
  }
});

Deno.test("fs.* refuse every way out of the roots with PATH_NOT_ALLOWED", async () => {
  await using it = await machine();
  await Deno.symlink(it.outside, `${it.root}/link`);
  await Deno.symlink(`${it.outside}/secret.txt`, `${it.root}/file-link`);
  await Deno.symlink(`${it.outside}/not-there-yet`, `${it.root}/dangling`);
  const ways = [
    "../outside/secret.txt",
    "src/../../outside/secret.txt",
    `${it.outside}/secret.txt`,
    "/etc/passwd",
    "link/secret.txt",
    "file-link",
    `${it.root}/../outside/secret.txt`,
    `${it.root}-other`,
    "a\0b",
    "..",
  ];
  for (const path of ways) {
    await assert.rejects(it.call("fs.read", { path }), hasCode("PATH_NOT_ALLOWED"), `read ${path}`);
    await assert.rejects(it.call("fs.write", { path, text: "x" }), hasCode("PATH_NOT_ALLOWED"), `write ${path}`);
    await assert.rejects(it.call("fs.list", { path }), hasCode("PATH_NOT_ALLOWED"), `list ${path}`);
    await assert.rejects(it.call("fs.search", { path, pattern: "s" }), hasCode("PATH_NOT_ALLOWED"), `search ${path}`);
    await assert.rejects(it.call("git.status", { path }), hasCode("PATH_NOT_ALLOWED"), `git ${path}`);
  }
  await assert.rejects(it.call("fs.write", { path: "dangling", text: "x" }), hasCode("PATH_NOT_ALLOWED"));
  await assert.rejects(it.call("fs.write", { path: "link/new.txt", text: "x" }), hasCode("PATH_NOT_ALLOWED"));
  assert.equal(await Deno.readTextFile(`${it.outside}/secret.txt`), "secret");
  const { files } = await it.call("fs.list", { recursive: true });
  assert.doesNotMatch(JSON.stringify(files), /link|dangling/);
});

Deno.test("bash.run starts allowed commands only, and no shell reads their arguments", async () => {
  await using it = await machine({ commands: ["echo", "sh"] });
  assert.deepEqual(await it.call("bash.run", { command: "echo", args: ["$HOME; ls", "*"] }), {
    exitCode: 0,
    stdout: "$HOME; ls *\n",
    stderr: "",
    truncated: false,
  });
  for (const command of ["ls", "/bin/echo", "echo hi", "./echo", "echo;ls"]) {
    await assert.rejects(it.call("bash.run", { command }), hasCode("COMMAND_NOT_ALLOWED"));
  }
  await assert.rejects(it.call("bash.run", { command: "echo", cwd: it.outside }), hasCode("PATH_NOT_ALLOWED"));
  const failed = await it.call("bash.run", { command: "sh", args: ["-c", "pwd; echo bad >&2; exit 3"], cwd: "src" });
  assert.deepEqual(failed, { exitCode: 3, stdout: `${it.root}/src\n`, stderr: "bad\n", truncated: false });
});

Deno.test("bash.run limits the output and hides the environment", async () => {
  await using it = await machine({ commands: ["sh"] });
  Deno.env.set("SPOKE_TEST_SECRET", "hush");
  const args = ["-c", "printf '%s' \"${SPOKE_TEST_SECRET:-none}\"; head -c 100000 /dev/zero | tr '\\0' x"];
  const { stdout, truncated } = await it.call("bash.run", { command: "sh", args, maxOutputBytes: 10 });
  Deno.env.delete("SPOKE_TEST_SECRET");
  assert.deepEqual([stdout, truncated], ["nonexxxxxx", true]);
});

Deno.test("bash.run kills the whole process group when time is up or the call is aborted", async () => {
  await using it = await machine({ commands: ["sh"] });
  const args = ["-c", "sleep 60 & echo $! > child.pid; wait"];
  await assert.rejects(it.call("bash.run", { command: "sh", args, timeoutMs: 200 }), hasCode("TIMEOUT"));
  await assertEnded(`${it.root}/child.pid`);
  const controller = new AbortController();
  await Deno.remove(`${it.root}/child.pid`);
  const changes = Deno.watchFs(it.root);
  const call = it.call("bash.run", { command: "sh", args }, controller.signal);
  for await (const _ of changes) {
    if ((await Deno.readTextFile(`${it.root}/child.pid`).catch(() => "")).endsWith("\n")) break;
  }
  controller.abort();
  await assert.rejects(call, hasCode("ABORTED"));
  await assertEnded(`${it.root}/child.pid`);
});

Deno.test("git.* read and commit in a repository of the root", async () => {
  await using it = await machine({ commands: ["git"] });
  const run = (...args: string[]) => it.call("bash.run", { command: "git", args });
  await assert.rejects(it.call("git.status", {}), hasCode("GIT_FAILED"));
  await run("init", "-q", "-b", "trunk");
  await run("config", "user.name", "Ann");
  await run("config", "user.email", "ann@example.com");
  const status = await it.call("git.status", {});
  assert.equal(status["branch"], "trunk");
  const { hash } = await it.call("git.commit", { message: "First\n\nWith a body." });
  const { commits } = await it.call("git.log", {});
  assert(Array.isArray(commits));
  assert.deepEqual([commits[0].hash, commits[0].author, commits[0].subject, commits[0].body], [
    hash,
    "Ann",
    "First",
    "With a body.",
  ]);
  await it.call("fs.write", { path: "a.txt", text: "changed\n" });
  assert.deepEqual((await it.call("git.status", {}))["files"], [{ status: " M", path: "a.txt" }]);
  assert.match(String((await it.call("git.diff", {}))["diff"]), /^\+changed$/m);
  await assert.rejects(it.call("git.log", { from: "--output=x" }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(it.call("fs.write", { path: ".git/config", text: "" }), hasCode("PATH_NOT_ALLOWED"));
  await assert.rejects(it.call("fs.write", { path: ".git/hooks/pre-commit", text: "" }), hasCode("PATH_NOT_ALLOWED"));
});

Deno.test("http.fetch reaches allowed hosts only", async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => new Response("hello"));
  const host = `127.0.0.1:${server.addr.port}`;
  await using it = await machine({ hosts: [host] });
  const answer = await it.call("http.fetch", { url: `http://${host}/` });
  assert.deepEqual([answer["status"], answer["body"]], [200, "hello"]);
  await assert.rejects(it.call("http.fetch", { url: "http://127.0.0.1:9/" }), hasCode("HOST_NOT_ALLOWED"));
  await assert.rejects(it.call("http.fetch", { url: `file://${it.outside}/secret.txt` }), hasCode("HOST_NOT_ALLOWED"));
});

Deno.test("devOperations() refuses a root that is no directory", async () => {
  await assert.rejects(devOperations({ roots: [], commands: [], hosts: [] }), /without a root/);
  await assert.rejects(devOperations({ roots: ["/no/such/place"], commands: [], hosts: [] }), /"\/no\/such\/place"/);
});

Deno.test("globMatcher() matches names, segments and trees", () => {
  const cases: readonly [string, string, boolean][] = [
    ["*.ts", "a/b.ts", true],
    ["*.ts", "a/b.tsx", false],
    ["a/*.ts", "a/b/c.ts", false],
    ["a/**/*.ts", "a/c.ts", true],
    ["a/**/*.ts", "a/b/d/c.ts", true],
    ["**", "a/b", true],
    ["*.{ts,md}", "x.md", true],
    ["?.ts", "ab.ts", false],
    ["a+(b).ts", "a+(b).ts", true],
  ];
  for (const [glob, path, expected] of cases) assert.equal(globMatcher(glob)(path), expected, `${glob} on ${path}`);
});
