/** `useChat` in Debian's Chromium, on a page of another origin, against a real hub. Not run, and it says so, without Chromium. */
import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import { type Browser, chromium, type Page } from "playwright-core";
import { type HubProcess, until } from "../e2e/_hub_process.ts";
import { proxyWorld } from "../e2e/_proxy_world.ts";

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
if (!hasChromium) console.log(`useChat is not tested in a browser: there is no ${CHROMIUM}`);

Deno.test({
  name: "useChat talks with a session: text, tools with a person's yes, stop, reload in the middle, errors, and again",
  ignore: !hasChromium,
  // The browser's own pipes outlive the test.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using server = await servePage();
    await using world = await proxyWorld([{}], { config: { http: { corsOrigins: [server.origin] } } });
    const { hub, providers: [fake] } = world;
    assert.ok(fake);
    await world.addProvider(fake, { name: "fake", models: [{ id: "fake-large", alias: "fast" }] });
    const spoke = connectSpoke({
      url: hub.url,
      key: hub.key,
      name: "tools",
      operations: [{ namespace: "demo", name: "wipe", handler: () => "wiped clean" }],
    });
    await spoke.ready;
    const role = await hub.api("PUT", "/api/roles/careful", {
      body: {
        title: "Careful",
        systemPrompt: "",
        tools: { operations: ["demo.*"], workflows: [], approve: ["demo.*"] },
        scopes: ["operation:*"],
      },
    });
    assert.ok(role.status < 300, JSON.stringify(role.body));
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    try {
      const chat = { hub, browser, origin: server.origin };
      await t.step("text, and a reload that shows it again", () =>
        withChat(chat, async (page) => {
          await say(page, "say:one two three");
          await shown(page, ["say:one two three", "one two three"]);
          await page.reload();
          await shown(page, ["say:one two three", "one two three"]);
        }));

      await t.step(
        "a tool that needs a person's yes, which the page gives, and then not",
        () =>
          withChat(chat, async (page) => {
            for (const [answer, state] of [["yes", "output-available"], ["no", "output-denied"]] as const) {
              fake.script({ text: "", toolCalls: [{ name: "demo_wipe", arguments: "{}" }] });
              await say(page, `clean ${answer}`);
              await page.locator(`section[data-state="approval-requested"] #${answer}`).click();
              await page.locator(`section[data-state="${state}"]`).waitFor();
              await page.locator("main[data-status=ready]").waitFor();
            }
            const last = await page.locator("article[data-role=assistant] p").last().textContent();
            assert.match(last ?? "", /A person has said no: not today/);
          }, { role: "careful" }),
      );

      await t.step(
        "a page that is loaded anew in the middle of a turn goes on with it",
        () =>
          withChat(chat, async (page) => {
            const words = Array.from({ length: 60 }, (_, at) => `w${at}`).join(" ");
            fake.fail({ kind: "slow-chunks", ms: 60 });
            await say(page, `say:${words}`);
            await page.getByText("w3").last().waitFor();
            await page.reload();
            await page.locator("main[data-status=streaming]").waitFor();
            await shown(page, [`say:${words}`, words]);
            await page.locator("main[data-status=ready]").waitFor();
          }),
      );

      await t.step(
        "a question that is open when the page is loaded anew can still be answered",
        () =>
          withChat(chat, async (page) => {
            fake.script({ text: "", toolCalls: [{ name: "demo_wipe", arguments: "{}" }] });
            await say(page, "clean");
            await page.locator("#yes").waitFor();
            await page.reload();
            await page.locator("#yes").click();
            await page.locator('section[data-state="output-available"]').getByText("wiped clean").waitFor();
            await page.locator("main[data-status=ready]").waitFor();
          }, { role: "careful" }),
      );

      await t.step(
        "stop ends the turn in the hub, and keeps what was said",
        () =>
          withChat(chat, async (page, session) => {
            fake.fail({ kind: "slow-chunks", ms: 60 });
            await say(page, `say:${"word ".repeat(200)}`);
            await page.locator("article[data-role=assistant] p").first().waitFor();
            await page.locator("#stop").click();
            await page.locator("main[data-status=ready]").waitFor();
            await until(
              "the turn has ended",
              async () => (await hub.api("GET", `/api/sessions/${session}`)).body["status"] === "stopped",
            );
            assert.match(await page.locator("article[data-role=assistant]").innerText(), /word/);
          }),
      );

      await t.step(
        "an error is shown; said again it works, and replaces nothing else",
        () =>
          withChat(chat, async (page) => {
            await say(page, "say:before");
            await shown(page, ["say:before", "before"]);
            fake.fail({ kind: "status", status: 400, message: "No such thing" });
            await say(page, "say:after");
            await page.locator("#error", { hasText: "No such thing" }).waitFor();
            await page.locator("#again").click();
            await shown(page, ["say:before", "before", "say:after", "after"]);
            await page.reload();
            await shown(page, ["say:before", "before", "say:after", "after"]);
          }),
      );
    } finally {
      await browser.close();
      await spoke.close();
    }
  },
});

async function withChat(
  { hub, browser, origin }: { readonly hub: HubProcess; readonly browser: Browser; readonly origin: string },
  work: (page: Page, session: string) => Promise<void>,
  body: Record<string, unknown> = {},
): Promise<void> {
  const made = await hub.api<{ id: string }>("POST", "/api/sessions", { body: { model: "fast", ...body } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const session = made.body.id;
  const settings = encodeURIComponent(JSON.stringify({ url: hub.url, key: hub.key, session }));
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await page.goto(`${origin}/#${settings}`);
    await page.locator("#text").waitFor();
    await work(page, session);
    assert.deepEqual(complaints, []);
  } finally {
    await page.close();
  }
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator("#text").fill(text);
  await page.locator("#send").click();
}

/** The page comes to show these messages. */
async function shown(page: Page, wanted: readonly string[]): Promise<void> {
  let seen: readonly string[] = [];
  await until(`the page shows ${JSON.stringify(wanted)}, not ${JSON.stringify(seen)}`, async () => {
    seen = (await page.locator("article").allInnerTexts()).map((text) => text.trim());
    return JSON.stringify(seen) === JSON.stringify(wanted);
  }).catch((error) => {
    throw new Error(`Shown is ${JSON.stringify(seen)}`, { cause: error });
  });
}

/** The page of chat_page/, bundled. */
async function servePage(): Promise<{ readonly origin: string } & AsyncDisposable> {
  const script = await Deno.makeTempFile({ suffix: ".js" });
  const source = new URL("../e2e/chat_page/page.ts", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", source, "-o", script],
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const code = await Deno.readTextFile(script);
  await Deno.remove(script);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/page.js") return new Response(code, { headers: { "content-type": "text/javascript" } });
    if (pathname !== "/") return new Response(null, { status: 404 });
    const page =
      '<!doctype html><meta charset="utf-8"><div id="chat"></div><script type="module" src="/page.js"></script>';
    return new Response(page, { headers: { "content-type": "text/html" } });
  });
  return { origin: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
