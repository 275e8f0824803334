import type { Cli } from "./cli.ts";
import { CliError, ExitCode, usageError } from "./cli_error.ts";
import { type Command, type CommandGroup, isGroup } from "./command.ts";
import { accountsCommands, orgsCommands } from "./commands/accounts.ts";
import { approvalsCommands } from "./commands/approvals.ts";
import { auditCommand } from "./commands/audit.ts";
import { budgetsCommands, usageCommand } from "./commands/budgets.ts";
import { complete } from "./complete.ts";
import { configCommands } from "./commands/config.ts";
import { coordCommands } from "./commands/coord.ts";
import { completionsCommand } from "./commands/completions.ts";
import { deadLettersCommands } from "./commands/dead_letters.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { graphCommand } from "./commands/graph.ts";
import { holdsCommands } from "./commands/holds.ts";
import { inferenceCommands } from "./commands/inference.ts";
import { initCommand } from "./commands/init.ts";
import { keyringCommands } from "./commands/keyring.ts";
import { keysCommands } from "./commands/keys.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { limitsCommands } from "./commands/limits.ts";
import { operationsCommands } from "./commands/operations.ts";
import { rolesCommands } from "./commands/roles.ts";
import { runCommand } from "./commands/run.ts";
import { runsCommands } from "./commands/runs.ts";
import { schedulesCommands } from "./commands/schedules.ts";
import { sessionsCommands } from "./commands/sessions.ts";
import { serveCommand } from "./commands/serve.ts";
import { spokeCommands } from "./commands/spoke_dev.ts";
import { spokesCommands } from "./commands/spokes.ts";
import { tasksCommands } from "./commands/tasks.ts";
import { typesCommand } from "./commands/types.ts";
import { clientsCommands } from "./commands/clients.ts";
import { webhooksCommands } from "./commands/webhooks.ts";
import { workflowsCommands } from "./commands/workflows.ts";
import { processCli } from "./process_cli.ts";
import { nearestName } from "@alkdev/flowgraph";
import { parseCommandLine } from "./parse_args.ts";
import { commandHelp, groupHelp } from "./help.ts";

/** All commands. */
export const HUB: CommandGroup = {
  name: "hub",
  summary: "A workflow engine: runs TSX workflows on this machine and on spokes",
  commands: [
    initCommand,
    serveCommand,
    demoCommand,
    migrateCommand,
    runCommand,
    runsCommands,
    approvalsCommands,
    sessionsCommands,
    deadLettersCommands,
    graphCommand,
    workflowsCommands,
    schedulesCommands,
    webhooksCommands,
    clientsCommands,
    inferenceCommands,
    operationsCommands,
    typesCommand,
    spokesCommands,
    spokeCommands,
    limitsCommands,
    holdsCommands,
    budgetsCommands,
    usageCommand,
    keysCommands,
    accountsCommands,
    orgsCommands,
    rolesCommands,
    tasksCommands,
    coordCommands,
    configCommands,
    keyringCommands,
    auditCommand,
    doctorCommand,
    completionsCommand,
  ],
};

/** Runs a command line and gives its exit code; what goes wrong is told on stderr, with what to do about it. */
export async function runCli(words: readonly string[], cli: Cli): Promise<ExitCode> {
  if (words[0] === "complete") { // asked by shells: see `hub completions`
    for (const word of await complete(HUB, words.slice(1), cli)) cli.out(word);
    return ExitCode.OK;
  }
  try {
    return await dispatch(HUB, words, cli);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    cli.err(`${cli.style.red("error:")} ${error.message}`);
    if (error.hint !== null) cli.err(`${cli.style.cyan("hint:")} ${error.hint}`);
    return error.exitCode;
  }
}

async function dispatch(root: CommandGroup, words: readonly string[], cli: Cli): Promise<ExitCode> {
  let command: Command | CommandGroup = root;
  let path = root.name;
  let rest = words;
  while (isGroup(command)) {
    const [word, ...others] = rest;
    if (word === undefined || word === "--help" || word === "-h" || word === "help") {
      (word === undefined ? cli.err : cli.out)(groupHelp(command, path, cli.style));
      return word === undefined ? ExitCode.USAGE : ExitCode.OK;
    }
    const found: Command | CommandGroup | undefined = command.commands.find(({ name }) => name === word);
    if (found === undefined) throw unknownCommand(word, path, command);
    command = found;
    path = `${path} ${word}`;
    rest = others;
  }
  const args = parseCommandLine(command, rest, path);
  if (args.flag("help")) {
    cli.out(commandHelp(command, path, cli.style));
    return ExitCode.OK;
  }
  return await command.run(args, cli);
}

function unknownCommand(word: string, path: string, group: CommandGroup): CliError {
  const nearest = nearestName(word, group.commands.map(({ name }) => name));
  const hint = nearest === undefined ? `See \`${path} --help\`` : `Did you mean \`${path} ${nearest}\`?`;
  return usageError(`There is no command \`${path} ${word}\``, hint);
}

if (import.meta.main) Deno.exit(await runCli(Deno.args, processCli(Deno.args)));
