import { dirname, join, resolve } from "node:path";
import { outJson } from "../cli.ts";
import { CliError, ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { projectFiles } from "../project_files.ts";

/** `hub init` */
export const initCommand: Command = {
  name: "init",
  summary: "Make a project: a first workflow, its test, and a spoke",
  positionals: [{ name: "directory", required: false, description: "Where; made if need be (default: .)" }],
  examples: ["hub init words && cd words && deno task test"],
  async run(args, cli) {
    const given = args.word("directory") ?? ".";
    const directory = resolve(given);
    const files = await projectFiles();
    await writeProject(directory, files);
    const next = [
      ...(given === "." ? [] : [`cd ${given}`]),
      "deno task test",
      "deno task start                          # in a terminal of its own",
      "deno task spoke                          # in another",
      "deno task hub run count_words --watch",
    ];
    if (args.flag("json")) {
      outJson(cli, { directory, files: [...files.keys()], next: next.map((line) => line.replace(/ +#.*/, "")) });
      return ExitCode.OK;
    }
    cli.out(`Made a project in ${directory}:`);
    for (const path of files.keys()) cli.out(`  ${path}`);
    cli.out("\nNext:");
    for (const line of next) cli.out(`  ${line}`);
    return ExitCode.OK;
  },
};

/** Nothing is written where one of the files is there already. @throws CliError */
async function writeProject(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  const there: string[] = [];
  for (const path of files.keys()) {
    if (await exists(join(directory, path))) there.push(path);
  }
  if (there.length > 0) throw taken(directory, there);
  for (const [path, text] of files) {
    const file = join(directory, path);
    try {
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeTextFile(file, text, { createNew: true });
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw taken(directory, [path]);
      const reason = error instanceof Error ? error.message : String(error);
      throw new CliError(`Cannot write "${file}": ${reason}`, {
        hint: "Name a folder that you may write",
        cause: error,
      });
    }
  }
}

/** A file, a folder or a link that leads nowhere: whatever takes the name. */
async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false; // a folder on the way that is a file is told when it is written
  }
}

function taken(directory: string, paths: readonly string[]): CliError {
  const names = paths.map((path) => `"${path}"`).join(", ");
  return new CliError(
    `Nothing is overwritten: ${names} ${paths.length === 1 ? "is" : "are"} in "${directory}" already`,
    {
      hint: "Name another folder: `hub init words`",
    },
  );
}
