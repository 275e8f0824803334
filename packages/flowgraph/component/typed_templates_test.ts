/** Templates checked by `deno check` against declarations that were written from a registry, as authors have them. */
import assert from "node:assert/strict";
import { type OperationSpec, OperationType } from "@alkdev/operations";
import { type TSchema, Type } from "@alkdev/typebox";
import { declareTypes } from "../typegen/mod.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** As in an author's project, where this package and what it needs come from elsewhere. */
async function config(declared: boolean): Promise<object> {
  const { imports, compilerOptions } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  return {
    imports: {
      ...imports,
      "@alkdev/flowgraph": `${ROOT}packages/flowgraph/mod.ts`,
      "@alkdev/flowgraph/jsx-runtime": `${ROOT}packages/flowgraph/jsx_runtime.ts`,
      "@alkdev/operations": `${ROOT}packages/operations/mod.ts`,
      "@alkdev/pubsub": `${ROOT}packages/pubsub/mod.ts`,
    },
    compilerOptions: {
      ...compilerOptions,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      ...(declared && { types: ["./hub_types.d.ts"] }),
    },
  };
}

function spec(id: string, inputSchema: TSchema, outputSchema: TSchema): OperationSpec {
  const [namespace = "", name = ""] = id.split(".");
  const accessControl = { requiredScopes: [] };
  return {
    namespace,
    name,
    version: "1.0.0",
    type: OperationType.QUERY,
    description: "",
    accessControl,
    inputSchema,
    outputSchema,
  };
}

const Page = Type.Object({
  status: Type.Integer(),
  body: Type.String(),
  links: Type.Array(Type.Object({ url: Type.String(), rank: Type.Optional(Type.Number()) })),
});

const DECLARATIONS = declareTypes({
  operations: [
    spec("core.echo", Type.Object({ value: Type.Unknown() }), Type.Object({ value: Type.Unknown() })),
    spec(
      "web.fetch",
      Type.Object({ url: Type.String(), headers: Type.Optional(Type.Record(Type.String(), Type.String())) }),
      Page,
    ),
    spec(
      "text.join",
      Type.Object({ parts: Type.Array(Type.String()), sep: Type.Optional(Type.String()) }),
      Type.String(),
    ),
    spec("time.now", Type.Object({}), Type.Integer()),
  ],
  workflows: [{
    name: "report",
    description: "Reports.",
    inputSchema: Type.Object({ urls: Type.Array(Type.String()), title: Type.String({ default: "Report" }) }),
    outputSchema: Type.Object({ pages: Type.Integer() }),
  }],
});

const HEAD =
  `import { childStep, defineWorkflow, inputRef, itemRef, Map, Operation, ref, step, Workflow } from "@alkdev/flowgraph";
const Fetch = step("fetch", "web.fetch");
const Report = childStep("report", "report");
`;

/** What the checker complains of, by line of the template; colours and source lines left out. */
async function check(templates: Readonly<Record<string, string>>, declared: boolean): Promise<Map<string, string>> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/hub_types.d.ts`, DECLARATIONS);
    await Deno.writeTextFile(`${directory}/deno.json`, JSON.stringify(await config(declared)));
    const names = Object.keys(templates);
    for (const name of names) {
      await Deno.writeTextFile(`${directory}/${name}.tsx`, `${HEAD}export default ${templates[name]};\n`);
    }
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-lock", ...names.map((name) => `${name}.tsx`)],
      cwd: directory,
      env: { NO_COLOR: "1" },
      stderr: "piped",
    }).output();
    const found = new Map<string, string>();
    for (const error of new TextDecoder().decode(stderr).split(/(?=TS\d+ \[ERROR\])/)) {
      const place = /at file:\S+\/(\w+)\.(?:tsx|d\.ts):(\d+)/.exec(error);
      const [, name = ""] = place ?? [];
      const message = error.replace(/\n\s*at file:[\s\S]*/, "");
      if (place !== null) found.set(name, `${found.get(name) ?? ""}${message}\n`);
    }
    return found;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const GOOD: Readonly<Record<string, string>> = {
  literal: `<Operation name="web.fetch" input={{ url: "https://a.example/" }} retry={{ maxAttempts: 3 }} />`,
  without_input: `<Operation name="time.now" />`,
  version: `<Operation name="web.fetch@1.2.0" input={{ uri: "https://a.example/" }} />`,
  at_any_depth: `<Operation name="text.join" input={{ parts: ["a", Fetch.output.body, ref("x").anything.at.all] }} />`,
  whole: `<Operation name="text.join" input={{ parts: ref<string[]>("x"), sep: { $ref: "input.sep" } }} />`,
  optional_field: `<Operation name="core.echo" input={{ value: { rank: Fetch.output.links[0].rank } }} />`,
  input: `<Fetch input={{ url: inputRef<{ url: string }>().url }} timeout="5s" />`,
  map: `<Map over={Fetch.output.links} as="link">
    <Operation name="web.fetch" input={{ url: itemRef("link", Fetch.output.links).url }} />
  </Map>`,
  from_outside: `<Operation name="text.join" input={{ parts: ref<string[]>("bodies"), sep: Fetch.outputs[0].body }} />`,
  child: `<Workflow name="report" input={{ urls: [Fetch.output.body] }} />`,
  child_step:
    `<><Report input={{ urls: [] }} /><Operation name="core.echo" input={{ value: Report.output.pages }} /></>`,
  root: `<Workflow output={ref("a")}><Operation key="a" name="time.now" /></Workflow>`,
  intrinsic: `<operation name="web.fetch" input={{ url: "x" }} />`,
  computed: `<Operation name="web.fetch" input={(results) => ({ url: results.a?.output })} />`,
};

/** Template -> what is said of it. */
const BAD: Readonly<Record<string, readonly [string, RegExp]>> = {
  unknown_operation: [
    `<Operation name="web.fecth" input={{ url: "x" }} />`,
    /Type '"web\.fecth"' is not assignable to type .*"core\.echo".*"text\.join".*"time\.now".*"web\.fetch"/,
  ],
  unknown_step: [`step("a", "web.fecth")`, /Argument of type '"web\.fecth"' is not assignable/],
  missing_field: [
    `<Operation name="web.fetch" input={{}} />`,
    /Type '\{\}' is not assignable to type .*\{ readonly url: string \|/,
  ],
  missing_input: [`<Operation name="web.fetch" />`, /Property 'input' is missing/],
  wrong_type: [
    `<Operation name="web.fetch" input={{ url: 3 }} />`,
    /Type 'number' is not assignable to type 'string \|/,
  ],
  unknown_field: [
    `<Operation name="web.fetch" input={{ url: "x", haeders: {} }} />`,
    /'haeders' does not exist in type/,
  ],
  wrong_reference: [
    `<Operation name="web.fetch" input={{ url: Fetch.output.status }} />`,
    /Type 'Marked<number>' is not assignable to type 'ReferenceTo<string>'/,
  ],
  deep: [
    `<Operation name="text.join" input={{ parts: ["a", Fetch.output.status] }} />`,
    /Type 'Marked<number>' is not assignable to type 'ReferenceTo<string>'/,
  ],
  reference_to_missing: [
    `<Operation name="core.echo" input={{ value: Fetch.output.bdoy }} />`,
    /Property 'bdoy' does not exist on type .*body: string/,
  ],
  item_field: [
    `<Operation name="web.fetch" input={{ url: itemRef("link", Fetch.output.links).uri }} />`,
    /Property 'uri' does not exist/,
  ],
  not_a_list: [`<Map over={Fetch.output.body} as="x"></Map>`, /Type 'Marked<string>' is not assignable/],
  unknown_workflow: [`<Workflow name="reprot" input={{ urls: [] }} />`, /Type '"reprot"' is not assignable/],
  child_input: [
    `<Workflow name="report" input={{ urls: "x" }} />`,
    /Type 'string' is not assignable to type .*ReferenceTo<string\[\]>/,
  ],
  child_output: [`<Operation name="core.echo" input={{ value: Report.output.page }} />`, /Did you mean 'pages'\?/],
  intrinsic_name: [`<operation name="web.fecth" />`, /is not assignable/],
};

Deno.test("deno check accepts templates that fit the registry, and says what is wrong with those that do not", async () => {
  const bad = Object.fromEntries(Object.entries(BAD).map(([name, [template]]) => [name, template]));
  const found = await check({ ...GOOD, ...bad }, true);
  for (const name of Object.keys(GOOD)) assert.equal(found.get(name), undefined, name);
  assert.equal(found.get("hub_types"), undefined);
  for (const [name, [, wanted]] of Object.entries(BAD)) assert.match(found.get(name) ?? "nothing", wanted, name);
});

Deno.test("deno check is content with any name and input where no types are declared", async () => {
  const permissive = ["unknown_operation", "missing_field", "wrong_type", "unknown_field", "unknown_workflow"];
  const bad = permissive.map((name) => [name, BAD[name]?.[0] ?? ""]);
  const found = await check({ ...GOOD, ...Object.fromEntries(bad) }, false);
  assert.deepEqual([...found], []);
});
