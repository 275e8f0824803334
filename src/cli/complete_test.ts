import assert from "node:assert/strict";
import { command } from "./_command.ts";

const lines = (out: string): string[] => out === "" ? [] : out.split("\n");

/** What a shell is told; the hub is the one of the environment. */
async function completed(...words: string[]): Promise<readonly string[]> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const items = pathname === "/api/runs" ? [{ id: "0190-a" }, { id: "0191-b" }] : [{ name: "nightly" }];
    return Response.json({ items, nextCursor: null });
  });
  const told = await command(["complete", ...words], { HUB_URL: `http://127.0.0.1:${server.addr.port}`, HUB_KEY: "k" });
  assert.deepEqual([told.code, told.err], [0, ""]);
  return lines(told.out);
}

Deno.test("hub complete knows commands, options, choices, ids and names", async () => {
  assert.deepEqual(await completed("sch"), ["schedules"]);
  assert.deepEqual(await completed("schedules", "re"), ["remove", "resume"]);
  assert.deepEqual(await completed("schedules", "pause", ""), ["nightly"]);
  assert.deepEqual(await completed("runs", "show", ""), ["0190-a", "0191-b"]);
  assert.deepEqual(await completed("runs", "show", "0191"), ["0191-b"]);
  assert.deepEqual(await completed("graph", "0190-a", "--for"), ["--format"]);
  assert.deepEqual(await completed("graph", "0190-a", "--format", "s"), ["svg"]);
  assert.deepEqual(await completed("graph", "--at", "3", "0191"), ["0191-b"]);
  assert.deepEqual(await completed("runs", "list", "--workflow", ""), ["nightly"]);
  assert.deepEqual(await completed("nonsense", ""), []);
});

Deno.test("hub complete says nothing when there is no hub to ask", async () => {
  const told = await command(["complete", "runs", "show", ""], { HUB_URL: "http://127.0.0.1:1" });
  assert.deepEqual([told.code, told.out, told.err], [0, "", ""]);
});

Deno.test("hub completions prints a script that bash takes", async () => {
  const { out } = await command(["completions", "bash"]);
  const bash = await new Deno.Command("bash", {
    args: [
      "-c",
      `hub() { echo "$*" > /dev/null; printf 'runs\\nrun\\n'; }\n${out}\nCOMP_WORDS=(hub ru); COMP_CWORD=1; _hub; echo "\${COMPREPLY[*]}"`,
    ],
  }).output();
  assert.equal(new TextDecoder().decode(bash.stdout).trim(), "runs run");
  const wrong = await command(["completions", "tcsh"]);
  assert.deepEqual([wrong.code, wrong.out], [2, ""]);
});
