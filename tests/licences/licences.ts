/** The packages of deno.lock and their licences, as docs/licences.md lists them. */

/** One package that is locked. */
export interface LicensedPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json says: an SPDX expression, or "" where it says nothing. */
  readonly licence: string;
}

/** What may be used in a product under MIT or Apache-2.0 without more than keeping the notices. */
export const ALLOWED_LICENCES: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  // Copyleft of its own files only; axe-core, which the tests use as it is.
  "MPL-2.0",
  "PostgreSQL",
  "Python-2.0",
  "Unlicense",
];

const ROW = /^\| `([^`]+)`\s*\| ([^|\s]+)\s*\| ([^|]*?)\s*\|$/gm;

/** `name@version` of every npm package in the text of a deno.lock, in order, each once. */
export function lockedPackages(lock: string): readonly string[] {
  const { npm = {}, jsr = {}, remote = {} } = JSON.parse(lock) as Record<string, Record<string, unknown> | undefined>;
  const others = [...Object.keys(jsr), ...Object.keys(remote)];
  if (others.length > 0) throw new Error(`Cannot tell the licence of ${others[0]}: wanted npm packages only`);
  // Behind the version are, after "_", the versions of peers.
  return [...new Set(Object.keys(npm).map((key) => /^@?[^@]+@[^_]+/.exec(key)![0]))].sort();
}

/** The packages that the text of docs/licences.md lists. */
export function listedPackages(text: string): readonly LicensedPackage[] {
  return [...text.matchAll(ROW)].map(([, name = "", version = "", licence = ""]) => ({ name, version, licence }));
}

/** Whether a licence expression leaves a choice that is allowed: `MIT`, `(GPL-2.0 OR MIT)`, `MIT AND ISC`. */
export function isAllowed(expression: string): boolean {
  const text = expression.trim().replace(/^\((.*)\)$/, "$1");
  if (/[()]/.test(text)) return false;
  return text.split(" OR ").some((choice) =>
    choice.split(" AND ").every((licence) => ALLOWED_LICENCES.includes(licence.trim()))
  );
}

/** The licence that the package in Deno's cache says it has; null: it is not there. */
export async function cachedLicence(cache: string, specifier: string): Promise<string | null> {
  const at = specifier.lastIndexOf("@");
  for await (const registry of Deno.readDir(cache)) {
    const path = `${cache}/${registry.name}/${specifier.slice(0, at)}/${specifier.slice(at + 1)}/package.json`;
    const text = await Deno.readTextFile(path).catch(() => null);
    if (text !== null) return licenceOf(JSON.parse(text));
  }
  return null;
}

/** Where Deno keeps the npm packages that it has loaded. */
export async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stderr: "null" }).output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { readonly npmCache: string }).npmCache;
}

/** docs/licences.md for these packages, before it is formatted. */
export function licencesPage(packages: readonly LicensedPackage[]): string {
  const counts = new Map<string, number>();
  for (const { licence } of packages) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const sums = [...counts].sort(([, a], [, b]) => b - a).map(([licence, count]) => `${count} ${licence}`);
  return [
    "# Licences",
    "",
    "Every package that `deno.lock` names, those of the tests included, with the licence that its `package.json` gives.",
    `There are ${packages.length}: ${sums.join(", ")}.`,
    "",
    "`deno task licences` writes this page; `tests/licences` fails where it is not what the lock says, and where a",
    `licence is none of ${ALLOWED_LICENCES.join(", ")}.`,
    "",
    "| package | version | licence |",
    "|---|---|---|",
    ...packages.map(({ name, version, licence }) => `| \`${name}\` | ${version} | ${licence} |`),
    "",
  ].join("\n");
}

function licenceOf({ license, licenses }: { readonly license?: unknown; readonly licenses?: unknown }): string {
  if (typeof license === "string") return license;
  const listed = [license, licenses].flat().filter((entry) => typeof entry === "object" && entry !== null);
  return listed.map((entry) => String((entry as { readonly type?: unknown }).type)).join(" OR ");
}
