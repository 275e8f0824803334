/** The packages' own tests, on Node 20 or later: those that need nothing else of Deno than `Deno.test`. About a minute. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;
const SHIM = new URL("../integration/node_consumer/deno_test_shim.mjs", import.meta.url);

/** Packages, and how many of their tests run there at the least: fewer are a mistake of this test. */
const PACKAGES: Readonly<Record<string, number>> = {
  pubsub: 40,
  operations: 100,
  taskgraph: 35,
  flowgraph: 130,
  keypal: 35,
  spoke: 6,
  testing: 12,
};

/**
 * Files whose tests are not run here: the embedded database would have to come along (`node_packages_test.ts` keeps keys in SQL
 * on Node, and posts to a worker); Node has no web workers; and what must be fast is measured once.
 */
const ELSEWHERE = /keypal\/drizzle\/|pubsub\/event_target_worker_test|flowgraph\/expression\/bound_work_test/;

/** Of the language, younger than Node 20: only tests may use it. */
const YOUNGER =
  /\bArray\.fromAsync\b|\b(Map|Object)\.groupBy\b|\bPromise\.(withResolvers|try)\b|\.(keys|values|entries)\(\)\.(toArray|map|filter)\(|^\s*(await )?using /m;

async function run(command: string, args: readonly string[], cwd: string): Promise<{ ok: boolean; output: string }> {
  const options: Deno.CommandOptions = { args: [...args], cwd, stdin: "null", stdout: "piped", stderr: "piped" };
  const { success, stdout, stderr } = await new Deno.Command(command, options).output();
  return { ok: success, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function* filesIn(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) yield* filesIn(`${directory}/${name}`);
    else if (/\.tsx?$/.test(name)) yield `${directory}/${name}`;
  }
}

interface Sources {
  readonly tests: readonly string[];
  /** Files of the package itself that Node 20 would not understand. */
  readonly younger: readonly string[];
}

async function sourcesOf(name: string): Promise<Sources> {
  const tests: string[] = [];
  const younger: string[] = [];
  for await (const file of filesIn(`${ROOT}packages/${name}`)) {
    const text = await Deno.readTextFile(file);
    const isTest = /_test\.tsx?$|\/_[^/]*$/.test(file);
    if (!isTest && YOUNGER.test(text.replaceAll(/\/\*[\s\S]*?\*\//g, ""))) younger.push(file);
    const needsDeno = /\bDeno\.(?!test\b)/.test(text) || ELSEWHERE.test(file);
    if (/_test\.tsx?$/.test(file) && !needsDeno) tests.push(file);
  }
  return { tests, younger };
}

/** Lowers what Node 20 does not parse, `using` above all. */
const LOWER = `import ts from "typescript";
import { readFileSync, writeFileSync } from "node:fs";
const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
const [, , from, to] = process.argv;
writeFileSync(to, ts.transpileModule(readFileSync(from, "utf8"), { compilerOptions: options, fileName: "a.js" }).outputText);
`;

async function prepare(project: string): Promise<boolean> {
  const node = await run("node", ["--version"], ".").catch(() => null);
  if (node === null || Number(/^v(\d+)/.exec(node.output)?.[1]) < 20) return false;
  await Deno.writeTextFile(`${project}/package.json`, JSON.stringify({ name: "tests", type: "module" }));
  await Deno.copyFile(SHIM, `${project}/shim.mjs`);
  await Deno.writeTextFile(`${project}/lower.mjs`, LOWER);
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"];
  return (await run("npm", ["install", ...flags, "typescript@5.9.3"], project).catch(() => ({ ok: false }))).ok;
}

async function testOn(project: string, name: string, tests: readonly string[]): Promise<string> {
  const entry = `${project}/${name}.ts`;
  await Deno.writeTextFile(entry, tests.map((file) => `import "file://${file}";\n`).join(""));
  const raw = `${project}/${name}.raw.mjs`;
  const bundled = await run(Deno.execPath(), ["bundle", "-q", "--platform", "deno", "-o", raw, entry], ROOT);
  assert.ok(bundled.ok, bundled.output);
  let code = `import "./shim.mjs";\n${(await Deno.readTextFile(raw)).replaceAll(/\bDeno\.test\b/g, "testOnNode")}`;
  const final = `${project}/${name}.test.mjs`;
  if (/^\s*using /m.test(code)) {
    await Deno.writeTextFile(raw, code);
    const lowered = await run("node", ["lower.mjs", raw, final], project);
    assert.ok(lowered.ok, lowered.output);
    code = await Deno.readTextFile(final);
  }
  await Deno.writeTextFile(final, code);
  return (await run("node", ["--test", "--test-reporter=tap", final], project)).output;
}

Deno.test("the packages' tests pass on Node", async (t) => {
  const project = await Deno.makeTempDir({ prefix: "node-tests-" });
  try {
    if (!await prepare(project)) return console.log("Node 20, npm or the registry cannot be had here: not run");
    for (const [name, least] of Object.entries(PACKAGES)) {
      await t.step(name, async () => {
        const { tests, younger } = await sourcesOf(name);
        assert.deepEqual(younger, []);
        const output = await testOn(project, name, tests);
        const [passed, failed] = ["pass", "fail"].map((what) =>
          Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(output)?.[1])
        );
        const broken = output.split("\n").flatMap((line, at, all) =>
          line.trim().startsWith("not ok") ? all.slice(at, at + 24) : []
        );
        assert.equal(failed, 0, `${broken.join("\n")}\n${output.slice(-2_000)}`);
        assert.ok((passed ?? 0) >= least, `Only ${passed} tests passed: wanted ${least}`);
      });
    }
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
