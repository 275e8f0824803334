import assert from "node:assert/strict";
import { join } from "node:path";
import { CallError, type OperationSpec } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { createMemoryWorkflowStore } from "./memory_workflow_store.ts";
import { createTemplates, type Templates } from "./templates.ts";
import type { WorkflowStore } from "./workflow_store.ts";

const ORG = "org-1";
const ECHO: OperationSpec = {
  namespace: "core",
  name: "echo",
  version: "1.0.0",
  type: "query",
  description: "Echo",
  inputSchema: Type.Object({ value: Type.Unknown() }),
  outputSchema: Type.Object({ value: Type.Unknown() }),
  accessControl: { requiredScopes: [] },
};

interface Fixture {
  readonly folder: string;
  readonly templates: Templates;
  readonly store: WorkflowStore;
  /** Resolves after the next reload that a change on disk caused. */
  reloaded(): Promise<void>;
  write(name: string, text: string): Promise<void>;
}

async function withTemplates(
  files: Readonly<Record<string, string>>,
  body: (fixture: Fixture) => Promise<void>,
  { watch = false, now = Date.now, more = [] as readonly string[] } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "templates-test-" });
  const write = async (name: string, text: string) => {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const store = createMemoryWorkflowStore();
  const waiting: (() => void)[] = [];
  const templates = createTemplates({
    directories: [folder, ...more],
    store,
    operations: { spec: (_, id) => id === "core.echo" ? ECHO : undefined, list: () => [ECHO] },
    watch,
    log: () => {},
    now,
    onReload: () => waiting.splice(0).forEach((resolve) => resolve()),
  });
  const reloaded = () => new Promise<void>((resolve) => waiting.push(resolve));
  try {
    await templates.load();
    await body({ folder, templates, store, reloaded, write });
  } finally {
    await templates.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const template = (name: string, value: string) => `
import { defineWorkflow, Operation } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
export default defineWorkflow({
  name: "${name}",
  title: "A title",
  input: Type.Object({ n: Type.Integer({ default: 3 }), s: Type.Optional(Type.String()) }),
  template: <Operation name="core.echo" key="a" input={{ value: ${value} }} />,
});
`;

Deno.test("createTemplates() serves the template files of its directories, and no others", async () => {
  await withTemplates({
    "one.tsx": template("one", "1"),
    "deep/two.tsx": template("two", "2"),
    "_private.tsx": template("three", "3"),
    "_lib/four.tsx": template("four", "4"),
    "five_test.tsx": template("five", "5"),
    "helper.ts": "throw new Error('never loaded')",
  }, async ({ templates }) => {
    assert.deepEqual((await templates.list({ orgId: ORG })).map(({ name }) => name), ["one", "two"]);
    assert.deepEqual(templates.problems(), []);
    const one = await templates.get({ orgId: ORG, name: "one" });
    assert.equal(one?.title, "A title");
    assert.equal(one?.serializable, true);
    assert.match(one?.version ?? "", /^[0-9a-f]{32}$/);
    assert.deepEqual(one?.template, {
      type: "operation",
      props: { name: "core.echo", key: "a", input: { value: 1 } },
      children: [],
    });
    assert.equal(await templates.get({ orgId: ORG, name: "three" }), null);
  });
});

Deno.test("createTemplates() tells the place of a syntax error and serves the other files", async () => {
  await withTemplates({
    "bad.tsx":
      `import { defineWorkflow } from "@alkdev/flowgraph";\nexport default defineWorkflow({{ name: "bad" });\n`,
    "throws.tsx": `import { defineWorkflow } from "@alkdev/flowgraph";\n\ndefineWorkflow.nothing();\n`,
    "none.tsx": `// defineWorkflow\nexport const x = 1;\n`,
    "cycle.tsx": `import { defineWorkflow, Operation, Parallel, ref } from "@alkdev/flowgraph";
      export default defineWorkflow({ name: "cycle", template: <Parallel>
        <Operation name="core.echo" key="a" input={{ value: ref("b") }} />
        <Operation name="core.echo" key="b" input={{ value: ref("a") }} />
      </Parallel> });`,
    "good.tsx": template("good", "1"),
  }, async ({ templates, folder }) => {
    assert.deepEqual((await templates.list({ orgId: ORG })).map(({ name }) => name), ["good"]);
    const problems = new Map(templates.problems().map((problem) => [problem.code, problem]));
    assert.deepEqual([...problems.keys()].sort(), ["cycle", "load-error", "no-workflow", "syntax-error"]);
    assert.match(problems.get("syntax-error")?.path ?? "", new RegExp(`^${folder}/bad\\.tsx:2:\\d+$`));
    assert.match(problems.get("load-error")?.path ?? "", new RegExp(`^${folder}/throws\\.tsx:3:\\d+$`));
    assert.equal(problems.get("no-workflow")?.path, `${folder}/none.tsx`);
    assert.match(problems.get("cycle")?.path ?? "", new RegExp(`^${folder}/cycle\\.tsx#`));
  });
});

Deno.test("createTemplates() serves the first of two files that give one name and reports the other", async () => {
  await withTemplates(
    { "a.tsx": template("same", "1"), "b.tsx": template("same", "2") },
    async ({ templates, folder }) => {
      const served = await templates.get({ orgId: ORG, name: "same" });
      assert.deepEqual(served?.plan({}).plan.nodes.map((node) => "input" in node ? node.input : null), [{ value: 1 }]);
      assert.deepEqual(templates.problems().map(({ code, path }) => [code, path]), [
        ["duplicate-name", `${folder}/b.tsx`],
      ]);
      assert.match(templates.problems()[0]?.message ?? "", /already given by .*a\.tsx/);
    },
  );
});

Deno.test("createTemplates() reports a directory that is not there", async () => {
  await withTemplates({ "a.tsx": template("a", "1") }, async ({ templates }) => {
    assert.deepEqual(templates.problems().map(({ code, path }) => [code, path]), [["no-directory", "/nowhere/at/all"]]);
    assert.notEqual(await templates.get({ orgId: ORG, name: "a" }), null);
  }, { more: ["/nowhere/at/all"] });
});

Deno.test("Templates.get() gives the new version after a save, and the old one by its version", async () => {
  await withTemplates({ "one.tsx": template("one", "1") }, async ({ templates, reloaded, write, store }) => {
    const before = await templates.get({ orgId: ORG, name: "one" });
    assert(before !== null);
    const done = reloaded();
    await write("one.tsx", template("one", "2"));
    await done;
    const after = await templates.get({ orgId: ORG, name: "one" });
    assert(after !== null && after.version !== before.version);
    assert.deepEqual(after.plan({}).plan.nodes.map((node) => "input" in node ? node.input : null), [{ value: 2 }]);
    assert.equal(await templates.get({ orgId: ORG, name: "one", version: before.version }), before);
    assert.notEqual(await store.get({ orgId: null, name: "one", version: before.version }), null);
  }, { watch: true });
});

Deno.test("Templates.get() keeps serving the last good version when a save breaks the file, and forgets a removed one", async () => {
  await withTemplates({ "one.tsx": template("one", "1") }, async ({ templates, reloaded, write, folder }) => {
    const good = await templates.get({ orgId: ORG, name: "one" });
    let done = reloaded();
    await write("one.tsx", template("one", "{"));
    await done;
    assert.equal(await templates.get({ orgId: ORG, name: "one" }), good);
    assert.equal(templates.problems()[0]?.code, "syntax-error");
    assert.equal((await templates.validate({ orgId: ORG, name: "one" }))[0]?.code, "syntax-error");
    done = reloaded();
    await Deno.remove(join(folder, "one.tsx"));
    await done;
    assert.equal(await templates.get({ orgId: ORG, name: "one" }), null);
    assert.deepEqual(templates.problems(), []);
    assert.equal(await templates.get({ orgId: ORG, name: "one", version: good?.version ?? "" }), good);
  }, { watch: true });
});

Deno.test("createTemplates() serves a new version when a module that the template imports by relative path changes", async () => {
  const files = {
    "one.tsx": template("one", "part").replace("\n", `\nimport { part } from "./lib/part.ts";\n`),
    "lib/part.ts": `import { value } from "./value.ts";\nexport const part = value;\n`,
    "lib/value.ts": `export const value = "old";\n`,
  };
  const inputOf = async (templates: Templates) =>
    (await templates.get({ orgId: ORG, name: "one" }))?.plan({}).plan.nodes.map((node) =>
      "input" in node ? node.input : null
    );
  await withTemplates(files, async ({ templates, reloaded, write, folder }) => {
    assert.deepEqual(await inputOf(templates), [{ value: "old" }]);
    let done = reloaded();
    await write("lib/value.ts", `export const value = "new";\n`);
    await done;
    assert.deepEqual(templates.problems(), []);
    assert.deepEqual(await inputOf(templates), [{ value: "new" }]);
    done = reloaded();
    await write("lib/value.ts", `export const value = ;\n`);
    await done;
    assert.equal(templates.problems()[0]?.path, `${folder}/lib/value.ts:1:22`);
    assert.deepEqual(await inputOf(templates), [{ value: "new" }]);
  }, { watch: true });
});

Deno.test("WorkflowVersion.decodeInput() fills defaults, leaves the input alone and tells each error's path", async () => {
  await withTemplates({ "one.tsx": template("one", "1") }, async ({ templates }) => {
    const version = await templates.get({ orgId: ORG, name: "one" });
    assert(version !== null);
    const given = Object.freeze({ s: "x" });
    assert.deepEqual(version.decodeInput(given), { n: 3, s: "x" });
    assert.deepEqual(version.decodeInput(undefined), { n: 3 });
    assert.deepEqual(given, { s: "x" });
    assert.throws(() => version.decodeInput({ n: "no" }), (error) => {
      assert(error instanceof CallError);
      assert.equal(error.code, "VALIDATION_ERROR");
      assert.match(error.message, /"one"/);
      const { errors } = error.details as { errors: readonly { path: string; message: string }[] };
      assert.deepEqual(errors.map(({ path }) => path), ["/n"]);
      return true;
    });
  });
});

Deno.test("WorkflowVersion.plan() is one object for a static template, and follows the input of a function", async () => {
  const dynamic = `
import { defineWorkflow, Operation, Sequential } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
export default defineWorkflow({
  name: "dynamic",
  input: Type.Object({ names: Type.Array(Type.String()) }),
  template: ({ names }) => <Sequential>{names.map((name) => <Operation name="core.echo" key={name} />)}</Sequential>,
});`;
  await withTemplates({ "one.tsx": template("one", "1"), "dynamic.tsx": dynamic }, async ({ templates }) => {
    const one = await templates.get({ orgId: ORG, name: "one" });
    assert(one !== null);
    assert.equal(one.plan({ n: 1 }), one.plan({ n: 2 }));
    assert.match(one.plan({}).hash, /^[0-9a-f]{64}$/);
    const version = await templates.get({ orgId: ORG, name: "dynamic" });
    assert(version !== null);
    assert.deepEqual([version.serializable, version.template], [false, null]);
    const keys = (names: string[]) => version.plan({ names }).plan.nodes.slice(1).map(({ key }) => key);
    assert.deepEqual([keys(["a"]), keys(["a", "b"])], [["a"], ["a", "b"]]);
    assert.equal(version.plan({ names: ["a"] }).hash, version.plan({ names: ["a"] }).hash);
    assert.notEqual(version.plan({ names: ["a"] }).hash, version.plan({ names: ["b"] }).hash);
    assert.throws(
      () => version.plan({ names: ["a", "a"] }),
      (error) => error instanceof CallError && error.code === "VALIDATION_ERROR" && /"dynamic"/.test(error.message),
    );
  });
});

const JSON_TEMPLATE = {
  type: "operation",
  props: { name: "core.echo", key: "a", input: { value: { $ref: "input.n" } } },
};

Deno.test("Templates.register() serves a JSON template to its organization alone", async () => {
  await withTemplates({}, async ({ templates }) => {
    const inputSchema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const result = await templates.register({
      orgId: ORG,
      name: "reg",
      template: JSON_TEMPLATE,
      inputSchema,
      title: "T",
      expose: "tool",
    });
    assert("version" in result);
    assert.equal((await templates.get({ orgId: ORG, name: "reg" }))?.expose, "tool");
    const again = await templates.register({
      orgId: ORG,
      name: "reg",
      template: JSON_TEMPLATE,
      inputSchema,
      title: "T",
    });
    assert("version" in again && again.version.version === result.version.version);
    const found = await templates.get({ orgId: ORG, name: "reg" });
    assert.deepEqual([found?.title, found?.inputSchema], ["T", inputSchema]);
    assert.deepEqual(found?.decodeInput({ n: 1 }), { n: 1 });
    assert.throws(() => found?.decodeInput({ n: "1" }), CallError);
    assert.equal(await templates.get({ orgId: "org-2", name: "reg" }), null);
    assert.equal(await templates.get({ orgId: "org-2", name: "reg", version: result.version.version }), null);
    assert.deepEqual(await templates.list({ orgId: "org-2" }), []);
    assert.deepEqual(await templates.similar({ orgId: ORG, name: "rge" }), ["reg"]);
  });
});

Deno.test("Templates.get() sees what another hub registered once a second has passed", async () => {
  let now = 1_000;
  await withTemplates({}, async ({ templates, store }) => {
    assert.equal(await templates.get({ orgId: ORG, name: "late" }), null);
    const nothing = { title: null, description: null, inputSchema: null, outputSchema: null, flow: null, expose: null };
    await store.save({ orgId: ORG, name: "late", version: "v1", template: JSON_TEMPLATE, ...nothing });
    assert.equal(await templates.get({ orgId: ORG, name: "late" }), null);
    now += 1_000;
    assert.equal((await templates.get({ orgId: ORG, name: "late" }))?.version, "v1");
  }, { now: () => now });
});

Deno.test("Templates.register() stores nothing and tells every problem", async () => {
  await withTemplates({ "one.tsx": template("one", "1") }, async ({ templates, store }) => {
    const codes = async (registration: object) => {
      const result = await templates.register({ orgId: ORG, name: "reg", template: JSON_TEMPLATE, ...registration });
      return "problems" in result ? result.problems.map(({ code }) => code) : [];
    };
    assert.deepEqual(await codes({ name: "Bad Name" }), ["bad-name"]);
    assert.deepEqual(await codes({ name: "one" }), ["name-taken"]);
    assert.deepEqual(await codes({ inputSchema: { type: "strnig" }, outputSchema: 3 }), ["bad-schema", "bad-schema"]);
    assert.deepEqual(await codes({ template: { type: "oparation", props: {} } }), ["unknown-tag"]);
    assert.deepEqual(await codes({ template: { type: "operation", props: { name: "core.ecko" } } }), [
      "unknown-operation",
    ]);
    assert.deepEqual(await codes({ template: "x" }), ["bad-child"]);
    let deep: object = JSON_TEMPLATE;
    for (let depth = 0; depth < 300; depth++) deep = { type: "sequential", props: {}, children: [deep] };
    assert.deepEqual(await codes({ template: deep }), ["too-deep"]);
    const children = Array.from({ length: 100_000 }, () => JSON_TEMPLATE);
    assert.deepEqual(await codes({ template: { type: "sequential", props: {}, children } }), ["too-large"]);
    assert.deepEqual(await store.list({ orgId: ORG }), []);
  });
});

Deno.test("Templates.validate() names the nearest workflow when there is none of the name", async () => {
  await withTemplates({ "report.tsx": template("report", "1") }, async ({ templates }) => {
    assert.deepEqual(await templates.validate({ orgId: ORG, name: "reprot" }), [{
      code: "unknown-workflow",
      path: "",
      message: `There is no workflow "reprot"`,
      suggestion: `Did you mean "report"?`,
    }]);
    assert.deepEqual(await templates.validate({ orgId: ORG, name: "report" }), []);
  });
});

Deno.test("Templates.register() takes the output beside the template, as the root's prop says it, into the version", async () => {
  await withTemplates({}, async ({ templates }) => {
    const register = async (more: object) => {
      const result = await templates.register({ orgId: ORG, name: "reg", template: JSON_TEMPLATE, ...more });
      if ("problems" in result) return result.problems.map(({ code, path }) => `${code} ${path}`);
      const { version } = result;
      // As it is read again from the store.
      const stored = await templates.get({ orgId: ORG, name: "reg", version: version.version });
      assert.deepEqual(stored?.plan({ n: 1 }).plan.output, version.plan({ n: 1 }).plan.output);
      return { version: version.version, output: version.plan({ n: 1 }).plan.output };
    };
    const output = { $ref: "nodes.a.value" };
    const { props } = JSON_TEMPLATE;
    const inside = { ...JSON_TEMPLATE, props: { ...props, output } };
    const plain = await register({});
    const beside = await register({ output });
    assert.deepEqual(plain, { version: "version" in plain ? plain.version : "", output: null });
    assert.deepEqual(beside, { version: "version" in beside ? beside.version : "", output });
    assert.notDeepEqual(beside, plain);
    assert.deepEqual(await register({ template: inside }), beside);
    assert.deepEqual(await register({ template: inside, output }), beside);
    assert.deepEqual(await register({ template: [inside], output: { $ref: "input.n" } }), [
      "output-given-twice /output",
    ]);
    assert.deepEqual(await register({ output: "nodes.a" }), ["wrong-type /output"]);
    assert.deepEqual(await register({ output: { $ref: "nodes.zz" } }), ["unknown-reference /output"]);
    assert.deepEqual(
      await register({ template: [JSON_TEMPLATE, { type: "sequential" }], output: { $ref: "nodes.zz" } }),
      [
        "unknown-reference /output",
      ],
    );
    const validate = async (more: object) =>
      (await templates.validate({ orgId: ORG, name: "reg", template: JSON_TEMPLATE, ...more })).map(({ path }) => path);
    assert.deepEqual(await validate({ output }), []);
    assert.deepEqual(await validate({ output: { $ref: "nodes.zz" } }), ["/output"]);
    assert.deepEqual(await validate({ output: 3 }), ["/output"]);
  });
});

Deno.test("Templates.register() refuses a template of no element", async () => {
  await withTemplates({}, async ({ templates }) => {
    for (const template of [null, [], [null, [false]], true]) {
      const problems = await templates.validate({ orgId: ORG, name: "reg", template });
      assert.deepEqual(problems.map(({ code }) => code), ["no-element"]);
      assert.deepEqual(await templates.register({ orgId: ORG, name: "reg", template }), { problems });
    }
  });
});

Deno.test("Templates.register() refuses a pattern that cannot be matched in linear time, with its place", async () => {
  await withTemplates({}, async ({ templates }) => {
    const inputSchema = { type: "object", properties: { n: { type: "string", pattern: "^(?!x)" } } };
    const result = await templates.register({ orgId: ORG, name: "reg", template: JSON_TEMPLATE, inputSchema });
    assert.ok("problems" in result);
    assert.match(result.problems[0]?.message ?? "", /"#\/properties\/n\/pattern".*look-around/);
  });
});
