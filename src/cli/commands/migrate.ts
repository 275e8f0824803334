import { outJson } from "../cli.ts";
import { CliError, ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { loadHubProgram } from "../hub_program.ts";
import { readConfig, SERVE_OPTIONS, startLog, startOr } from "./serve.ts";

/** `hub migrate` */
export const migrateCommand: Command = {
  name: "migrate",
  summary: "Bring the database's schema up to date, without serving",
  options: SERVE_OPTIONS,
  async run(args, cli) {
    const config = await readConfig(args, cli);
    await startLog(config);
    const { migrateHub } = await loadHubProgram();
    if (migrateHub === undefined) throw new CliError("The schema is brought up to date when the hub starts");
    const applied = await startOr(() => migrateHub({ config }), config);
    if (args.flag("json")) outJson(cli, { applied });
    else if (applied.length === 0) cli.out("The schema is up to date");
    else for (const name of applied) cli.out(`Applied ${name}`);
    return ExitCode.OK;
  },
};
