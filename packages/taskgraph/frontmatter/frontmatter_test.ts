import assert from "node:assert/strict";
import fc from "fast-check";
import {
  InvalidInputError,
  parseFrontmatter,
  parseTaskDirectory,
  parseTaskFile,
  serializeFrontmatter,
  splitFrontmatter,
  type TaskFileSystem,
  type TaskInput,
  updateFrontmatter,
} from "../mod.ts";

const yaml = (text: string) => `---\n${text}\n---\nBody\n`;
const minimal = { id: "a", name: "A", dependsOn: [] };

Deno.test("parseFrontmatter() reads a task and leaves out unknown keys", () => {
  const text = yaml(`id: a
name: Write it
depends_on: [b, c]
status: in-progress
risk:
due: 2026-01-02
tags: [x]
colour: red`);
  assert.deepEqual(parseFrontmatter(text), {
    id: "a",
    name: "Write it",
    dependsOn: ["b", "c"],
    status: "in-progress",
    risk: null,
    due: "2026-01-02",
    tags: ["x"],
  });
});

Deno.test("parseFrontmatter() takes dependsOn, no prerequisites, a byte order mark and CRLF", () => {
  assert.deepEqual(parseFrontmatter(yaml("id: a\nname: A\ndependsOn: [b]")).dependsOn, ["b"]);
  assert.deepEqual(parseFrontmatter("\uFEFF---\r\nid: a\r\nname: A\r\n---"), minimal);
  assert.deepEqual(parseFrontmatter(yaml("id: a\nname: A\ndepends_on:")), minimal);
});

Deno.test("parseFrontmatter() reads YAML 1.2: no is a word and dates are text", () => {
  assert.equal(parseFrontmatter(yaml("id: no\nname: 'A'")).id, "no");
});

Deno.test("parseFrontmatter() throws InvalidInputError naming the field", () => {
  const cases: [string, string][] = [
    ["id: a", "frontmatter"],
    ["----\nid: a\nname: A\n----\n", "frontmatter"],
    ["---\nid: a\nname: A\n", "frontmatter"],
    ["---\nid: a\nname: A\n----\n", "frontmatter"],
    [" ---\nid: a\nname: A\n---\n", "frontmatter"],
    [yaml("- a"), "frontmatter"],
    [yaml(""), "frontmatter"],
    [yaml("id: [a"), "frontmatter"],
    [yaml("name: A"), "id"],
    [yaml("id: 1\nname: A"), "id"],
    [yaml("id: a\nname: ''"), "name"],
    [yaml("id: a\nname: A\nrisk: huge"), "risk"],
    [yaml("id: a\nname: A\nstatus: in_progress"), "status"],
    [yaml("id: a\nname: A\ndepends_on: b"), "dependsOn"],
    [yaml("id: a\nname: A\ndepends_on: [1]"), "dependsOn.0"],
  ];
  for (const [text, field] of cases) {
    assert.throws(() => parseFrontmatter(text), (error) => {
      assert.ok(error instanceof InvalidInputError, text);
      assert.equal(error.field, field, `${text}: ${error.message}`);
      return true;
    });
  }
});

Deno.test("splitFrontmatter() gives the body as it is, later dashes included", () => {
  assert.deepEqual(splitFrontmatter("---\nid: a\n---\n# Title\n\n---\nmore"), {
    frontmatter: "id: a",
    body: "# Title\n\n---\nmore",
  });
  assert.deepEqual(splitFrontmatter("---\n---\n"), { frontmatter: "", body: "" });
});

const text = fc.string({ unit: "grapheme" });
const words = text.filter((value) => value.length > 0);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const tasks: fc.Arbitrary<TaskInput> = fc.record({
  id: words,
  name: words,
  dependsOn: fc.array(words),
  status: optional(fc.constantFrom("pending" as const, "in-progress" as const, "blocked" as const)),
  scope: optional(fc.constantFrom("single" as const, "system" as const)),
  risk: optional(fc.constantFrom("trivial" as const, "critical" as const)),
  level: optional(fc.constantFrom("planning" as const)),
  tags: fc.array(text),
  assignee: optional(text),
  due: optional(text),
}, { requiredKeys: ["id", "name", "dependsOn"] });

Deno.test("parseFrontmatter() gives back what serializeFrontmatter() wrote, whatever the text in it", () => {
  fc.assert(fc.property(tasks, text, (task, body) => {
    const markdown = serializeFrontmatter(task, body);
    // fast-check's records have no prototype.
    assert.deepEqual(parseFrontmatter(markdown), { ...task });
    assert.equal(splitFrontmatter(markdown).body, body);
  }));
});

function fileSystem(files: Readonly<Record<string, string>>): TaskFileSystem {
  return {
    readTextFile: (path) => {
      const content = files[path];
      return content === undefined ? Promise.reject(new Error(`No file ${path}`)) : Promise.resolve(content);
    },
    async *readDir(path) {
      const names = new Set<string>();
      for (const file of Object.keys(files)) {
        if (file.startsWith(`${path}/`)) names.add(file.slice(path.length + 1).split("/", 1)[0] ?? "");
      }
      if (names.size === 0) throw new Error(`No directory ${path}`);
      for (const name of names) {
        const isFile = `${path}/${name}` in files;
        yield await Promise.resolve({ name, isFile, isDirectory: !isFile });
      }
    },
  };
}

Deno.test("parseTaskDirectory() reads .md files at any depth, by path, and says which hold no task", async () => {
  const fs = fileSystem({
    "tasks/z.md": yaml("id: z\nname: Z"),
    "tasks/README.md": "# Tasks",
    "tasks/notes.txt": yaml("id: n\nname: N"),
    "tasks/deep/er/a.md": yaml("id: a\nname: A"),
  });
  const skipped: string[] = [];
  const found = await parseTaskDirectory("tasks/", fs, {
    onSkip: (path, error) => skipped.push(`${path}: ${error.field}`),
  });
  assert.deepEqual(found.map(({ id }) => id), ["a", "z"]);
  assert.deepEqual(skipped, ["tasks/README.md: frontmatter"]);
  assert.deepEqual(await parseTaskDirectory("tasks", fs), found);
});

Deno.test("parseTaskFile() and parseTaskDirectory() let errors of the file system through", async () => {
  const fs = fileSystem({ "tasks/a.md": yaml("id: a\nname: A") });
  assert.deepEqual(await parseTaskFile("tasks/a.md", fs), minimal);
  await assert.rejects(parseTaskFile("x.md", fs), /No file x.md/);
  await assert.rejects(parseTaskDirectory("x", fs), /No directory x/);
  const broken = { ...fs, readTextFile: () => Promise.reject(new Error("disk")) };
  await assert.rejects(parseTaskDirectory("tasks", broken), /disk/);
});

Deno.test("parseTaskDirectory() takes Deno as a file system", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/a.md`, yaml("id: a\nname: A"));
    assert.deepEqual(await parseTaskDirectory(directory, Deno), [minimal]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("updateFrontmatter() changes what it is given, and keeps comments, order, other keys and the body", () => {
  const file =
    "\uFEFF---\n# head\nname: A\nid: a # mine\ndepends_on:\n  - b\nowner: me\nrisk: low\n---\n\nBody ---\n---\n";
  assert.equal(updateFrontmatter(file, {}), file);
  assert.equal(
    updateFrontmatter(file, { status: "in-progress", dependsOn: ["b", "c"], risk: undefined, assignee: null }),
    "\uFEFF---\n# head\nname: A\nid: a # mine\ndepends_on:\n  - b\n  - c\nowner: me\nstatus: in-progress\n" +
      "assignee: null\n---\n\nBody ---\n---\n",
  );
  assert.equal(
    updateFrontmatter(yaml("id: a\nname: A\ndependsOn: [b]"), { dependsOn: [] }, "New.\n"),
    "---\nid: a\nname: A\ndependsOn: []\n---\nNew.\n",
  );
  assert.throws(() => updateFrontmatter("no frontmatter", {}), /Frontmatter is missing/);
  assert.throws(() => updateFrontmatter(yaml("id: [a"), {}), /no YAML/);
});
