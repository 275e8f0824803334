/** The page in Debian's Chromium, for tests and for pictures of it. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import type { HubProcess } from "../e2e/_hub_process.ts";

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

export const hasChromium: boolean = await Deno.stat(CHROMIUM).then(() => true, () => false);
if (!hasChromium) console.log(`The page's tests are not run: there is no ${CHROMIUM}`);

/** Text that would run if the page took it for HTML. */
export const HOSTILE: string = `<img src=x onerror="globalThis.hacked = true">`;

/** A new tab at the hub; nothing may have been complained about in it, and nothing of {@linkcode HOSTILE} have run. */
export async function withPage(hub: HubProcess, browser: Browser, work: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints: string[] = [];
  // Refused requests are shown by the browser too; the page says what it makes of them.
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("Failed to load resource")) {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.setDefaultTimeout(60_000);
  try {
    await page.goto(hub.url);
    await work(page);
    assert.deepEqual(complaints, []);
    assert.equal(await page.evaluate("globalThis.hacked"), undefined);
  } finally {
    await page.close();
  }
}

export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Goes to a place of the page. */
export async function at(page: Page, hash: string): Promise<void> {
  await page.evaluate((next) => void (location.hash = next), hash);
}

/** A node of the graph. */
export function nodeOf(page: Page, label: string, status: string): Locator {
  return page.locator(`g.node.is-${status}`).filter({ has: page.locator("text.label", { hasText: label }) });
}

const axeSource = hasChromium
  ? await Deno.readTextFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"))
  : "";

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What axe-core finds against the page as it is. */
export async function findings(page: Page): Promise<readonly string[]> {
  // Given to the debugger, not to the page: its policy would refuse it.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate("axe.run({ resultTypes: ['violations'] })") as AxeResult;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)
  );
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Waits until nothing of the page is being loaded. */
export async function loaded(page: Page): Promise<void> {
  await page.locator("main h1").first().waitFor();
  const loading = page.locator("main p[aria-busy]");
  while (await loading.count() > 0) await loading.first().waitFor({ state: "detached" });
}
