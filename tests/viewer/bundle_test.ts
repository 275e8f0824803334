import assert from "node:assert/strict";
import { bundleViewer } from "../support/bundle_viewer.ts";

const DIST = new URL("../../src/viewer/dist/viewer.js", import.meta.url);
/** Of the script as it goes over the wire, compressed. */
const MAX_KIB = 60;

Deno.test("the page's bundle is what its sources say: run `deno task viewer` when it is not", async () => {
  const fresh = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await bundleViewer(fresh);
    assert.ok(await Deno.readTextFile(fresh) === await Deno.readTextFile(DIST), "src/viewer/dist/viewer.js is stale");
  } finally {
    await Deno.remove(fresh);
  }
});

Deno.test(`the page's script stays under ${MAX_KIB} KiB compressed`, async () => {
  const file = await Deno.readFile(DIST);
  const packed = new Blob([file]).stream().pipeThrough(new CompressionStream("gzip"));
  const { byteLength } = await new Response(packed).arrayBuffer();
  assert.ok(byteLength < MAX_KIB * 1024, `${byteLength} bytes`);
});
