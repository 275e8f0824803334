/** `hub spoke check` on the SDK and on every example, and on an example that was broken. About 10 s each. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { has, installNodeExample } from "../e2e/_examples.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Report {
  readonly code: number;
  readonly stderr: string;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  readonly ok: number;
}

async function check(command: string, ...options: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", `${ROOT}deno.json`, `${ROOT}src/cli/main.ts`, "spoke", "check"]
      .concat(command, "--json", options),
    env: { NO_COLOR: "1" },
  }).output();
  const told = new TextDecoder().decode(stderr);
  const { ok, checks } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly ok: number;
    readonly checks: readonly { readonly name: string; readonly result: string; readonly seen: string }[];
  };
  const of = (wanted: string): string[] =>
    checks.filter(({ result }) => result === wanted).map(({ name, seen }) => `${name}: ${seen}`);
  return { code, stderr: told, failed: of("failed"), skipped: of("skipped"), ok };
}

function assertWhole({ code, stderr, failed, skipped, ok }: Report, mayskip = 0): void {
  assert.deepEqual([failed, skipped.length, code], [[], mayskip, 0], `${skipped.join("; ")}\n${stderr}`);
  assert.ok(ok > 28, `only ${ok} checks`);
}

Deno.test("hub spoke check finds nothing wrong with the SDK on Deno", async () => {
  assertWhole(await check(`${Deno.execPath()} run -A --no-check examples/spoke-sdk/check.ts`, "--strict"));
});

Deno.test("hub spoke check finds nothing wrong with the Python example", async () => {
  if (!await has("python3")) return console.log("There is no python3 here: not run");
  assertWhole(await check("python3 examples/spoke-python/check.py", "--strict"));
});

Deno.test("hub spoke check finds nothing wrong with the Node example, which has no arrays", async () => {
  const dir = await installNodeExample();
  if (dir === null) return console.log("Node or npm or the package ws cannot be had here: not run");
  try {
    assertWhole(await check(`node ${dir}/check.mjs`), 1);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("hub spoke check reports what was broken in an example, and ends with 1", async () => {
  if (!await has("python3")) return console.log("There is no python3 here: not run");
  const dir = await Deno.makeTempDir({ prefix: "broken-spoke-" });
  try {
    for (const file of ["spoke.py", "check.py", "websocket.py"]) {
      await Deno.copyFile(`${ROOT}examples/spoke-python/${file}`, `${dir}/${file}`);
    }
    let source = await Deno.readTextFile(`${dir}/spoke.py`);
    const breaks: readonly (readonly [string, string])[] = [
      // Forgets its answers, reads no arrays, takes no goodbye, and calls every failure the same.
      ["elif request_id in self._answers:", "elif False:"],
      ["value if isinstance(value, list) else [value]", "[value]"],
      [`self.ask(self._socket, "hub.drain", {})`, "pass"],
      [`"code": error.code`, `"code": "FAILED"`],
    ];
    for (const [whole, broken] of breaks) {
      assert.ok(source.includes(whole), whole);
      source = source.replace(whole, broken);
    }
    await Deno.writeTextFile(`${dir}/spoke.py`, source);
    const { code, failed } = await check(`python3 ${dir}/check.py`);
    assert.equal(code, 1);
    const names = failed.map((line) => line.split(":")[0]);
    const expected = [
      "says why a call failed",
      "refuses an operation that it does not offer",
      "answers the same request again from memory",
      "reads arrays once both have said batch",
      "remembers its answers across sockets",
      "drains on SIGTERM",
      "drains when the hub asks for it",
    ];
    for (const name of expected) assert.ok(names.includes(name), `${name} is not in ${failed.join("\n")}`);
    assert.ok(!names.includes("answers a call") && !names.includes("keeps Unicode whole"), failed.join("\n"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("hub spoke check says that a program which is no spoke never registered", async () => {
  const { code, failed } = await check("true");
  assert.deepEqual([code, failed], [1, ["registers: its process has ended: exit code 0"]]);
});
