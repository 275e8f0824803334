/** `deno task licences`: writes docs/licences.md from deno.lock and the packages in Deno's cache. */
import { cachedLicence, licencesPage, lockedPackages, npmCache } from "./licences.ts";

const root = new URL("../../", import.meta.url);
const cache = await npmCache();
const packages = await Promise.all(
  lockedPackages(await Deno.readTextFile(new URL("deno.lock", root))).map(async (specifier) => {
    const licence = await cachedLicence(cache, specifier);
    if (licence === null) throw new Error(`Package ${specifier} is not in Deno's cache: run \`deno install\` first`);
    const at = specifier.lastIndexOf("@");
    return { name: specifier.slice(0, at), version: specifier.slice(at + 1), licence };
  }),
);
const page = new URL("docs/licences.md", root);
await Deno.writeTextFile(page, licencesPage(packages));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", page.pathname], cwd: root }).output();
console.log(`docs/licences.md lists ${packages.length} packages`);
