import { ConfigError, denoFiles, type HubConfig, loadConfig } from "../../config/mod.ts";
import { configureLogger, writeStderr } from "../../logger/mod.ts";
import type { Cli } from "../cli.ts";
import { CliError, ExitCode, usageError } from "../cli_error.ts";
import type { Command, OptionSpec, ParsedArgs } from "../command.ts";
import { loadHubProgram } from "../hub_program.ts";
import { missingPermissions } from "../missing_permissions.ts";
import { outliveTemplates } from "../outlive_templates.ts";
import { readWhole } from "./run.ts";

/** Options of the commands that run a hub themselves; each has its environment variable too. */
export const SERVE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  "data-dir": {
    type: "text",
    value: "DIR",
    description: "Keys and the embedded database (HUB_DATA_DIR, default .hub)",
  },
  host: { type: "text", value: "HOST", description: "Address to listen on (HUB_HOST, default 127.0.0.1)" },
  port: { type: "text", value: "PORT", description: "Port to listen on, 0 picks one (HUB_PORT, default 8787)" },
  "log-level": { type: "text", value: "LEVEL", description: "How much is logged (HUB_LOG, default info)" },
};

/** `hub serve` */
export const serveCommand: Command = {
  name: "serve",
  summary: "Serve the hub until SIGTERM or Ctrl-C",
  options: SERVE_OPTIONS,
  async run(args, cli) {
    const config = await readConfig(args, cli);
    await startLog(config);
    for (const program of missingPermissions(config.clients.commands)) {
      cli.err(`clients.commands lists "${program}", which Deno does not allow here: add --allow-run=${program}`);
    }
    const { startHub } = await loadHubProgram();
    using _ = outliveTemplates();
    const fenced = Promise.withResolvers<"fenced">();
    const hub = await startOr(() => startHub({ config, onFenced: () => fenced.resolve("fenced") }), config);
    cli.out(`listening on ${hub.url}`);
    if (hub.isNew) await showAdminKey(hub.adminKeyPath, cli);
    const ended = await Promise.race([fenced.promise, aborted(cli.signal)]);
    await hub.stop();
    if (ended !== "fenced") return ExitCode.OK;
    throw new CliError("Another hub has taken over this one's data directory", {
      hint: "Give each hub a data directory of its own with HUB_DATA_DIR",
    });
  },
};

/** On a terminal the first key is shown this once; what is not a terminal may be a log, where no key belongs. */
async function showAdminKey(path: string, cli: Cli): Promise<void> {
  if (cli.terminal) cli.err(`The administrator's key, shown this once: ${(await Deno.readTextFile(path)).trim()}`);
  cli.err(`The administrator's key is kept in ${path}`);
}

/** Starts a hub, and says what to do about what commonly hinders it. */
export async function startOr<T>(start: () => Promise<T>, config: HubConfig): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Deno.errors.AddrInUse) {
      throw new CliError(`Cannot listen on ${config.host}:${config.port}: the port is in use`, {
        hint: "Stop what listens there, or choose another port with --port or HUB_PORT (0 picks one)",
        cause: error,
      });
    }
    throw new CliError(`The hub cannot start: ${message}`, { hint: "See `hub doctor`", cause: error });
  }
}

/** Sets the log up as configured: to stderr. */
export async function startLog({ log }: HubConfig): Promise<void> {
  await configureLogger({ ...log, isTerminal: Deno.stderr.isTerminal(), write: writeStderr });
}

/** The hub's settings, the command line's before the environment's before the file's. */
export async function readConfig(args: ParsedArgs, cli: Cli): Promise<HubConfig> {
  const port = args.text("port");
  if (port !== undefined && (readWhole(port, "--port") < 0 || Number(port) > 65_535)) {
    throw usageError(`--port wants 0 to 65535: current value is "${port}"`);
  }
  const given = {
    HUB_DATA_DIR: args.text("data-dir"),
    HUB_HOST: args.text("host"),
    HUB_PORT: port,
    HUB_LOG: args.text("log-level"),
  };
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return await loadSettings({ ...cli.environment(), ...options });
}

/** Settings of an environment. @throws CliError with every problem */
export async function loadSettings(env: Readonly<Record<string, string | undefined>>): Promise<HubConfig> {
  try {
    return await loadConfig({ env, files: denoFiles });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError(error.message, { exitCode: ExitCode.USAGE, hint: "See `hub doctor`", cause: error });
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
