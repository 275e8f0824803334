import { CliError, ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { findHub, HUB_OPTIONS } from "../find_hub.ts";
import { runDevSpoke } from "../spoke_dev/mod.ts";
import { aborted } from "./serve.ts";
import { checkCommand } from "./spoke_check.ts";

const dev: Command = {
  name: "dev",
  summary: "Run the reference spoke: files, git, commands and HTTP, each allow-listed",
  options: {
    name: { type: "text", value: "NAME", description: "Name of the spoke (default: dev)" },
    root: {
      type: "text",
      multiple: true,
      value: "DIR",
      description: "Folder it may work in; may be repeated (default: .)",
    },
    command: {
      type: "text",
      multiple: true,
      value: "NAME",
      description: "Command it may run; may be repeated (default: none)",
    },
    host: {
      type: "text",
      multiple: true,
      value: "HOST",
      description: "Host it may fetch from; may be repeated (default: none)",
    },
    "until-stdin-closes": { type: "flag", description: "Stop when stdin ends, as it does when a parent process dies" },
    ...HUB_OPTIONS,
  },
  examples: ["hub spoke dev --root . --command git --command deno"],
  async run(args, cli) {
    const { url, key } = await findHub(args, cli);
    if (key === null) throw usageError("A spoke wants a key", "Give one with --key or HUB_KEY_FILE");
    const roots = args.texts("root");
    const spoke = await runDevSpoke({
      url,
      key,
      roots: roots.length === 0 ? ["."] : roots,
      commands: args.texts("command"),
      hosts: args.texts("host"),
      name: args.text("name") ?? "dev",
    });
    cli.err(`Spoke "${args.text("name") ?? "dev"}" is connected to ${url}`);
    const stops = [aborted(cli.signal), ...(args.flag("until-stdin-closes") ? [stdinEnd()] : [])];
    const ended = await Promise.race([
      ...stops.map((stop) => stop.then(() => "asked")),
      spoke.closed.then(() => "closed"),
    ]);
    if (ended === "closed") throw new CliError(`The hub at ${url} closed the connection for good`);
    await spoke.drain();
    return ExitCode.OK;
  },
};

async function stdinEnd(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
}

/** `hub spoke …` */
export const spokeCommands: CommandGroup = {
  name: "spoke",
  summary: "Run a spoke here, or check one",
  commands: [dev, checkCommand],
};
