import assert from "node:assert/strict";
import { OperationRegistry, type ScannerFS, scanOperations } from "./mod.ts";

const denoFs: ScannerFS = { readdir: (path) => Deno.readDir(path), cwd: () => Deno.cwd() };

const operation = (name: string) =>
  `export default { namespace: "scan", name: "${name}", version: "1.0.0", type: "query", description: "",
    inputSchema: { type: "object" }, outputSchema: {}, accessControl: { requiredScopes: [] }, handler: () => "${name}" };`;

/** A directory of these files, gone afterwards. */
async function withFiles(files: Readonly<Record<string, string>>, run: (directory: string) => Promise<void>) {
  const directory = await Deno.makeTempDir({ prefix: "scan 100%#" });
  try {
    for (const [path, content] of Object.entries(files)) {
      const file = `${directory}/${path}`;
      await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(file, content);
    }
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("scanOperations() imports the operations of a directory, at any depth and by path", async () => {
  const files = {
    "b.ts": operation("b"),
    "deep/a?.ts": operation("a"),
    "b_test.ts": "throw 1",
    "b.d.ts": "x",
    "c.md": "",
  };
  await withFiles(files, async (directory) => {
    const warnings: string[] = [];
    const found = await scanOperations(directory, denoFs, { warn: (message) => warnings.push(message) });
    assert.deepEqual(found.map(({ name }) => name), ["b", "a"]);
    assert.deepEqual(warnings, []);
    const registry = new OperationRegistry();
    registry.registerAll(found);
    assert.equal((await registry.execute("scan.a", {})).data, "a");
  });
});

Deno.test("scanOperations() skips files that hold no operation, with a warning that says why", async () => {
  const files = {
    "a.ts": operation("a"),
    "bad.ts": operation("bad").replace("1.0.0", "one"),
    "handler.ts": operation("handler").replace("() =>", "5 ??"),
    "none.ts": "export const x = 1;",
    "throws.ts": `throw new Error("boom");`,
  };
  await withFiles(files, async (directory) => {
    const warnings: string[] = [];
    const found = await scanOperations(directory, denoFs, {
      warn: (message, error) =>
        warnings.push(`${message.replace(directory, "")}${error instanceof Error ? `: ${error.message}` : ""}`),
    });
    assert.deepEqual(found.map(({ name }) => name), ["a"]);
    assert.deepEqual(warnings, [
      `Skipped "/bad.ts": its default export is no operation, by its "version"`,
      `Skipped "/handler.ts": its default export is no operation`,
      `Skipped "/none.ts": its default export is no operation`,
      `Skipped "/throws.ts": it cannot be imported: boom`,
    ]);
  });
});

Deno.test("scanOperations() takes a relative directory, other endings and another import", async () => {
  const imported: string[] = [];
  const fs: ScannerFS = {
    cwd: () => "C:\\work",
    async *readdir(path) {
      assert.equal(path, "C:/work/operations");
      yield await Promise.resolve({ name: "a.js", isFile: true, isDirectory: false });
      yield { name: "b.ts", isFile: true, isDirectory: false };
    },
  };
  const options = {
    extensions: [".js"],
    import: (url: string) => Promise.resolve(imported.push(url)),
    warn: () => {},
  };
  assert.deepEqual(await scanOperations("operations/", fs, options), []);
  assert.deepEqual(imported, ["file:///C:/work/operations/a.js"]);
});

Deno.test("scanOperations() lets errors of the file system through", async () => {
  await assert.rejects(scanOperations("/nonexistent", denoFs), Deno.errors.NotFound);
});
