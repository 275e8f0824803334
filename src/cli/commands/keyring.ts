import { denoFiles, rotateKeyRing, selfSetup } from "../../config/mod.ts";
import { outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { ownFile, settingsOr } from "../own_file.ts";
import { readConfig } from "./serve.ts";

const rotate: Command = {
  name: "rotate",
  summary: "Put a fresh key in front of the key ring that secrets are sealed with; the old ones stay",
  options: {
    "data-dir": { type: "text", value: "DIR", description: "The hub's data directory (HUB_DATA_DIR, default .hub)" },
  },
  async run(args, cli) {
    const config = await readConfig(args, cli);
    const rotated = await settingsOr(async () => {
      await selfSetup(config, denoFiles);
      if (config.encryptionKeys === null) await ownFile(`${config.dataDir}/keyring.json`);
      return await rotateKeyRing(config, denoFiles);
    });
    const [current, ...old] = rotated.versions;
    if (args.flag("json")) {
      outJson(cli, { current, versions: rotated.versions });
      return ExitCode.OK;
    }
    cli.out(
      `New secrets are sealed with key v${current}; ${old.map((version) => `v${version}`).join(", ")} still open`,
    );
    cli.err("A running hub takes it up when it starts again, and reads what it has until then");
    cli.err(`Back up ${config.dataDir}/keyring.json with the master key: without them no stored secret can be read`);
    return ExitCode.OK;
  },
};

/** `hub keyring …` */
export const keyringCommands: CommandGroup = {
  name: "keyring",
  summary: "The keys that a hub seals stored secrets with",
  commands: [rotate],
};
