/**
 * The pictures of the page that the documentation shows: `deno run -A tests/viewer/take_pictures.ts` takes them again, from a real
 * hub with a workflow that lasts long enough to be seen at work.
 */
import { at, launch, loaded, nodeOf, signIn, withPage } from "./_browser.ts";
import { container, operation, startHubProcess } from "../e2e/_hub_process.ts";

const IMAGES = new URL("../../docs/images/", import.meta.url).pathname;
const FILES = Array.from({ length: 48 }, (_, n) => `src/file_${n}.ts`);

const TEMPLATE = container("sequential", [
  operation("core.echo", "checkout", { value: { $ref: "input.files" } }),
  container("parallel", [
    operation("core.echo", "lint", { value: "clean" }),
    operation("core.echo", "types", { value: "clean" }),
    container("map", [operation("core.echo", "test", { value: { $ref: "item" } })], {
      key: "each_file",
      over: { $ref: "nodes.checkout.value" },
      as: "item",
    }),
  ]),
  operation("core.echo", "build", { value: { $ref: "nodes.checkout" } }),
  container("parallel", [
    operation("core.echo", "smoke_test", { value: { $ref: "nodes.build" } }),
    {
      type: "approval",
      props: {
        key: "ask_release",
        name: "ask_release",
        question: "Release it?",
        schema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
      },
    },
  ]),
  operation("core.echo", "publish", { value: { $ref: "nodes.ask_release" } }),
  operation("core.echo", "announce", { value: { $ref: "nodes.publish" } }),
]);

async function main(): Promise<void> {
  await Deno.mkdir(IMAGES, { recursive: true });
  await using hub = await startHubProcess();
  const put = await hub.api("PUT", "/api/workflows/release", { body: { template: TEMPLATE } });
  if (put.status >= 300) throw new Error(JSON.stringify(put.body));
  const { body: { id } } = await hub.api("POST", "/api/workflows/release/runs", {
    body: { input: { commit: "a1b2c3d", files: FILES }, labels: { branch: "main" } },
  });
  const browser = await launch();
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      await withPage(hub, browser, async (page) => {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width: 1280, height: 860 });
        await signIn(page, hub.key);
        await loaded(page);
        await at(page, `#/runs/${id}`);
        await nodeOf(page, "ask_release", "waiting").waitFor();
        await page.screenshot({ path: `${IMAGES}run-${colorScheme}.png` });
      });
    }
  } finally {
    await browser.close();
  }
}

if (import.meta.main) await main();
