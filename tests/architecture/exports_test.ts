/**
 * What each package gives to the world, name by name: an export that nobody meant, or one that went away, is seen here.
 * After a change that is meant: `deno run -A tests/architecture/exports_test.ts`.
 */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const record = new URL("exports.json", import.meta.url);

type Exports = Readonly<Record<string, readonly string[]>>;

interface Documented {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly { readonly name: string }[] }>>;
}

/** Entry of a package, as it is imported, to the URL of its module. */
async function entries(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name } of Deno.readDir(new URL("packages/", root))) {
    const directory = new URL(`packages/${name}/`, root);
    const config: { name: string; exports: Record<string, string> } = JSON.parse(
      await Deno.readTextFile(new URL("deno.json", directory)),
    );
    for (const [path, file] of Object.entries(config.exports)) {
      found.set(config.name + path.slice(1), new URL(file, directory).href);
    }
  }
  return found;
}

async function exportsNow(): Promise<Exports> {
  const modules = await entries();
  const { stdout, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...new Set(modules.values())],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { nodes }: Documented = JSON.parse(new TextDecoder().decode(stdout));
  const namesOf = (href: string) => [...new Set(nodes[href]?.symbols.map(({ name }) => name))].sort();
  return Object.fromEntries([...modules].sort().map(([entry, href]) => [entry, namesOf(href)]));
}

if (import.meta.main) {
  await Deno.writeTextFile(record, `${JSON.stringify(await exportsNow(), null, 2)}\n`);
} else {
  Deno.test("packages export what the record says, and nothing else", async () => {
    const recorded: Exports = JSON.parse(await Deno.readTextFile(record));
    const now = await exportsNow();
    assert.ok(Object.values(now).every((names) => names.length > 0), "an entry without exports: it was not read");
    const how = "If it is meant, run: deno run -A tests/architecture/exports_test.ts";
    for (const entry of new Set([...Object.keys(recorded), ...Object.keys(now)])) {
      assert.deepEqual(now[entry], recorded[entry], `${entry} exports other names than before. ${how}`);
    }
  });
}
