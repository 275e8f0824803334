/**
 * Packs every package, installs all of them in a plain Node project, type-checks a program that uses each subpath, and runs it
 * and, with vitest, a test of a template.
 * About half a minute; skipped with a reason where node, npm or the registry is missing.
 */
import assert from "node:assert/strict";
import { declareTypes } from "@alkdev/flowgraph/typegen";
import { Type } from "@alkdev/typebox";
import { packPackages } from "../support/pack_packages.ts";

/** What the optional subpaths need, and the compiler. */
const BESIDES = [
  "typescript@5.9.3",
  "zod@4.6.7",
  "valibot@1.5.0",
  "@valibot/to-json-schema@1.8.0",
  "@modelcontextprotocol/sdk@1.32.2",
  "vitest@3.2.4",
  "drizzle-orm@0.45.4",
  "@electric-sql/pglite@0.5.16",
  "ioredis@5.10.1",
];

/** The guide's test of a template is the one that is run. */
const GUIDE = new URL("../../docs/guides/testing-workflows.md", import.meta.url);

async function vitestOf(guide: URL): Promise<string> {
  const found = /^```tsx vitest=order\.test\.tsx\n([\s\S]*?)^```$/m.exec(await Deno.readTextFile(guide));
  return found?.[1] ?? assert.fail("The guide has no block that is marked vitest=order.test.tsx");
}

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    module: "nodenext",
    target: "es2022",
    lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
    jsx: "react-jsx",
    jsxImportSource: "@alkdev/flowgraph",
    // Our declarations are what is tested: a broken one must not pass for any.
    skipLibCheck: false,
    types: [],
    outDir: "out",
  },
  files: ["consumer.tsx"],
};

/** A template with declarations as `hub types` writes them; each expected error is one. */
const TYPED = `import { Operation, step } from "@alkdev/flowgraph";
const Double = step("double", "math.double");
export const good = <><Double input={{ n: 1 }} /><Operation name="math.double" input={{ n: Double.output }} /></>;
// @ts-expect-error there is no such operation
export const unknown = <Operation name="math.duoble" />;
// @ts-expect-error n is a number
export const wrong = <Operation name="math.double" input={{ n: "1" }} />;
// @ts-expect-error it has no such field
export const missing = <Operation name="math.double" input={{ n: Double.output.value }} />;
`;
const DECLARED = declareTypes({
  operations: [{
    namespace: "math",
    name: "double",
    description: "Doubles.",
    inputSchema: Type.Object({ n: Type.Number() }),
    outputSchema: Type.Number(),
  }],
  workflows: [],
});

interface Finished {
  readonly success: boolean;
  readonly output: string;
}

async function run(command: string, args: string[], cwd: string): Promise<Finished> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd, stdout: "piped", stderr: "piped" })
    .output();
  const decoder = new TextDecoder();
  return { success, output: `${decoder.decode(stdout)}${decoder.decode(stderr)}` };
}

/** drizzle-orm's own declarations are wrong without the drivers of every database. */
async function keepsKeysInSql(project: string): Promise<void> {
  const compilerOptions = { ...TSCONFIG.compilerOptions, skipLibCheck: true };
  await Deno.writeTextFile(`${project}/sql.json`, JSON.stringify({ compilerOptions, files: ["keys_in_sql.ts"] }));
  const checked = await run("node", ["node_modules/typescript/bin/tsc", "-p", "sql.json"], project);
  assert.ok(checked.success, checked.output);
  assert.deepEqual(await run("node", ["out/keys_in_sql.js"], project), { success: true, output: "[true,1]\n" });
}

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly license: string;
  readonly type: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, { readonly types?: string; readonly default?: string } | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What a package must be made of, as it lies in `node_modules`: the licence, declarations of every entry, and no test. */
async function isComplete(directory: string): Promise<void> {
  const manifest: Manifest = JSON.parse(await Deno.readTextFile(`${directory}/package.json`));
  const { name, description, license, type, engines, exports, dependencies } = manifest;
  assert.deepEqual([license, type, engines.node], ["MIT OR Apache-2.0", "module", ">=20"], name);
  assert.ok(description.length > 10, `${name}: "${description}"`);
  for (const file of ["LICENSE-MIT", "LICENSE-APACHE"]) await Deno.stat(`${directory}/${file}`);
  for (const [path, target] of Object.entries(exports)) {
    assert.ok(typeof target === "object" && target.types !== undefined && target.default !== undefined, name + path);
    for (const file of [target.types, target.default]) await Deno.stat(`${directory}/${file}`);
  }
  const listed = await run("find", [directory, "-not", "-path", "*/node_modules/*/node_modules/*", "-type", "f"], ".");
  assert.doesNotMatch(listed.output, /_test\.|_conformance\.|\.tsx?(?<!\.d\.ts)\n/, name);
  for (const [other, range] of Object.entries(dependencies)) assert.match(range, /\d+\.\d+\.\d+/, `${name}: ${other}`);
  assert.ok(!Object.keys(dependencies).includes("@alkdev/hub"), name);
}

/** Why the test cannot be run here; undefined when it can. */
async function missing(): Promise<string | undefined> {
  for (const tool of ["node", "npm", "tar"]) {
    const found = await run(tool, ["--version"], ".").catch(() => undefined);
    if (!found?.success) return `there is no ${tool}`;
    const major = Number(/^v(\d+)/.exec(found.output)?.[1]);
    if (tool === "node" && major < 20) return `node is ${found.output.trim()}: wanted 20 or later`;
  }
  const { success } = await run("npm", ["view", BESIDES[0] ?? "", "version"], ".");
  return success ? undefined : "the npm registry cannot be reached";
}

const reason = await missing();
if (reason !== undefined) console.log(`Packages on Node: the test is skipped, as ${reason}`);

Deno.test({
  name: "every package installs, type-checks and runs in a plain Node project",
  ignore: reason !== undefined,
  fn: async () => {
    const project = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${project}/package.json`, JSON.stringify({ name: "consumer", type: "module" }));
      await Deno.writeTextFile(`${project}/tsconfig.json`, JSON.stringify(TSCONFIG));
      for (const file of ["consumer.tsx", "keys_in_sql.ts"]) {
        await Deno.copyFile(new URL(`../integration/node_consumer/${file}`, import.meta.url), `${project}/${file}`);
      }
      const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"];
      const install = async (names: readonly string[]): Promise<void> => {
        const { success, output } = await run("npm", ["install", ...flags, ...names], project);
        assert.ok(success, output);
      };
      const [tarballs] = await Promise.all([packPackages(`${project}/packed`), install(BESIDES)]);
      await install(tarballs);
      for await (const { name } of Deno.readDir(`${project}/node_modules/@alkdev`)) {
        if (name !== "typebox") await isComplete(`${project}/node_modules/@alkdev/${name}`);
      }
      const checked = await run("node", ["node_modules/typescript/bin/tsc"], project);
      assert.ok(checked.success, checked.output);
      await Deno.writeTextFile(`${project}/typed.tsx`, TYPED);
      await Deno.writeTextFile(`${project}/hub_types.d.ts`, DECLARED);
      const files = ["typed.tsx", "hub_types.d.ts"];
      await Deno.writeTextFile(`${project}/typed.json`, JSON.stringify({ ...TSCONFIG, files }));
      const typed = await run("node", ["node_modules/typescript/bin/tsc", "-p", "typed.json", "--noEmit"], project);
      assert.ok(typed.success, typed.output);
      const ran = await run("node", ["out/consumer.js"], project);
      assert.deepEqual(ran, { success: true, output: "ok\n" });
      await keepsKeysInSql(project);
      await Deno.writeTextFile(`${project}/order.test.tsx`, await vitestOf(GUIDE));
      const tested = await run("node", ["node_modules/vitest/vitest.mjs", "run", "--exclude", "out"], project);
      assert.ok(tested.success, tested.output);
      assert.match(tested.output, /1 passed/);
    } finally {
      await Deno.remove(project, { recursive: true });
    }
  },
});
