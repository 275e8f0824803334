/**
 * Makes npm packages of the members in `packages/`, for runtimes other than Deno: `deno task pack [directory]`.
 *
 * `deno pack` translates the code; what it leaves to us is what an import map says: aliases, members of the workspace and
 * optional peers become dependencies in `package.json`.
 */

interface Member {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
}

const root = new URL("../../", import.meta.url).pathname;

/** Packages that only some subpaths need: who uses those brings them. */
const OPTIONAL_PEERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "@alkdev/keypal": { "drizzle-orm": "^0.45.0", "ioredis": "^5.0.0 || ^6.0.0" },
  "@alkdev/operations": {
    "@modelcontextprotocol/sdk": "^1.30.0",
    "@valibot/to-json-schema": "^1.3.0",
    "valibot": "^1.1.0",
    "zod": "^4.0.0",
  },
  "@alkdev/pubsub": { "ioredis": "^5.0.0 || ^6.0.0" },
};

/** Packs every member of the workspace into `directory`. Returns the paths of the tarballs. */
export async function packPackages(directory: string): Promise<string[]> {
  const config: { workspace: string[]; imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${root}deno.json`),
  );
  const members: Member[] = [];
  for (const path of config.workspace) {
    const { name, version }: Partial<Member> = JSON.parse(await Deno.readTextFile(`${root}${path}/deno.json`));
    // A member without a name is a part of the hub with compiler options of its own.
    if (name !== undefined && version !== undefined) members.push({ name, version, directory: `${root}${path}` });
  }
  await Deno.mkdir(directory, { recursive: true });
  return await Promise.all(members.map((member) => pack(member, members, config.imports, directory)));
}

async function pack(
  member: Member,
  members: readonly Member[],
  imports: Readonly<Record<string, string>>,
  directory: string,
): Promise<string> {
  const work = await Deno.makeTempDir();
  const tarball = `${directory}/${member.name.replace("@", "").replace("/", "-")}-${member.version}.tgz`;
  try {
    const raw = `${work}/raw.tgz`;
    await run(Deno.execPath(), ["pack", "--allow-dirty", "--no-source-maps", "-o", raw], member.directory);
    await run("tar", ["-xzf", raw, "-C", work]);
    const content = `${work}/package`;
    const specifiers = await importedSpecifiers(content);
    const path = `${content}/package.json`;
    const manifest = JSON.parse(await Deno.readTextFile(path));
    const peers = OPTIONAL_PEERS[member.name] ?? {};
    const { dependencies: _guessed, ...rest } = manifest;
    const complete = {
      ...rest,
      description: await descriptionOf(member),
      engines: { node: ">=20" },
      sideEffects: false,
      dependencies: dependenciesOf(member, specifiers, members, imports, peers),
      ...(Object.keys(peers).length > 0 && {
        peerDependencies: peers,
        peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }])),
      }),
    };
    await Deno.writeTextFile(path, `${JSON.stringify(complete, null, 2)}\n`);
    for (const license of ["LICENSE-MIT", "LICENSE-APACHE"]) {
      await Deno.copyFile(root + license, `${content}/${license}`);
    }
    await run("tar", ["-czf", tarball, "-C", work, "package"]);
    return tarball;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The first sentence of the README. */
async function descriptionOf({ name, directory }: Member): Promise<string> {
  const text = await Deno.readTextFile(`${directory}/README.md`).catch(() => "");
  const paragraph = /^# .*\n+([^#\n][\s\S]*?)\n\n/.exec(text)?.[1]?.replaceAll("\n", " ") ?? name;
  return paragraph.replace(/(?<=\w)\. .*$/, "").replace(/\.$/, "");
}

/** Bare specifiers that the packed modules import. Takes tests and other untranslated files away. */
async function importedSpecifiers(directory: string): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) (await importedSpecifiers(path)).forEach((specifier) => found.add(specifier));
    else if (/(?<!\.d)\.tsx?$/.test(name)) await Deno.remove(path);
    else if (/\.(js|d\.ts)$/.test(name)) {
      // Examples in comments import too.
      const text = (await Deno.readTextFile(path)).replaceAll(/\/\*[\s\S]*?\*\//g, "");
      for (const [, specifier] of text.matchAll(/(?:\bfrom|^import|\bimport\()\s*["']([@\w][\w@/.:-]*)["']/gm)) {
        if (specifier !== undefined) found.add(specifier);
      }
    }
  }
  return found;
}

function dependenciesOf(
  member: Member,
  specifiers: ReadonlySet<string>,
  members: readonly Member[],
  imports: Readonly<Record<string, string>>,
  peers: Readonly<Record<string, string>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const specifier of [...specifiers].sort()) {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    if (name === member.name || name in peers || specifier.startsWith("node:")) continue;
    const sibling = members.find((other) => other.name === name);
    const target = /^npm:\/?((?:@[^/]+\/)?[^/@]+)@([^/]+)/.exec(imports[name] ?? imports[`${name}/`] ?? "");
    if (sibling !== undefined) found[name] = `^${sibling.version}`;
    else if (target === null) {
      throw new Error(`${member.name} imports "${specifier}", which the import map does not know`);
    } else found[name] = target[1] === name ? `^${target[2]}` : `npm:${target[1]}@^${target[2]}`;
  }
  return found;
}

async function run(command: string, args: string[], cwd?: string): Promise<void> {
  const options = { args, stdout: "piped", stderr: "piped", ...(cwd !== undefined && { cwd }) } as const;
  const { success, stderr } = await new Deno.Command(command, options).output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  for (const tarball of await packPackages(Deno.args[0] ?? `${root}dist`)) console.log(tarball);
}
