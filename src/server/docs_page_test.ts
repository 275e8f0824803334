import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fakeWorld } from "./_fakes.ts";

Deno.test("/docs has every route and every schema that it names, and links that lead somewhere", async () => {
  const { app } = fakeWorld();
  const page = await (await app.request("/docs")).text();
  for (const { name, path, method } of app.routes) {
    const article = page.split(`<article class="route" id="${name}"`)[1]?.split("</article>")[0];
    assert.ok(article?.includes(`${method}</span> <code>${path}</code>`), name);
  }
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, "ids are unique");
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? "");
  assert.ok(targets.length > 100, `${targets.length} links`);
  assert.deepEqual(targets.filter((id) => !ids.includes(id)), []);
  assert.match(page, /id="schema-RunView"[\s\S]*<b>lastSeq<\/b>: integer/);
});

Deno.test("/docs loads nothing, and its policy allows its own style and script only", async () => {
  const { app } = fakeWorld();
  const response = await app.request("/docs");
  const policy = response.headers.get("content-security-policy") ?? "";
  const page = await response.text();
  assert.match(policy, /^default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*|'self'/);
  for (const element of ["style", "script"]) {
    const blocks = [...page.matchAll(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, "g"))];
    assert.equal(blocks.length, 1);
    const hash = createHash("sha256").update(blocks[0]?.[1] ?? "").digest("base64");
    assert.ok(policy.includes(`${element}-src 'sha256-${hash}'`), element);
  }
  assert.deepEqual(page.match(/\s(src|style|on[a-z]+)=|href="https?:|@import|url\(/g), null);
});
