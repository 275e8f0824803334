import { join } from "node:path";
import { outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { openHub } from "../hub_client.ts";
import { projectConfig } from "../project_config.ts";

/** The declarations' name in a project. */
const TYPES_FILE = "hub_types.d.ts";

/** `hub types` */
export const typesCommand: Command = {
  name: "types",
  summary: "TypeScript declarations of what templates may call",
  options: {
    out: { type: "text", short: "o", value: "FILE", description: "Where to write them (default: stdout)" },
    project: {
      type: "text",
      value: "DIR",
      description: `Write them into this folder as ${TYPES_FILE}, and a deno.json that uses them if there is none`,
    },
    ...HUB_OPTIONS,
  },
  examples: ["hub types --out hub_types.d.ts", "hub types --project ~/workflows"],
  async run(args, cli) {
    const [out, project] = [args.text("out"), args.text("project")];
    if (out !== undefined && project !== undefined) throw usageError("Give one of --out and --project, not both");
    const declared = await (await openHub(args, cli)).text("/api/types");
    if (out === undefined && project === undefined) {
      if (args.flag("json")) outJson(cli, { declarations: declared });
      else cli.out(declared.trimEnd());
      return ExitCode.OK;
    }
    const files = project === undefined ? [out ?? TYPES_FILE] : [join(project, TYPES_FILE)];
    await Deno.writeTextFile(files[0] ?? TYPES_FILE, declared);
    if (project !== undefined && await writeConfig(join(project, "deno.json"))) files.push(join(project, "deno.json"));
    if (args.flag("json")) outJson(cli, { files });
    else for (const file of files) cli.err(`Wrote ${file}`);
    return ExitCode.OK;
  },
};

/** False: there is one, which is left as it is. */
async function writeConfig(path: string): Promise<boolean> {
  const text = JSON.stringify(await projectConfig(`./${TYPES_FILE}`), null, 2);
  try {
    await Deno.writeTextFile(path, `${text}\n`, { createNew: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}
