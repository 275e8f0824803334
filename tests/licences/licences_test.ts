import assert from "node:assert/strict";
import { cachedLicence, isAllowed, listedPackages, lockedPackages, npmCache } from "./licences.ts";

const root = new URL("../../", import.meta.url);

Deno.test("docs/licences.md lists what deno.lock does, and each licence is allowed", async () => {
  const locked = lockedPackages(await Deno.readTextFile(new URL("deno.lock", root)));
  const listed = listedPackages(await Deno.readTextFile(new URL("docs/licences.md", root)));
  const names = listed.map(({ name, version }) => `${name}@${version}`);
  const hint = "run `deno install && deno task licences` and commit docs/licences.md";
  assert.deepEqual(names.filter((name) => !locked.includes(name)), [], `Listed, but not in deno.lock: ${hint}`);
  assert.deepEqual(locked.filter((name) => !names.includes(name)), [], `In deno.lock, but not listed: ${hint}`);
  assert.ok(listed.length > 100, "a list of nothing proves nothing");
  const refused = listed.filter(({ licence }) => !isAllowed(licence));
  assert.deepEqual(refused, [], "A licence is not on the list of tests/licences/licences.ts");
});

Deno.test("docs/licences.md says of each package what its package.json says", async () => {
  const cache = await npmCache();
  let read = 0;
  for (const { name, version, licence } of listedPackages(await Deno.readTextFile(new URL("docs/licences.md", root)))) {
    // Some are loaded by other tests only; a version's licence does not change once it is listed.
    const said = await cachedLicence(cache, `${name}@${version}`);
    if (said === null) continue;
    read++;
    assert.equal(licence, said, `${name}@${version}: run \`deno task licences\``);
  }
  assert.ok(read > 0, "no package was in the cache");
});

Deno.test("isAllowed() takes a licence that is listed, a choice with one, and nothing else", () => {
  for (const good of ["MIT", "(MIT OR GPL-3.0)", "GPL-2.0 OR Apache-2.0", "MIT AND ISC"]) {
    assert.ok(isAllowed(good), good);
  }
  for (const bad of ["", "GPL-3.0", "MIT AND GPL-3.0", "UNLICENSED", "SEE LICENSE IN x", "MIT OR (A AND B) OR C)"]) {
    assert.ok(!isAllowed(bad), bad);
  }
});

Deno.test("lockedPackages() reads names and versions, peers or not, each once", () => {
  const npm = { "a@1.0.0_b@2.0.0": {}, "a@1.0.0_b@3.0.0": {}, "@s/c@0.1.0-rc.1": {} };
  assert.deepEqual(lockedPackages(JSON.stringify({ npm })), ["@s/c@0.1.0-rc.1", "a@1.0.0"]);
  assert.throws(() => lockedPackages(JSON.stringify({ npm, jsr: { "@std/x@1": {} } })), /@std\/x/);
});
