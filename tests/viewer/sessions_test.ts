/** Sessions of agents in the page: a real hub, a fake provider of models, and a spoke with a tool that is asked about. */
import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import { until } from "../e2e/_hub_process.ts";
import { PRICES, type ProxyWorld, proxyWorld } from "../e2e/_proxy_world.ts";
import { at, findings, hasChromium, HOSTILE, launch, loaded, signIn, withPage } from "./_browser.ts";

/** Where screenshots go, to be looked at; absent: none is taken. */
const SHOTS = Deno.env.get("HUB_TEST_SHOTS");

async function agentWorld(): Promise<ProxyWorld> {
  const world = await proxyWorld();
  const [fake] = world.providers;
  assert.ok(fake);
  await world.addProvider(fake, { name: "fake", models: [{ id: "fake-large", alias: "fast", prices: PRICES }] });
  const role = await world.hub.api("PUT", "/api/roles/careful", {
    body: {
      title: HOSTILE,
      systemPrompt: "Be careful.",
      tools: { operations: ["demo.*"], workflows: [], approve: ["demo.wipe"] },
      scopes: ["operation:*"],
    },
  });
  assert.ok(role.status < 300, JSON.stringify(role.body));
  return world;
}

Deno.test(
  { name: "sessions in the page", ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false },
  async (t) => {
    await using world = await agentWorld();
    const { hub, providers: [fake] } = world;
    assert.ok(fake);
    const spoke = connectSpoke({
      url: hub.url,
      key: hub.key,
      name: "tools",
      operations: [{ namespace: "demo", name: "wipe", handler: () => "wiped" }],
    });
    await spoke.ready;
    await using _ = { [Symbol.asyncDispose]: () => spoke.close() };
    const browser = await launch();
    const sessionOf = async (hash: string): Promise<Record<string, unknown>> =>
      (await hub.api("GET", `/api/sessions/${hash.split("/").at(-1)}`)).body;
    try {
      await t.step(
        "one is begun, and what it says is seen as it comes, and no HTML in it is taken for such",
        () =>
          withPage(hub, browser, async (page) => {
            await signIn(page, hub.key);
            await page.getByRole("link", { name: "Sessions" }).click();
            await page.getByRole("button", { name: "New session…" }).click();
            await page.getByLabel("Title").fill(`Look around ${HOSTILE}`);
            await page.getByLabel("Model").fill("fast");
            const words = Array.from({ length: 30 }, (_, n) => `w${n}`).join(" ");
            fake.fail({ kind: "slow-chunks", ms: 100 });
            await page.getByLabel("Prompt").fill(`say:${words} ${HOSTILE}`);
            await page.getByRole("button", { name: "Begin" }).click();
            const agent = page.getByRole("article", { name: "Agent" });
            await agent.getByText("w3").waitFor();
            assert.ok(!(await agent.innerText()).includes("w29"), "it is seen before it is whole");
            await page.getByText("Steer the turn under way").waitFor();
            await agent.getByText("w29").waitFor();
            await page.locator(".run-head .is-idle").waitFor();
            assert.match(await agent.innerText(), /<img src=x/);
            await agent.getByRole("link", { name: "graph of the turn" }).click();
            await page.locator(".run-head .is-completed").waitFor();
            await page.locator("g.node").first().waitFor();
          }),
      );

      await t.step(
        "what is said while it works steers it, and Stop ends the turn",
        () =>
          withPage(hub, browser, async (page) => {
            const { body: { id } } = await hub.api("POST", "/api/sessions", {
              body: { model: "fast", title: "Steered" },
            });
            await signIn(page, hub.key);
            await at(page, `#/sessions/${id}`);
            fake.fail({ kind: "slow-chunks", ms: 60 });
            await page.getByLabel("Say something").fill(`say:${"w ".repeat(300)}`);
            await page.getByRole("button", { name: "Send" }).click();
            await page.getByLabel("Steer the turn under way").fill("say:otherwise");
            await page.keyboard.press("Control+Enter");
            await page.getByRole("article", { name: "You" }).filter({ hasText: "say:otherwise" }).waitFor();
            assert.equal((await sessionOf(page.url()))["status"], "busy");
            await page.getByRole("button", { name: "Stop" }).click();
            await page.getByLabel("Say something").waitFor();
            const { body } = await hub.api<{ items: { status: string }[] }>("GET", `/api/sessions/${id}/turns`);
            assert.deepEqual(
              body.items.map(({ status }) => status),
              ["stopped"],
            );
          }),
      );

      await t.step("a tool that is asked about is allowed, or denied", async () => {
        for (const [answer, wanted] of [["Allow", "done"], ["Deny", "denied"]] as const) {
          await withPage(hub, browser, async (page) => {
            fake.script({ text: "May I?", toolCalls: [{ name: "demo_wipe", arguments: "{}" }] });
            const { body: { id } } = await hub.api("POST", "/api/sessions", {
              body: { role: "careful", model: "fast", prompt: "clean up" },
            });
            await signIn(page, hub.key);
            await at(page, `#/sessions/${id}`);
            const tool = page.locator("details.tool");
            await tool.getByText("waits for you").waitFor();
            assert.deepEqual(await findings(page), []);
            if (SHOTS !== undefined) {
              await page.screenshot({ path: `${SHOTS}/session.png` });
            }
            await tool.getByRole("button", { name: answer }).click();
            await tool.getByText(wanted).waitFor();
            await page.locator(".run-head .is-idle").waitFor();
          });
        }
      });

      await t.step(
        "a fork from what the agent said has what was said until then",
        () =>
          withPage(hub, browser, async (page) => {
            const { body: { id } } = await hub.api("POST", "/api/sessions", {
              body: { model: "fast", prompt: "say:first" },
            });
            await until(
              "the turn is over",
              async () => (await hub.api("GET", `/api/sessions/${id}`)).body["status"] === "idle",
            );
            await hub.api("POST", `/api/sessions/${id}/messages`, {
              body: { text: "say:second" },
              headers: { prefer: "wait=20" },
            });
            await signIn(page, hub.key);
            await at(page, `#/sessions/${id}`);
            await page.getByRole("article", { name: "Agent" }).nth(1).waitFor();
            await page.getByRole("article", { name: "Agent" }).first().getByRole("button", { name: "Fork from here" })
              .click();
            await page.getByRole("link", { name: "The session that it was forked from" }).waitFor();
            await loaded(page);
            assert.deepEqual(await page.getByRole("article").locator(".prose").allInnerTexts(), ["say:first", "first"]);
          }),
      );

      await t.step("sessions are found by what was said in them", () =>
        withPage(hub, browser, async (page) => {
          await signIn(page, hub.key);
          await at(page, "#/sessions?q=otherwise");
          await page.getByRole("link", { name: "Steered" }).waitFor();
          assert.equal(await page.locator("tbody tr").count(), 1);
        }));

      for (const colorScheme of ["light", "dark"] as const) {
        await t.step(
          `nothing that axe-core finds, in ${colorScheme} colours, also on a small screen`,
          () =>
            withPage(hub, browser, async (page) => {
              await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
              await signIn(page, hub.key);
              await at(page, "#/sessions");
              await loaded(page);
              const session = await page.locator("td a[href^='#/sessions/']").first().getAttribute("href");
              for (const [width, name] of [[1280, "wide"], [390, "small"]] as const) {
                await page.setViewportSize({ width, height: 844 });
                for (const place of ["#/sessions", session ?? "", "#/roles", "#/clients", "#/audit"]) {
                  await at(page, place);
                  await loaded(page);
                  assert.deepEqual(await findings(page), [], `${place} ${name}`);
                  const spill = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
                  assert.equal(spill, 0, `${place} is wider than a ${name} screen`);
                  if (SHOTS !== undefined) {
                    const file = place.replaceAll(/[^a-z]+/g, "_").slice(0, 12);
                    await page.screenshot({ path: `${SHOTS}/${file}-${colorScheme}-${name}.png` });
                  }
                }
              }
            }),
        );
      }

      await t.step("a key without the scope is told so", () =>
        withPage(hub, browser, async (page) => {
          const made = await hub.api<{ key: string }>("POST", "/api/keys", {
            body: { name: "r", scopes: ["run:read"] },
          });
          await signIn(page, made.body.key);
          await at(page, "#/sessions");
          await page.getByRole("alert").first().waitFor();
        }));
    } finally {
      await browser.close();
    }
  },
);
