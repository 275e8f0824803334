/** Who may import whom, held over the real module graph. */
import assert from "node:assert/strict";
import { COMPOSITION, roomOf, ROOMS, RUNTIME_FREE, WALLS } from "./rooms.ts";

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly specifier: string; readonly code?: Resolved; readonly type?: Resolved }[];
}
interface Resolved {
  readonly specifier?: string;
}

const root = new URL("../../", import.meta.url);

async function sourceFiles(): Promise<string[]> {
  const listed = await new Deno.Command("git", { args: ["ls-files", "-co", "--exclude-standard"], cwd: root }).output();
  const paths = new TextDecoder().decode(listed.stdout).split("\n")
    .filter((path) => /\.tsx?$/.test(path) && /^(packages|engine|workflows|src)\//.test(path));
  // A file that was just deleted is still in the index.
  const present = await Promise.all(paths.map((path) => Deno.stat(new URL(path, root)).then(() => true, () => false)));
  return paths.filter((_, i) => present[i]);
}

/** Every import of every source file, read by Deno itself. Tests may import what they test with. */
async function imports(): Promise<{ from: string; to: string }[]> {
  const files = (await sourceFiles()).filter((path) => !isTest(path));
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      files.map((path) => `import ${JSON.stringify(new URL(path, root).href)};`).join("\n"),
    );
    const info = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", new URL("deno.json", root).pathname, entry],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const graph = JSON.parse(new TextDecoder().decode(info.stdout)) as { modules: readonly Module[] };
    const found: { from: string; to: string }[] = [];
    for (const module of graph.modules) {
      if (!module.specifier.startsWith(root.href)) continue;
      const from = module.specifier.slice(root.href.length);
      for (const dependency of module.dependencies ?? []) {
        for (const to of new Set([dependency.code?.specifier, dependency.type?.specifier])) {
          if (to !== undefined) found.push({ from, to: to.startsWith(root.href) ? to.slice(root.href.length) : to });
        }
      }
    }
    assert.ok(found.length > 200, `read only ${found.length} imports: the graph was not built`);
    return found;
  } finally {
    await Deno.remove(entry);
  }
}

function isTest(path: string): boolean {
  return /(^|[/_.])(test|testing|conformance|bench)([/_.]|$)/.test(path);
}

function isComposition(path: string): boolean {
  return COMPOSITION.some((allowed) => path === allowed || path.startsWith(`${allowed}/`));
}

const graph = imports();

Deno.test("every source file has a room", async () => {
  const homeless = (await sourceFiles()).filter((path) => roomOf(path) === null && !isComposition(path));
  assert.deepEqual(homeless, []);
});

Deno.test("rooms import only what the table allows", async () => {
  const wrong: string[] = [];
  for (const { from, to } of await graph) {
    if (isComposition(from) || isTest(from) || /^(npm|node|https?|file|data):/.test(to)) continue;
    const room = roomOf(from);
    if (room === null || roomOf(to) === room) continue;
    const target = roomOf(to) ?? to;
    if (!ROOMS[room]!.includes(target)) wrong.push(`${from} imports ${to}`);
  }
  assert.deepEqual([...new Set(wrong)].sort(), []);
});

Deno.test("third-party packages stay behind their walls", async () => {
  const wrong: string[] = [];
  for (const { from, to } of await graph) {
    if (isTest(from) || !to.startsWith("npm:")) continue;
    const name = to.replace(/^npm:\/?/, "").replace(/(?<=.)@[^/]*/, "");
    for (const [wall, rooms] of Object.entries(WALLS)) {
      const isIt = wall.endsWith("/")
        ? name.startsWith(wall)
        : name === wall || name.startsWith(`${wall}/`) || name.startsWith(`${wall}-`);
      if (isIt && !rooms.some((room) => from.startsWith(room))) wrong.push(`${from} imports ${to}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("packages and engine are free of the runtime, of time and of chance", async () => {
  const wrong: string[] = [];
  for (const path of await sourceFiles()) {
    if (!RUNTIME_FREE.some((prefix) => path.startsWith(prefix)) || isTest(path)) continue;
    const text = (await Deno.readTextFile(new URL(path, root))).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    if (/\bDeno\./.test(text)) wrong.push(`${path} uses Deno.*`);
    if (
      path.startsWith("engine/") &&
      /\b(Date\.now|setTimeout|setInterval|Math\.random|crypto\.|performance\.)/.test(text)
    ) {
      wrong.push(`${path} uses time or chance without a port`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no export *, no file past 400 lines without a reason in its first lines", async () => {
  const wrong: string[] = [];
  for (const path of await sourceFiles()) {
    const text = await Deno.readTextFile(new URL(path, root));
    if (/^export \* /m.test(text)) wrong.push(`${path} has export *`);
    const lines = text.trimEnd().split("\n").length;
    if (lines > 400 && !isTest(path) && !/Long because/.test(text.slice(0, 1000))) {
      wrong.push(`${path} has ${lines} lines`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("versions are exact and stand in the root import map only", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as { imports: Record<string, string> };
  const loose = Object.entries(config.imports).filter(([, target]) =>
    target.startsWith("npm:") && !/@\d+\.\d+\.\d+/.test(target)
  );
  assert.deepEqual(loose, []);
  for (const path of await sourceFiles()) {
    const text = await Deno.readTextFile(new URL(path, root));
    assert.ok(!/from "(npm|jsr|https?):/.test(text), `${path} imports around the import map`);
  }
});
