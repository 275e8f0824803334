import { fileURLToPath } from "node:url";

/** Where this program's own packages are. */
const ROOT = new URL("../../", import.meta.url);

interface Config {
  readonly workspace: readonly string[];
  readonly imports: Readonly<Record<string, string>>;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

interface Member {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, string>>;
}

/**
 * The `deno.json` of a folder of templates: finds this installation's packages, and lets the type checker know what a hub's
 * templates may call from `types`, a file beside it.
 */
export async function projectConfig(types: string): Promise<object> {
  const { workspace, imports, compilerOptions }: Config = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const packages: Record<string, string> = {};
  for (const path of workspace) {
    const folder = new URL(`${path}/`, ROOT);
    const { name, exports }: Member = JSON.parse(await Deno.readTextFile(new URL("deno.json", folder)));
    if (name === undefined || exports === undefined) continue; // a part of the hub, which nobody imports
    for (const [subpath, file] of Object.entries(exports)) {
      packages[subpath === "." ? name : `${name}/${subpath.slice(2)}`] = fileURLToPath(new URL(file, folder));
    }
  }
  return {
    imports: { ...packages, ...imports },
    // The packages are checked along with the templates, and must be with the options they are written for.
    compilerOptions: { ...compilerOptions, isolatedDeclarations: false, noUnusedLocals: false, types: [types] },
  };
}
