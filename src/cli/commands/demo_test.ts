import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

Deno.test("`hub demo` runs hub, spoke and workflow over a folder, tells the result and leaves nothing behind", async () => {
  const folder = await Deno.makeTempDir({ prefix: "demo-test-" });
  const temporary = join(folder, "tmp");
  await Deno.mkdir(join(folder, "sources"));
  await Deno.mkdir(temporary);
  await Deno.writeTextFile(join(folder, "sources", "a.ts"), "export function a(): number {\n  return 1;\n}\n");
  await Deno.writeTextFile(join(folder, "sources", "b.py"), "# TODO: more\nx = 1\n");
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MAIN, "demo", "--json", "--path", join(folder, "sources")],
      env: { TMPDIR: temporary, NO_COLOR: "1" },
    }).output();
    const told = new TextDecoder().decode(stderr);
    assert.equal(code, 0, told);
    const { run, graph } = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual([run.status, run.output.files, run.output.code, run.output.todos], ["completed", 2, 4, 1]);
    const statuses = new Map<string, string>(
      graph.nodes.map(({ key, status }: { readonly key: string; readonly status: string }) => [key, status]),
    );
    assert.deepEqual(["measure[1]", "tests", "no_tests", "write"].map((key) => statuses.get(key)), [
      "completed",
      "skipped",
      "completed",
      "completed",
    ]);
    assert.match(told, /Hub {6}http:\/\/127\.0\.0\.1:\d+\nSpoke .*process of its own[\s\S]*Run {6}[0-9a-f-]{36}/);
    assert.deepEqual([...Deno.readDirSync(temporary)].map(({ name }) => name), []);
    assert.deepEqual([...Deno.readDirSync(join(folder, "sources"))].map(({ name }) => name).sort(), ["a.ts", "b.py"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
