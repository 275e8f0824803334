import assert from "node:assert/strict";
import { viewerRoutes } from "./mod.ts";
import { fakeWorld } from "./_fakes.ts";

Deno.test("viewerRoutes() serve a page that may load only its own files, which are kept for ever", async () => {
  const body = new TextEncoder().encode("console.log(1)");
  const assets = new Map([["viewer.1.js", { body, contentType: "text/javascript" }]]);
  const { app } = fakeWorld({}, { routes: viewerRoutes({ script: "viewer.1.js", style: "viewer.2.css", assets }) });
  const page = await app.request("/");
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  const text = await page.text();
  assert.doesNotMatch(text, /https?:\/\/|<script>|style=|onload=/);
  assert.match(text, /src="\/assets\/viewer\.1\.js"/);
  const asset = await app.request("/assets/viewer.1.js");
  assert.equal(await asset.text(), "console.log(1)");
  assert.match(asset.headers.get("cache-control") ?? "", /immutable/);
  assert.equal((await app.request("/assets/viewer.0.js")).status, 404);
  assert.equal((await app.request("/assets/..%2fmain.ts")).status, 404);
});
