import { fileURLToPath } from "node:url";
import { projectConfig } from "./project_config.ts";

/** What a new project begins as: a project that the tests run where it stands. */
const MODEL = new URL("../../examples/project/", import.meta.url);
const COPIED = [
  "README.md",
  "workflows/count_words.tsx",
  "workflows/count_words_test.ts",
  "spoke/operations.ts",
  "spoke/main.ts",
] as const;

const TYPES_FILE = "hub_types.d.ts";
const NO_TYPES = `// What templates may call: \`deno task types\` writes it, with the hub and its spokes up.
export {};
`;

/** Every file of a new project, by its path in it. */
export async function projectFiles(): Promise<ReadonlyMap<string, string>> {
  const copied = await Promise.all(
    COPIED.map(async (path): Promise<[string, string]> => [path, await Deno.readTextFile(new URL(path, MODEL))]),
  );
  const config = { tasks: tasks(), ...await projectConfig(`./${TYPES_FILE}`) };
  return new Map([
    ["deno.json", `${JSON.stringify(config, null, 2)}\n`],
    [".gitignore", ".hub/\n*.key\n"],
    [TYPES_FILE, NO_TYPES],
    ...copied,
  ]);
}

/** What is done in a project, with this installation's own settings and program. */
function tasks(): Readonly<Record<string, string>> {
  const installed = (path: string) => shellWord(fileURLToPath(new URL(`../../${path}`, import.meta.url)));
  const program = `--config ${installed("deno.json")} ${installed("src/cli/main.ts")}`;
  const allowed = "--no-prompt --deny-import --allow-net --allow-env --allow-read --allow-write";
  return {
    start: `HUB_WORKFLOWS=workflows deno run ${allowed} ${program} serve`,
    spoke: "deno run --no-prompt --allow-net --allow-env --allow-read spoke/main.ts",
    hub: `deno run -A ${program}`,
    test: "deno test --allow-read workflows",
    check: "deno check workflows spoke",
    types: `deno run -A ${program} types --out ${TYPES_FILE}`,
  };
}

/** As the shell of `deno task` reads it: nothing between single quotes is special. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}
