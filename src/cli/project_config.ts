import { fileURLToPath } from "node:url";

/** Where this program's own packages are. */
const ROOT = new URL("../../", import.meta.url);

interface Member {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
}

/**
 * The `deno.json` of a folder of templates: finds this installation's packages, and lets the type checker know what a hub's
 * templates may call from `types`, a file beside it.
 */
export async function projectConfig(types: string): Promise<object> {
  const { workspace, imports }: { workspace: readonly string[]; imports: Readonly<Record<string, string>> } = JSON
    .parse(
      await Deno.readTextFile(new URL("deno.json", ROOT)),
    );
  const packages: Record<string, string> = {};
  for (const path of workspace) {
    const folder = new URL(`${path}/`, ROOT);
    const { name, exports }: Member = JSON.parse(await Deno.readTextFile(new URL("deno.json", folder)));
    for (const [subpath, file] of Object.entries(exports)) {
      packages[subpath === "." ? name : `${name}/${subpath.slice(2)}`] = fileURLToPath(new URL(file, folder));
    }
  }
  return {
    imports: { ...packages, ...imports },
    compilerOptions: { strict: true, jsx: "react-jsx", jsxImportSource: "@alkdev/flowgraph", types: [types] },
  };
}
