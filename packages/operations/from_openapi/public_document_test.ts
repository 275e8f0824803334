/** A public document of some size, from npm: skipped with a reason where it cannot be had. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { compileCheck } from "../validation.ts";
import { OperationRegistry } from "../mod.ts";
import { FromOpenAPIFile } from "./mod.ts";

const PACKAGE = "npm:@blockfrost/openapi@0.1.93";

/** Has Deno fetch the package in a process of its own, so that neither our import map nor our lock file knows of it. */
async function findDocument(): Promise<string | undefined> {
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      script,
      `await import("${PACKAGE}/package.json", { with: { type: "json" } });
       console.log(new URL(import.meta.resolve("${PACKAGE}/openapi.yaml")).pathname);`,
    );
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", script],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    if (success) return decoder.decode(stdout).trim();
    console.log(`FromOpenAPI on a public document is skipped, as ${PACKAGE} cannot be had: ${decoder.decode(stderr)}`);
    return undefined;
  } finally {
    await Deno.remove(script);
  }
}

Deno.test("FromOpenAPIFile() reads a public document of more than 100 operations, all of it", async () => {
  const path = await findDocument();
  if (path === undefined) return;
  const warnings: string[] = [];
  const operations = await FromOpenAPIFile(path, {
    namespace: "chain",
    baseUrl: "https://chain.example",
    parse: (text) => parse(text),
    warn: (message) => warnings.push(message),
    fetch: () => Promise.resolve(Response.json({ url: "https://x", version: "1.0.0" })),
  });
  assert.deepEqual(warnings, []);
  assert.ok(operations.length > 100, `${operations.length} operations`);
  for (const { inputSchema, outputSchema } of operations) {
    compileCheck(inputSchema);
    compileCheck(outputSchema);
  }
  const registry = new OperationRegistry({ warn: ({ errors }) => assert.deepEqual(errors, []) });
  registry.registerAll(operations);
  const { data } = await registry.execute("chain.get", {});
  assert.deepEqual(data, { url: "https://x", version: "1.0.0" });
});
