import assert from "node:assert/strict";
import { type TSchema, Type } from "@alkdev/typebox";
import { OperationType } from "@alkdev/operations";
import type { OperationSpec } from "@alkdev/operations";
import { compile } from "../compile/compile.ts";
import { Conditional, Loop, Map, Operation, Parallel, Race, Sequential, Signal, Sleep } from "../component/mod.ts";
import type { Template } from "../element.ts";
import { $input, itemRef, ref } from "../reference.ts";
import { defineWorkflow } from "../workflow.ts";
import { validate } from "./validate.ts";

function spec(namespace: string, name: string, inputSchema: TSchema, outputSchema: TSchema): OperationSpec {
  return {
    namespace,
    name,
    version: "1.0.0",
    type: OperationType.QUERY,
    description: "",
    inputSchema,
    outputSchema,
    accessControl: { requiredScopes: [] },
  };
}

const file = Type.Object({ path: Type.String(), size: Type.Optional(Type.Integer()) });
const specs = [
  spec(
    "fs",
    "list",
    Type.Object({ dir: Type.String() }),
    Type.Object({ files: Type.Array(file), total: Type.Integer() }),
  ),
  spec("fs", "read", Type.Object({ path: Type.String() }), Type.Object({ text: Type.String() })),
  spec("core", "echo", Type.Object({ value: Type.Unknown() }), Type.Object({ value: Type.Unknown() })),
  spec(
    "text",
    "join",
    Type.Object({ parts: Type.Array(Type.String()), sep: Type.Optional(Type.String()) }),
    Type.String(),
  ),
];
const byId = new globalThis.Map(specs.map((s) => [`${s.namespace}.${s.name}`, s]));
const options = { operations: (id: string) => byId.get(id), operationIds: [...byId.keys()] };

function found(template: Template): string[] {
  return validate({ name: "t", template }, options).map(({ code, path, message }) => `${code} ${path} ${message}`);
}

Deno.test("validate() finds nothing when a workflow is sound", () => {
  const definition = defineWorkflow({
    name: "sound",
    input: Type.Object({ dir: Type.String() }),
    template: (
      <Sequential>
        <Operation name="fs.list" key="list" input={{ dir: $input.dir }} />
        <Map over={ref("list").files} as="file" key="texts">
          <Operation name="fs.read" key="read" input={{ path: itemRef("file").path }} />
        </Map>
        <Operation name="core.echo" key="echo" input={{ value: [ref("texts")[0].text, ref("read")] }} />
        <Operation name="text.join" input={{ parts: [ref("echo").value, "x", ref("read")[0].text] }} />
      </Sequential>
    ),
  });
  assert.deepEqual(validate(definition, options), []);
  assert.deepEqual(validate(compile(definition).plan, options), []);
});

Deno.test("validate() checks a node against the version, or the spokes, that it names", () => {
  const versions: Readonly<Record<string, OperationSpec>> = {
    "a.b": { ...spec("a", "b", Type.Object({ size: Type.Integer() }), Type.Integer()), version: "2.0.0" },
    "a.b@1.0.0": spec("a", "b", Type.Object({ width: Type.Integer() }), Type.String()),
    "a.b on gpu": spec("a", "b", Type.Object({ gpu: Type.Boolean() }), Type.Boolean()),
  };
  const check = (template: Template) =>
    validate({ name: "t", template }, {
      operations: (id, labels) => versions[labels === undefined ? id : `${id} on ${labels["kind"]}`],
      operationIds: ["a.b"],
    }).map(({ code, path, suggestion }) => [code, path, suggestion].join(" ").trim());
  assert.deepEqual(
    check(
      <Parallel>
        <Operation name="a.b" input={{ size: 1 }} />
        <Operation name="a.b@1.0.0" input={{ width: 1 }} />
        <Operation name="a.b" input={{ gpu: true }} spoke={{ kind: "gpu" }} />
      </Parallel>,
    ),
    [],
  );
  assert.deepEqual(
    check(
      <Parallel>
        <Operation name="a.b@1.0.0" key="old" input={{ size: 1 }} />
        <Operation name="a.b" input={{ size: ref("old") }} />
        <Operation name="a.b@1.1.0" input={{}} />
        <Operation name="a.c@1.1.0" input={{}} />
        <Operation name="a.b@next" input={{}} />
      </Parallel>,
    ),
    [
      "wrong-type /children/4/props/name",
      "invalid-input /children/0/props/input/width",
      "type-mismatch /children/1/props/input/size",
      "unknown-operation /children/2/props/name a.b@2.0.0",
      "unknown-operation /children/3/props/name a.b",
    ],
  );
});

Deno.test("validate() suggests the nearest operation when one is unknown", () => {
  assert.deepEqual(validate({ name: "t", template: <Operation name="fs.raed" /> }, options), [{
    path: "/props/name",
    node: "fs_raed",
    code: "unknown-operation",
    message: 'There is no operation "fs.raed": did you mean "fs.read"?',
    suggestion: "fs.read",
  }]);
});

Deno.test("validate() names node, edge and both schemas when a data-flow edge does not fit", () => {
  const [problem, ...others] = validate({
    name: "t",
    template: (
      <Sequential>
        <Operation name="fs.list" key="list" input={{ dir: "." }} />
        <Operation name="fs.read" key="read" input={{ path: ref("list").files[0] }} />
      </Sequential>
    ),
  }, options);
  assert.deepEqual(problem, {
    path: "/children/1/props/input/path",
    node: "read",
    edge: { source: "list", target: "read" },
    code: "type-mismatch",
    message:
      "Data flow list -> read: list.files.0 is { path: string, size?: integer }, but input.path of fs.read wants string " +
      "(/: want string, get { path: string, size?: integer })",
    mismatches: [{ path: "", expected: "string", actual: "{ path: string, size?: integer }" }],
  });
  assert.deepEqual(others, []);
});

Deno.test("validate() follows schemas into Map items, lists seen from outside and branches", () => {
  assert.deepEqual(
    found(
      <Sequential>
        <Operation name="fs.list" key="list" input={{ dir: "." }} />
        <Map over={ref("list").files} as="file" key="m">
          <Operation name="fs.read" key="read" input={{ path: itemRef("file").size }} />
        </Map>
        <Operation name="fs.read" key="a" input={{ path: ref("read").text }} />
        <Conditional key="c" when="nodes.list.total > 3">
          <Operation name="text.join" key="join" input={{ parts: ["a"] }} />
        </Conditional>
        <Operation name="text.join" key="b" input={{ parts: ref("c") }} />
        <Map over={ref("list").total} as="n">
          <Operation name="core.echo" input={{ value: itemRef("n") }} />
        </Map>
        <Operation name="core.echo" key="d" input={{ value: ref("list").flies }} />
      </Sequential>,
    ).map((line) => line.split(" ").slice(0, 2).join(" ")),
    [
      "type-mismatch /children/1/children/0/props/input/path",
      "unknown-reference /children/2/props/input/path",
      "type-mismatch /children/4/props/input/parts",
      "type-mismatch /children/5/props/over",
      "unknown-reference /children/6/props/input/value",
    ],
  );
});

Deno.test("validate() checks the static part of an input and leaves the rest to the call", () => {
  assert.deepEqual(
    found(
      <Parallel>
        <Operation name="text.join" input={{ parts: [1, $input.part], sep: $input.sep }} />
        <Operation name="text.join" input={{ sep: () => "," }} />
        <Operation name="text.join" input={() => ({})} />
      </Parallel>,
    ).map((line) => line.split(" ").slice(0, 2).join(" ")),
    ["invalid-input /children/0/props/input/parts/0", "invalid-input /children/1/props/input/parts"],
  );
});

Deno.test("validate() finds cycles and unknown nodes when it is given a plan", () => {
  const { plan } = compile({
    name: "t",
    template: (
      <Parallel>
        <Operation name="core.echo" key="a" input={{ value: ref("b") }} />
        <Operation name="core.echo" key="b" input={{ value: 1 }} />
      </Parallel>
    ),
  });
  const edited = JSON.parse(JSON.stringify(plan));
  edited.nodes[2].input.value = { $ref: "nodes.a" };
  edited.nodes[1].key = "a";
  assert.match(validate(edited, options).map(({ code }) => code).join(), /^cycle$/);
  edited.nodes[2].key = "a";
  assert.deepEqual(validate(edited, options).map(({ code, path }) => `${code} ${path}`), [
    "duplicate-key /nodes/2/key",
    "unknown-reference /nodes/1/input/value",
  ]);
});

Deno.test("validate() knows what containers, waits and turns of a Loop give", () => {
  const answer = Type.Object({ n: Type.Number() });
  assert.deepEqual(
    found(
      <Sequential>
        <Parallel key="p">
          <Operation name="text.join" input={{ parts: [] }} />
          <Operation name="text.join" input={{ parts: [] }} />
        </Parallel>
        <Race key="r">
          <Operation name="text.join" input={{ parts: [] }} />
          <Sleep ms={5} />
        </Race>
        <Loop key="l" as="turn" while="turn < 3" maxIterations={3}>
          <Operation name="fs.read" input={{ path: itemRef("turn") }} />
        </Loop>
        <Signal key="s" name="s" schema={answer} />
        <Conditional key="c" when="true" else={<Operation name="text.join" input={{ parts: [] }} />}>
          <Operation name="text.join" input={{ parts: [] }} />
        </Conditional>
        <Sequential key="q">
          <Signal name="t" schema={answer} />
        </Sequential>
        <Sequential key="none" />
        <Operation name="fs.read" key="fine" input={{ path: ref("r") }} />
        <Operation name="fs.read" key="alsoFine" input={{ path: ref("none").x }} />
        <Operation name="text.join" key="fineToo" input={{ parts: ref("p"), sep: ref("c") }} />
        <Operation name="text.join" input={{ parts: ref("l") }} />
        <Operation name="text.join" input={{ parts: ref("s") }} />
        <Operation name="text.join" input={{ parts: [], sep: ref("q").n }} />
        <Operation name="text.join" input={{ parts: ref("c") }} />
      </Sequential>,
    ).map((line) => line.split(" ").slice(0, 2).join(" ")),
    [
      "type-mismatch /children/2/children/0/props/input/path",
      "type-mismatch /children/10/props/input/parts",
      "type-mismatch /children/11/props/input/parts",
      "type-mismatch /children/12/props/input/sep",
      "type-mismatch /children/13/props/input/parts",
    ],
  );
});
