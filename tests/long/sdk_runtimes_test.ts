/** The SDK as one file, on Node, on Bun and in a browser page; each is skipped with a note where the runtime is missing. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type CheckResult, runChecks } from "../../src/cli/spoke_check/mod.ts";
import { has } from "../e2e/_examples.ts";
import { operation, startHubProcess, until } from "../e2e/_hub_process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

async function bundle(entry: string, to: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "-q", "--platform", "browser", "--external", "node:process", "-o", to, `${ROOT}${entry}`],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function install(dir: string, name: string): Promise<boolean> {
  const args = ["install", "--no-audit", "--no-fund", "--silent", name];
  return await has("npm") && (await new Deno.Command("npm", { args, cwd: dir }).output()).success;
}

interface Told {
  readonly results: readonly CheckResult[];
  readonly lines: readonly string[];
}

async function checked(command: string | null, onListen: (at: { url: string; key: string }) => void): Promise<Told> {
  const lines: string[] = [];
  const results = await runChecks({
    command,
    port: 0,
    connectMs: 30_000,
    onListen,
    onResult: () => {},
    onLine: (line) => lines.push(line),
  });
  return { results, lines };
}

function assertWhole({ results, lines }: Told, skipped: readonly string[] = []): void {
  const of = (wanted: CheckResult["result"]) => results.filter(({ result }) => result === wanted);
  assert.deepEqual(of("failed").map(({ name, seen }) => `${name}: ${seen}`), [], lines.join("\n"));
  assert.deepEqual(of("skipped").map(({ name }) => name), skipped);
  assert.ok(of("ok").length > 28);
}

Deno.test("hub spoke check finds nothing wrong with the SDK on Node, with the package ws where Node has no WebSocket", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sdk-node-" });
  try {
    if (!await has("node") || !await install(dir, "ws@8.23.0")) return console.log("Node cannot be had here: not run");
    await bundle("examples/spoke-sdk/check.ts", `${dir}/check.mjs`);
    assertWhole(await checked(`node ${dir}/check.mjs`, () => {}));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("hub spoke check finds nothing wrong with the SDK on Bun", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sdk-bun-" });
  try {
    const bun = `${dir}/node_modules/.bin/bun`;
    if (!await install(dir, "bun@1.4.5") || !await has(bun)) return console.log("Bun cannot be had here: not run");
    await bundle("examples/spoke-sdk/check.ts", `${dir}/check.mjs`);
    assertWhole(await checked(`${bun} ${dir}/check.mjs`, () => {}));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

interface Page extends AsyncDisposable {
  /** Opens it in a browser of its own. */
  open(hash: Readonly<Record<string, string>>): void;
}

/** examples/spoke-browser, served on a port of its own; null where there is no Chromium. */
async function page(): Promise<Page | null> {
  if (!await has("chromium")) return null;
  const dir = await Deno.makeTempDir({ prefix: "sdk-page-" });
  await bundle("examples/spoke-browser/page.ts", `${dir}/page.js`);
  const html = await Deno.readTextFile(`${ROOT}examples/spoke-browser/index.html`);
  const script = await Deno.readTextFile(`${dir}/page.js`);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const isScript = new URL(request.url).pathname === "/page.js";
    const type = isScript ? "text/javascript" : "text/html; charset=utf-8";
    return new Response(isScript ? script : html, { headers: { "content-type": type } });
  });
  const browsers: Deno.ChildProcess[] = [];
  return {
    open(hash) {
      const url = `http://127.0.0.1:${server.addr.port}/#${new URLSearchParams(hash)}`;
      const args = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${dir}/profile`, url];
      browsers.push(new Deno.Command("chromium", { args, stdin: "null", stdout: "null", stderr: "null" }).spawn());
    },
    async [Symbol.asyncDispose]() {
      for (const browser of browsers) {
        browser.kill("SIGTERM");
        await browser.status;
      }
      await server.shutdown();
      await Deno.remove(dir, { recursive: true }).catch(() => {});
    },
  };
}

Deno.test("hub spoke check finds nothing wrong with the SDK in a browser page", async () => {
  await using it = await page();
  if (it === null) return console.log("There is no chromium here: not run");
  assertWhole(await checked(null, ({ url, key }) => it.open({ url, key, check: "1" })), ["drains on SIGTERM"]);
});

Deno.test("a browser page carries out a node of a run, and calls the hub meanwhile", async () => {
  await using it = await page();
  if (it === null) return console.log("There is no chromium here: not run");
  await using hub = await startHubProcess();
  it.open({ url: hub.url, key: hub.key });
  await until("the page is there", async () => (await hub.api("GET", "/api/operations/page.show")).status === 200);
  const template = operation("page.show", "show", { text: { $ref: "input.text" } });
  await hub.api("PUT", "/api/workflows/show", { body: { template } });
  const { body } = await hub.api<{ status: string; output: { shown: number; callable: readonly string[] } }>(
    "POST",
    "/api/workflows/show/runs",
    { body: { input: { text: "Grüße" } }, headers: { prefer: "wait=10" } },
  );
  assert.equal(body.status, "completed", JSON.stringify(body));
  assert.ok(body.output.callable.includes("core.echo"), JSON.stringify(body.output));
});
