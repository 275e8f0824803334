/** Holds docs/components.md to the table of props in the code, and its examples to the compiler. */
import assert from "node:assert/strict";
import { isWorkflowDefinition, validate } from "@alkdev/flowgraph";
import { type OperationSpec, OperationType } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { ROOT_PROPS, TAG_RULES } from "../../packages/flowgraph/compile/prop_rules.ts";

const page = await Deno.readTextFile(new URL("../../docs/components.md", import.meta.url));

interface Section {
  readonly props: readonly string[];
  readonly required: readonly string[];
  readonly examples: readonly string[];
}

const sections = new Map<string, Section>(
  page.split(/^## /m).slice(1).map((text) => {
    const rows = [...text.matchAll(/^\| `(\w+)` +\| +(yes)? *\|/gm)];
    const examples = [...text.matchAll(/^```tsx\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
    const props = rows.map(([, name = ""]) => name);
    const required = rows.filter(([, , yes]) => yes !== undefined).map(([, name = ""]) => name);
    return [text.slice(0, text.indexOf("\n")), { props, required, examples }];
  }),
);

Deno.test("docs/components.md has a section for each component, with each of its props", () => {
  const common = sections.get("Every component")?.props ?? [];
  assert.deepEqual([...sections.get("The root")?.props ?? []].sort(), Object.keys(ROOT_PROPS).sort(), "The root");
  const titles = new Map([...sections.keys()].map((title) => [title.toLowerCase(), title]));
  for (const [tag, { props, required }] of Object.entries(TAG_RULES)) {
    const section = sections.get(titles.get(tag) ?? "");
    assert.ok(section, `there is no section for ${tag}`);
    assert.deepEqual([...common, ...section.props].sort(), Object.keys(props).sort(), tag);
    assert.deepEqual([...section.required].sort(), [...required].sort(), tag);
    assert.ok(section.examples.length > 0, `${tag} has no example`);
  }
  assert.equal(sections.size, Object.keys(TAG_RULES).length + 2, "there are no other sections");
});

Deno.test("the examples of docs/components.md are valid templates", async () => {
  const examples = [...sections].flatMap(([title, section]) => section.examples.map((code) => ({ title, code })));
  const definitions = examples.map(({ title, code }) => {
    const element = code.trim().replace(/;$/, "");
    const fetch = '<Operation key="fetch" name="core.http" input={{ url: "https://example.com/" }} />';
    const template = title === "The root" ? element : `<>${fetch}${element}</>`;
    return `defineWorkflow({ name: ${JSON.stringify(title.replace(" ", "_"))}, template: ${template} })`;
  });
  const names =
    "Approval, Conditional, defineWorkflow, inputRef, itemRef, Loop, Map, Operation, Parallel, Race, ref, " +
    "Sequential, Signal, Sleep, SleepUntil, Workflow";
  const file = await Deno.makeTempFile({ suffix: ".tsx" });
  try {
    await Deno.writeTextFile(
      file,
      `import { ${names} } from "@alkdev/flowgraph";\nexport default [${definitions.join(",\n")}];\n`,
    );
    const made: { readonly default: readonly unknown[] } = await import(`file://${file}`);
    assert.equal(made.default.length, examples.length);
    for (const definition of made.default) {
      assert.ok(isWorkflowDefinition(definition));
      assert.deepEqual(validate(definition, { operations: anyOperation }), [], definition.name);
    }
  } finally {
    await Deno.remove(file);
  }
});

function anyOperation(id: string): OperationSpec {
  const [namespace = "", name = ""] = id.split(".");
  return {
    namespace,
    name,
    version: "1.0.0",
    type: OperationType.QUERY,
    description: "",
    accessControl: { requiredScopes: [] },
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
  };
}
