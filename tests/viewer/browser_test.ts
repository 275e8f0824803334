/** The page in Debian's Chromium, against a real hub. Not run, and it says so, where there is no Chromium. */
import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import { startHubProcess } from "../e2e/_hub_process.ts";
import { at, findings, hasChromium, HOSTILE, launch, loaded, nodeOf, signIn, withPage } from "./_browser.ts";

const TEMPLATE = {
  type: "sequential",
  children: [
    {
      type: "operation",
      props: { name: "core.echo", key: "gather", title: HOSTILE, input: { value: { $ref: "input.items" } } },
    },
    {
      type: "map",
      props: { key: "each", over: { $ref: "nodes.gather.value" }, as: "item" },
      children: [{
        type: "operation",
        props: { name: "core.echo", key: "measure", input: { value: { $ref: "item" } } },
      }],
    },
    {
      type: "approval",
      props: {
        key: "ask",
        name: "ask",
        question: `Publish? ${HOSTILE}`,
        schema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
      },
    },
    { type: "operation", props: { name: "core.echo", key: "publish", input: { value: { $ref: "nodes.ask" } } } },
  ],
};
const INPUT = {
  type: "object",
  properties: {
    items: { type: "array", items: { type: "number" }, default: [1, 2, 3] },
    channel: { type: "string", enum: ["stable", "beta"], default: "beta" },
  },
};

Deno.test({ name: "the page", ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false }, async (t) => {
  await using hub = await startHubProcess();
  const put = await hub.api("PUT", "/api/workflows/release", {
    body: { template: TEMPLATE, inputSchema: INPUT, title: HOSTILE },
  });
  assert.equal(put.status, 200);
  const failing = {
    type: "operation",
    props: { name: "core.fail", key: "no", input: { code: "NOPE", message: HOSTILE } },
  };
  await hub.api("PUT", "/api/workflows/failing", { body: { template: failing } });
  await hub.api("POST", "/api/workflows/failing/runs", { body: {}, headers: { prefer: "wait=5" } });
  const browser = await launch();
  try {
    await t.step(
      "refuses a wrong key in words, and keeps a right one for the tab only",
      () =>
        withPage(hub, browser, async (page) => {
          await signIn(page, "wrong");
          await page.getByText("The hub does not know this key.").waitFor();
          await signIn(page, hub.key);
          await page.getByRole("heading", { name: "Runs" }).waitFor();
          assert.equal(await page.evaluate("JSON.stringify(localStorage)"), "{}");
          await page.getByRole("button", { name: "Sign out" }).click();
          await page.getByLabel("API key").waitFor();
          assert.equal(await page.evaluate("JSON.stringify(sessionStorage)"), "{}");
        }),
    );

    await t.step(
      "starts a run from its form, shows it live, answers what it asks, and looks back",
      () =>
        withPage(hub, browser, async (page) => {
          await signIn(page, hub.key);
          await page.getByRole("link", { name: "Workflows" }).click();
          await page.getByRole("link", { name: "release", exact: true }).click();
          await page.getByLabel("channel").selectOption({ label: "stable" });
          await page.getByRole("button", { name: "Start", exact: true }).click();
          await nodeOf(page, "ask", "waiting").waitFor();
          await nodeOf(page, "measure[2]", "completed").waitFor();
          await nodeOf(page, "publish", "idle").waitFor();
          const answer = page.getByRole("form", { name: /^Answer ask of/ });
          await answer.getByLabel("ok").check();
          await answer.getByRole("button", { name: "Answer" }).click();
          await nodeOf(page, "publish", "completed").waitFor();
          await page.locator(".run-head .is-completed").waitFor();
          const id = new URL(page.url()).hash.split("/").at(-1);
          const { body } = await hub.api<{ output: unknown; input: unknown }>("GET", `/api/runs/${id}`);
          assert.deepEqual(body.output, { value: { ok: true } });
          assert.deepEqual(body.input, { items: [1, 2, 3], channel: "stable" });
          await page.getByRole("slider").fill("2");
          await nodeOf(page, "publish", "idle").waitFor();
          await page.getByRole("button", { name: "Now" }).click();
          await nodeOf(page, "publish", "completed").click();
          await page.getByRole("region", { name: "Output of the node" }).getByText(`"ok": true`).waitFor();
          await page.getByRole("button", { name: "Rerun from publish" }).click();
          await page.getByText("rerun of").waitFor();
          await nodeOf(page, "publish", "completed").waitFor();
        }),
    );

    await t.step("forks with edited input, pauses, resumes and aborts", () =>
      withPage(hub, browser, async (page) => {
        const { body: { id } } = await hub.api("POST", "/api/workflows/release/runs", {
          body: { input: { items: [5] } },
        });
        await signIn(page, hub.key);
        await at(page, `#/runs/${id}`);
        await page.getByRole("button", { name: "Fork…" }).click();
        await page.getByLabel("Input (JSON)").fill(`{"items": [7, 8]}`);
        await page.getByRole("button", { name: "Fork", exact: true }).click();
        await page.getByText("fork of").waitFor();
        await page.getByRole("button", { name: "Pause" }).click();
        await page.locator(".run-head .is-paused").waitFor();
        await page.getByRole("button", { name: "Resume" }).click();
        await page.locator(".run-head .is-running").waitFor();
        page.once("dialog", (dialog) => void dialog.accept());
        await page.getByRole("button", { name: "Abort", exact: true }).click();
        await page.locator(".run-head .is-aborted").waitFor();
        assert.equal((await hub.api("GET", `/api/runs/${id}`)).body["status"], "running");
      }));

    await t.step("shows failed runs as dead letters, and discards them", () =>
      withPage(hub, browser, async (page) => {
        await signIn(page, hub.key);
        await at(page, "#/dead-letters");
        await page.getByText("NOPE").waitFor();
        await page.getByRole("button", { name: "Choose all" }).click();
        page.once("dialog", (dialog) => void dialog.accept());
        await page.getByRole("button", { name: "Discard" }).click();
        await page.getByText("No failed run waits").waitFor();
      }));

    await t.step(
      "moves a task of a board, and says what stands in the way of another",
      () =>
        withPage(hub, browser, async (page) => {
          await hub.api("POST", "/api/boards", { body: { name: "garden", title: "The garden" } });
          for (const [id, dependsOn] of [["dig", []], ["plant", ["dig"]]] as const) {
            const made = await hub.api("PUT", `/api/boards/garden/tasks/${id}`, {
              body: { name: `${id} ${HOSTILE}`, dependsOn, risk: "low", tags: ["spring"] },
            });
            assert.equal(made.status, 200, JSON.stringify(made.body));
          }
          await signIn(page, hub.key);
          await page.getByRole("link", { name: "Task boards" }).click();
          await page.getByRole("link", { name: "The garden" }).click();
          const column = (status: string): Locator => page.getByRole("region", { name: status, exact: true });
          await column("pending").getByRole("article", { name: /^plant/ }).getByText("after dig").waitFor();
          await page.getByLabel(/^Status of dig/).selectOption("in-progress");
          await column("in-progress").getByRole("article", { name: /^dig/ }).waitFor();
          assert.equal((await hub.api("GET", "/api/boards/garden/tasks/dig")).body["status"], "in-progress");
        }),
    );

    await t.step("is walked through with the keyboard", () =>
      withPage(hub, browser, async (page) => {
        await signIn(page, hub.key);
        const { body: { id } } = await hub.api("POST", "/api/workflows/release/runs", {
          body: { input: { items: [1] } },
        });
        await at(page, `#/runs/${id}`);
        await nodeOf(page, "ask", "waiting").focus();
        await page.keyboard.press("Enter");
        await page.locator(".inspector h2", { hasText: "ask" }).waitFor();
      }));

    for (const colorScheme of ["light", "dark"] as const) {
      await t.step(
        `has nothing that axe-core finds, in ${colorScheme} colours`,
        () =>
          withPage(hub, browser, async (page) => {
            await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
            assert.deepEqual(await findings(page), []);
            await signIn(page, hub.key);
            await page.getByRole("link", { name: "release", exact: true }).first().waitFor();
            const run = await page.locator("td a[href^='#/runs/']").first().getAttribute("href");
            const places = [
              "runs",
              "workflows",
              "workflows/release",
              "approvals",
              "dead-letters",
              "spokes",
              "schedules",
              "webhooks",
              "flow",
              "usage",
              "keys",
              "sessions",
              "boards",
              "boards/garden",
              "coordination",
              "roles",
              "clients",
              "accounts",
              "audit",
            ];
            for (const place of [...places.map((path) => `#/${path}`), run ?? ""]) {
              await at(page, place);
              await loaded(page);
              assert.deepEqual(await findings(page), [], place);
            }
          }),
      );
    }

    await t.step(
      "says what is wrong when a run is not there, and when the hub no longer takes the key",
      () =>
        withPage(hub, browser, async (page) => {
          const made = await hub.api<{ key: string; id: string }>("POST", "/api/keys", {
            body: { name: "short", scopes: ["run:read"] },
          });
          await signIn(page, made.body.key);
          await at(page, "#/runs/nothing");
          await page.getByText(`There is no run "nothing"`).waitFor();
          await at(page, "#/keys");
          await page.getByRole("alert").waitFor();
          const listed = await hub.api<{ items: { id: string; name: string }[] }>("GET", "/api/keys");
          const id = listed.body.items.find(({ name }) => name === "short")?.id;
          await hub.api("POST", `/api/keys/${id}/revoke`, { body: {} });
          await at(page, "#/runs");
          await page.getByText("The hub no longer takes this key.").waitFor();
        }),
    );
  } finally {
    await browser.close();
  }
});
