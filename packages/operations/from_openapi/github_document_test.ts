/**
 * GitHub's document, of 13 MB and more than 1,200 operations, from npm. Its package is 29 MB and much more unpacked: one file
 * is kept in the system's temporary folder. Skipped with a reason where it cannot be had.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { OperationRegistry } from "../mod.ts";
import { compileCheck } from "../validation.ts";
import { FromOpenAPI } from "./mod.ts";

const PACKAGE = "@octokit/openapi@23.0.2";
const FILE = "package/generated/api.github.com.json";

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
}

async function document(): Promise<string | undefined> {
  const kept = `${tmpdir()}/alkdev-hub-${PACKAGE.replaceAll("/", "-")}.json`;
  if (existsSync(kept)) return kept;
  const work = await Deno.makeTempDir();
  try {
    await run("npm", ["pack", PACKAGE, "--silent"], work);
    await run("tar", ["-xzf", "octokit-openapi-23.0.2.tgz", FILE], work);
    // Under a name of this process first: whoever comes second replaces it with an equal one.
    await Deno.copyFile(`${work}/${FILE}`, `${kept}.${Deno.pid}`);
    await Deno.rename(`${kept}.${Deno.pid}`, kept);
    return kept;
  } catch (error) {
    console.log(`FromOpenAPI on GitHub's document is skipped, as ${PACKAGE} cannot be had: ${String(error)}`);
    return undefined;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

Deno.test("FromOpenAPI() reads GitHub's document, all of it, and calls what it describes", async () => {
  const path = await document();
  if (path === undefined) return;
  const warnings: string[] = [];
  const requests: string[] = [];
  const operations = FromOpenAPI(JSON.parse(await Deno.readTextFile(path)), {
    namespace: "github",
    baseUrl: "https://api.github.example",
    auth: { type: "bearer", token: "t" },
    warn: (message) => warnings.push(message),
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const { pathname, search } = new URL(request.url);
      requests.push(`${request.method} ${pathname}${search} ${await request.text()}`);
      return Response.json({ number: 7 });
    },
  });
  assert.deepEqual(warnings, []);
  assert.ok(operations.length > 1_200, `${operations.length} operations`);
  assert.equal(new Set(operations.map(({ name }) => name)).size, operations.length);
  for (const { inputSchema, outputSchema } of operations) {
    compileCheck(inputSchema);
    compileCheck(outputSchema);
  }
  assert.equal(operations.find(({ name }) => name === "issues/list-for-repo")?.type, "query");
  assert.equal(operations.find(({ name }) => name === "issues/create")?.type, "mutation");
  const registry = new OperationRegistry();
  registry.registerAll(operations);
  const repository = { owner: "a b", repo: "c/d" };
  await registry.execute("github.issues/list-for-repo", { ...repository, state: "open", per_page: 2 });
  await registry.execute("github.issues/create", { ...repository, body: { title: "Ünd" } });
  assert.deepEqual(requests, [
    "GET /repos/a%20b/c%2Fd/issues?state=open&per_page=2 ",
    'POST /repos/a%20b/c%2Fd/issues {"title":"Ünd"}',
  ]);
  const wrong = registry.execute("github.issues/list-for-repo", { ...repository, state: "ajar" });
  await assert.rejects(wrong, { code: "VALIDATION_ERROR" });
});
