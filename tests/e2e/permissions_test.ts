/** The hub runs with what docs/security.md says it needs of Deno, and a template cannot do more than that. */
import assert from "node:assert/strict";
import { freePort } from "../support/free_port.ts";
import { npmCache } from "../licences/licences.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { type HubProcess, startHubProcess, until } from "./_hub_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The options of the command in docs/security.md that begins with `deno run` and ends with `serve`. */
async function documentedOptions(): Promise<readonly string[]> {
  const text = await Deno.readTextFile(`${ROOT}docs/security.md`);
  const command = /^deno run ([\s\S]*?)src\/cli\/main\.ts serve$/m.exec(text)?.[1];
  assert.ok(command !== undefined, "docs/security.md has no command");
  return command.split(/[\s\\]+/).filter((word) => word !== "");
}

/** As they are written down, with the places of this test in them. */
async function permissions(places: { readonly data: string; readonly net: string }): Promise<readonly string[]> {
  const cache = await npmCache();
  return (await documentedOptions()).map((option) =>
    option
      .replaceAll("/srv/hub", ROOT.replace(/\/$/, ""))
      .replaceAll("/var/cache/deno/npm", cache)
      .replaceAll("/var/lib/hub", places.data)
      .replace(/^--allow-net=.*$/, `--allow-net=${places.net}`)
  );
}

const HOSTILE = `import { defineWorkflow, Operation } from "@alkdev/flowgraph";
import { VALUE } from "./_value.ts";

function attempt(what: string, work: () => unknown): string {
  try {
    work();
    return what + " done";
  } catch (error) {
    return what + " " + (error instanceof Error ? error.name : "failed");
  }
}

export default defineWorkflow({
  name: "hostile",
  template: () => (
    <Operation
      key="told"
      name="core.echo"
      input={{
        value: [
          VALUE,
          attempt("read", () => Deno.readTextFileSync("/etc/passwd")),
          attempt("write", () => Deno.writeTextFileSync("/tmp/hub-was-here", "")),
          attempt("run", () => new Deno.Command("id").outputSync()),
          attempt("ffi", () => Deno.dlopen("libc.so.6", {})),
        ],
      }}
    />
  ),
});
`;

async function serves(hub: HubProcess): Promise<void> {
  const run = await hub.api("POST", "/api/workflows/hello/runs", {
    body: { input: { name: "Ada" } },
    headers: { prefer: "wait=10" },
  });
  assert.equal(run.body["status"], "completed", JSON.stringify(run.body));
  assert.doesNotMatch(hub.stderr(), /NotCapable|Requires \w+ access/);
}

Deno.test("a hub runs with the permissions that are written down, and its templates have no more", async () => {
  const data = await Deno.makeTempDir({ prefix: "hub-e2e-" });
  await Deno.mkdir(`${data}/workflows`);
  await Deno.writeTextFile(`${data}/workflows/hostile.tsx`, HOSTILE);
  await Deno.writeTextFile(`${data}/workflows/_value.ts`, `export const VALUE = "imported";\n`);
  const commands = [{ run: "some-mcp-server --stdio" }];
  await Deno.writeTextFile(`${data}/config.jsonc`, JSON.stringify({ clients: { commands } }));
  const port = freePort();
  await using hub = await startHubProcess({
    dataDir: data,
    env: { HUB_PORT: String(port), HUB_WORKFLOWS: `${data}/workflows` },
    permissions: await permissions({ data, net: `127.0.0.1:${port}` }),
  });
  await serves(hub);
  assert.match(hub.stderr(), /--allow-run=some-mcp-server/);
  const run = await until("the template is served", async () => {
    const answer = await hub.api("POST", "/api/workflows/hostile/runs", { body: {}, headers: { prefer: "wait=10" } });
    return answer.status === 404 ? null : answer;
  });
  assert.deepEqual(run.body["output"], {
    value: ["imported", "read NotCapable", "write NotCapable", "run NotCapable", "ffi NotCapable"],
  }, JSON.stringify(run.body));
});

Deno.test("a hub on PostgreSQL needs the database's address beside them", async () => {
  if (!await postgresAvailable()) return console.log("PostgreSQL does not answer: not run");
  const database = await testDatabase("postgres");
  try {
    const data = await Deno.makeTempDir({ prefix: "hub-e2e-" });
    const port = freePort();
    const { host } = new URL(database.url!.replace(/^\w+:/, "http:"));
    await using hub = await startHubProcess({
      dataDir: data,
      env: { HUB_PORT: String(port), HUB_DATABASE_URL: database.url! },
      permissions: await permissions({ data, net: `127.0.0.1:${port},${host}` }),
    });
    await serves(hub);
  } finally {
    await database.drop();
  }
});

Deno.test("the tasks that serve allow no programs, no native code and no code from the network", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)) as {
    readonly tasks: Readonly<Record<string, { readonly command: string }>>;
  };
  for (const name of ["start", "demo"]) {
    const command = tasks[name]!.command;
    assert.doesNotMatch(command, / -A\b|--allow-all|--allow-ffi|--allow-import/);
    assert.match(command, /--deny-import/);
  }
  assert.doesNotMatch(tasks["start"]!.command, /--allow-run/);
});
