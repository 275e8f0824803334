import {
  denoFiles,
  type HubConfig,
  openField,
  openValue,
  sealedPaths,
  sealField,
  sealValue,
  selfSetup,
  shownConfig,
} from "../../config/mod.ts";
import { outJson } from "../cli.ts";
import { CliError, ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, OptionSpec } from "../command.ts";
import { ownFile, settingsOr } from "../own_file.ts";
import { readConfig } from "./serve.ts";

const DATA_DIR: Readonly<Record<string, OptionSpec>> = {
  "data-dir": { type: "text", value: "DIR", description: "The hub's data directory (HUB_DATA_DIR, default .hub)" },
};
const FIELD = {
  name: "field",
  required: false,
  description: "Of the config file: databaseUrl, clients.commands[0].run (default: stdin)",
};

const show: Command = {
  name: "show",
  summary: "Print the settings that a hub started here would have, without secrets",
  options: DATA_DIR,
  async run(args, cli) {
    const config = await readConfig(args, cli);
    const text = config.configPath === null ? "" : await denoFiles.readText(config.configPath) ?? "";
    const shown = shownConfig(config, sealedPaths(text));
    if (args.flag("json")) {
      outJson(cli, shown);
      return ExitCode.OK;
    }
    const width = Math.max(...Object.keys(shown).map((name) => name.length));
    for (const [name, value] of Object.entries(shown)) {
      cli.out(`${name.padEnd(width)}  ${typeof value === "string" ? value : JSON.stringify(value)}`);
    }
    for (const warning of config.warnings) cli.err(`${cli.style.yellow("warning:")} ${warning}`);
    return ExitCode.OK;
  },
};

const encrypt: Command = {
  name: "encrypt",
  summary: "Seal a field of the config file with the master key, or the text on stdin",
  positionals: [FIELD],
  options: DATA_DIR,
  examples: ["hub config encrypt databaseUrl", "hub config encrypt < secret.txt"],
  async run(args, cli) {
    const config = await readConfig(args, cli);
    const field = args.word("field");
    if (field === undefined) {
      const text = (await readStdin()).replace(/\r?\n$/, "");
      if (text === "") throw usageError("There is nothing on stdin to seal", "hub config encrypt < secret.txt");
      const { masterKey } = await settingsOr(() => selfSetup(config, denoFiles));
      outJson(cli, await sealValue(text, masterKey));
      return ExitCode.OK;
    }
    const { path, text } = await configText(config);
    const file = await ownFile(path);
    const { masterKey } = await settingsOr(() => selfSetup(config, denoFiles));
    await denoFiles.replaceSecret(file, await settingsOr(() => sealField(text, field, masterKey)));
    if (args.flag("json")) outJson(cli, { file: path, field });
    else cli.err(`Sealed "${field}" in ${path}`);
    return ExitCode.OK;
  },
};

const decrypt: Command = {
  name: "decrypt",
  summary: "Print the plain text of a sealed field of the config file, or of the sealed value on stdin",
  positionals: [FIELD],
  options: DATA_DIR,
  examples: ["hub config decrypt databaseUrl", "hub config decrypt < sealed.json"],
  async run(args, cli) {
    const config = await readConfig(args, cli);
    const field = args.word("field");
    // A key is not made for this: what it could open does not exist yet.
    const masterKey = (await denoFiles.readText(config.masterKeyPath))?.trim() ?? "";
    if (masterKey === "") throw new CliError(`There is no master key in "${config.masterKeyPath}"`);
    const plain = field === undefined
      ? await settingsOr(async () => openValue(parseSealed(await readStdin()), masterKey))
      : await settingsOr(async () => openField((await configText(config)).text, field, masterKey));
    if (args.flag("json")) outJson(cli, { value: plain });
    else cli.out(plain);
    return ExitCode.OK;
  },
};

async function configText(
  { configPath, dataDir }: HubConfig,
): Promise<{ readonly path: string; readonly text: string }> {
  const text = configPath === null ? null : await denoFiles.readText(configPath);
  if (configPath !== null && text !== null) return { path: configPath, text };
  throw new CliError(`There is no config file: "${dataDir}/config.jsonc" is not there`, {
    hint: "Name one with HUB_CONFIG, or leave the field out and give the value on stdin",
  });
}

function parseSealed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError("What is on stdin is not JSON", `Wanted what \`hub config encrypt\` prints: {"_encrypted": …}`);
  }
}

async function readStdin(): Promise<string> {
  return await new Response(Deno.stdin.readable).text();
}

/** `hub config …` */
export const configCommands: CommandGroup = {
  name: "config",
  summary: "See the settings of a hub on this machine, and seal secrets in its config file",
  commands: [show, encrypt, decrypt],
};
