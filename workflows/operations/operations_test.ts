import assert from "node:assert/strict";
import { CallError, OperationRegistry } from "@alkdev/operations";
import { measureSource } from "./measure_source.ts";
import { workflowOperations } from "./mod.ts";

const registry = new OperationRegistry();
for (const definition of workflowOperations) registry.register(definition);

async function call(id: string, input: unknown, metadata: Record<string, unknown> = {}): Promise<unknown> {
  return (await registry.execute(id, input, { identity: { id: "test", scopes: [] }, metadata })).data;
}

Deno.test("measureSource() tells code, comments and blank lines apart", () => {
  const text = [
    "/** A doc.",
    " * More. */",
    "",
    'const url = "http://x"; // TODO: mend',
    "const t = `a // no comment",
    "/* nor this */`;",
    "/* a */ const b = 1;",
    "// FIXME",
    "",
  ].join("\n");
  const { lines, code, comment, blank, todos } = measureSource("a.ts", text);
  assert.deepEqual({ lines, code, comment, blank, todos }, { lines: 8, code: 4, comment: 3, blank: 1, todos: 2 });
});

Deno.test("measureSource() finds the longest function when functions nest", () => {
  const text = [
    "export function outer(a: number): number {",
    "  const inner = (b: number) => {",
    "    return b;",
    "  };",
    "  if (a) { return 1; }",
    "  return inner(a);",
    "}",
    "class A {",
    "  async method(x: string): Promise<void> {",
    "  }",
    "}",
  ].join("\n");
  const found = measureSource("a.ts", text);
  assert.deepEqual(found.longestFunction, { name: "outer", line: 1, lines: 7 });
  assert.equal(found.functions, 3);
});

Deno.test("measureSource() follows indentation in Python", () => {
  const text =
    "import os\nfrom a.b import c\ndef f():\n    x = 1\n\n    def g():\n        return 2\n    return x\n# end\ny = 1\n";
  const found = measureSource("a.py", text);
  assert.deepEqual(found.longestFunction, { name: "f", line: 3, lines: 6 });
  assert.deepEqual(found.imports, ["os", "a.b"]);
  assert.deepEqual([found.code, found.comment, found.blank], [8, 1, 1]);
});

Deno.test("measureSource() finds imports, wrapped ones too", () => {
  const text =
    'import a from "a";\nimport {\n  b,\n} from "./b.ts";\nexport { c } from "c";\nimport "d";\nimport a2 from "a";\n';
  assert.deepEqual(measureSource("a.tsx", text).imports, ["a", "./b.ts", "c", "d"]);
});

Deno.test("measureSource() of an empty text is all zero, and a line of a megabyte does no harm", () => {
  assert.deepEqual(measureSource("a.ts", ""), {
    lines: 0,
    code: 0,
    comment: 0,
    blank: 0,
    todos: 0,
    imports: [],
    functions: 0,
    longestFunction: null,
  });
  assert.equal(measureSource("a.ts", "(".repeat(1 << 20)).code, 1);
});

Deno.test("report.select keeps source files by ending, size and number, in order", async () => {
  const files = ["b.ts", "a_test.ts", "node_modules/x.ts", "big.ts", "c.png", "d.py"].map((path) => ({
    path,
    size: path === "big.ts" ? 1_000 : 10,
    mtime: 0,
  }));
  const exclude = ["node_modules"];
  assert.deepEqual(await call("report.select", { files, exclude, maxBytes: 100 }), {
    files: [{ path: "a_test.ts", size: 10 }, { path: "b.ts", size: 10 }, { path: "d.py", size: 10 }],
    count: 3,
    tests: 1,
    leftOut: 1,
  });
  const few = await call("report.select", { files, exclude, extensions: [".py", "ts"], limit: 1 });
  assert.deepEqual(few, { files: [{ path: "a_test.ts", size: 10 }], count: 1, tests: 1, leftOut: 3 });
});

Deno.test("report.* make a report of sources", async () => {
  const source = 'import x from "x";\nexport function f() {\n  return x;\n}\n';
  const files = [
    await call("report.measure", { path: "src/a.ts", text: source }),
    await call("report.measure", {
      path: "src/a_test.ts",
      text: 'Deno.test("a", () => {\n});\nDeno.test("b", () => {});\n',
    }),
  ];
  const summary = await call("report.summarize", { files });
  const tests = await call("report.tests", { files });
  assert.deepEqual(tests, { files: 1, code: 3, cases: 2, ratio: 0.75 });
  const { markdown } = await call("report.compose", { title: "T", summary, tests, leftOut: 2 }) as { markdown: string };
  assert.match(
    markdown,
    /^# T\n\n2 files, 7 lines: 7 code, 0 comment, 0 blank\. 1 function, 0 open TODOs\. 2 files left out/,
  );
  assert.match(markdown, /\| `f` \| src\/a\.ts:2 \| 3 \|/);
  assert.match(markdown, /2 tests in 1 file, 3 lines of code/);
  const note = await call("report.compose", { title: "T", summary, tests: { note: "None." } }) as { markdown: string };
  assert.match(note.markdown, /## Tests\n\nNone\./);
});

Deno.test("report.measure stops when it is aborted while it keeps its pace", async () => {
  const controller = new AbortController();
  const running = registry.execute("report.measure", { path: "a.ts", text: "", paceMs: 60_000 }, {
    identity: { id: "test", scopes: [] },
    signal: controller.signal,
  });
  controller.abort(new CallError("ABORTED", "stop"));
  await assert.rejects(running, (error) => error instanceof CallError && error.code === "ABORTED");
});

Deno.test("demo.flaky fails on as many attempts as asked, then answers", async () => {
  await assert.rejects(
    call("demo.flaky", { failures: 2 }, { attempt: 2 }),
    (error) => error instanceof CallError && error.code === "DEMO_UNAVAILABLE",
  );
  assert.deepEqual(await call("demo.flaky", { failures: 2 }, { attempt: 3 }), { attempts: 3 });
});

Deno.test("digest.* make a digest of commits", async () => {
  const changes = await call("digest.parse", { numstat: "\n3\t1\tsrc/a.ts\n-\t-\tlogo.png\n2\t0\tdocs/x y.md\n" }) as {
    files: readonly unknown[];
  };
  assert.deepEqual(changes, {
    files: [
      { path: "src/a.ts", added: 3, removed: 1 },
      { path: "logo.png", added: 0, removed: 0 },
      { path: "docs/x y.md", added: 2, removed: 0 },
    ],
    added: 5,
    removed: 1,
  });
  const classified = await Promise.all(changes.files.map((change) => call("digest.classify", change)));
  const { kind } = await call("digest.kind", { subject: "engine: fold the log" }) as { kind: string };
  assert.equal(kind, "engine");
  const commit = await call("digest.commit", {
    commit: { hash: "0123456789", author: "A", date: "2026-01-02T00:00:00Z", subject: "a | b" },
    kind,
    added: 5,
    removed: 1,
  });
  const summary = await call("digest.summarize", { commits: [commit], changes: [classified, null] }) as {
    markdown: string;
    files: number;
  };
  assert.equal(summary.files, 3);
  assert.match(summary.markdown, /\| src \| 1 \| 4 \|/);
  assert.match(summary.markdown, /\| `01234567` \| 2026-01-02 \| a \\\| b \| 6 \|/);
});
