/** The packed client in Debian's Chromium, on a page of another origin. Not run, and it says so, where there is no Chromium. */
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { container, operation, startHubProcess } from "./_hub_process.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const hasChromium = await Deno.stat(CHROMIUM).then(() => true, () => false);
if (!hasChromium) console.log(`@alkdev/client is not tested in a browser: there is no ${CHROMIUM}`);

/** What a page does with the client; its answer is what it saw. */
const USE = `async ([url, key]) => {
  const { HubClient, HubError, HubConnectionError } = await import("/mod.js");
  const hub = new HubClient({ url, key, retries: 0 });
  try {
    const run = await hub.start("asking", { n: 2 });
    const types = [];
    for await (const event of run.watch()) {
      types.push(event.type);
      if (event.type === "signal.awaited") await run.signal("go", { said: "yes" });
    }
    const missing = await hub.handle("nowhere").get().catch((error) => error);
    const listed = [];
    for await (const { id } of hub.runs({ workflow: "asking" })) listed.push(id === run.id);
    return {
      last: types.at(-1),
      output: await run.result(),
      again: await hub.run("doubling", { n: 4 }),
      missing: [missing instanceof HubError, missing.code, missing.requestId !== null],
      listed,
    };
  } catch (error) {
    return { refused: error instanceof HubConnectionError };
  }
}`;

Deno.test({
  name: "HubClient runs, watches and answers runs from a page whose origin is allowed, and from no other",
  ignore: !hasChromium,
  // The browser's own pipes outlive the test.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "hub-client-" });
    await packClient(folder);
    await using allowed = servePage(`${folder}/package`);
    await using foreign = servePage(`${folder}/package`);
    await Deno.writeTextFile(`${folder}/config.jsonc`, JSON.stringify({ http: { corsOrigins: [allowed.origin] } }));
    await using hub = await startHubProcess({ env: { HUB_CONFIG: `${folder}/config.jsonc` } });
    await hub.api("PUT", "/api/workflows/asking", {
      body: {
        template: container("sequential", [
          { type: "signal", props: { name: "go", key: "go" } },
          operation("core.echo", "last", { value: { $ref: "nodes.go" } }),
        ]),
      },
    });
    await hub.api("PUT", "/api/workflows/doubling", {
      body: { template: operation("core.eval", "d", { expression: "n * 2", vars: { n: { $ref: "input.n" } } }) },
    });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    try {
      const seen: unknown[] = [];
      for (const { origin } of [allowed, foreign]) {
        const page = await browser.newPage();
        await page.goto(origin);
        seen.push(await page.evaluate(`(${USE})(${JSON.stringify([hub.url, hub.key])})`));
        await page.close();
      }
      assert.deepEqual(seen, [{
        last: "run.completed",
        output: { value: { said: "yes" } },
        again: { value: 8 },
        missing: [true, "RUN_NOT_FOUND", true],
        listed: [true],
      }, { refused: true }]);
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** The package as npm has it, in `<folder>/package`. */
async function packClient(folder: string): Promise<void> {
  const cwd = new URL("../../packages/client/", import.meta.url).pathname;
  for (
    const [command, ...args] of [
      [Deno.execPath(), "pack", "--allow-dirty", "--no-source-maps", "-o", `${folder}/client.tgz`],
      ["tar", "-xzf", `${folder}/client.tgz`, "-C", folder],
    ] as const
  ) {
    const { success, stderr } = await new Deno.Command(command, { args, cwd }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  }
}

/** An empty page, and the package's modules beside it. */
function servePage(folder: string): { readonly origin: string } & AsyncDisposable {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
    const code = await Deno.readTextFile(`${folder}${pathname}`).catch(() => null);
    if (code === null) return new Response(null, { status: 404 });
    return new Response(code, { headers: { "content-type": "text/javascript" } });
  });
  return { origin: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
