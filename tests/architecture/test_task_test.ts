/** `deno task test` and `test:long` run every test there is. */
import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };

const root = new URL("../../", import.meta.url);
const members = config.workspace.map((path) => `${path.replace(/^\.\//, "")}/`);

/**
 * Whether Deno takes `file` as a test for an argument of `deno test`. Of a folder with members of the workspace below it, it takes
 * only what the members hold, without a word of the rest.
 */
function takes(argument: string, file: string): boolean {
  if (argument.endsWith("/**/*_test.ts")) return file.startsWith(argument.slice(0, -"**/*_test.ts".length));
  const folder = `${argument}/`;
  if (!file.startsWith(folder)) return false;
  const below = members.filter((member) => member.startsWith(folder) && member !== folder);
  return below.length === 0 || below.some((member) => file.startsWith(member));
}

Deno.test("deno task test and test:long run every test file", async () => {
  const { test, "test:long": long } = config.tasks;
  const words = [test, long].flatMap(({ command }) => command.split(" ").slice(2)).filter((word) =>
    !word.startsWith("-")
  );
  const listed = await new Deno.Command("git", { args: ["ls-files", "-co", "--exclude-standard"], cwd: root }).output();
  const tests = new TextDecoder().decode(listed.stdout).split("\n").filter((path) => /_test\.tsx?$/.test(path));
  const left = tests.filter((file) => !words.some((word) => takes(word.replaceAll("'", ""), file)));
  assert.ok(tests.length > 300, `${tests.length} test files`);
  assert.deepEqual(left, []);
});
