import { ExitCode, usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";

/** Each asks `hub complete`, with the words so far, for what may stand in the place of the last. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_hub() {
  local IFS=$'\\n'
  COMPREPLY=($(hub complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -F _hub hub`,
  zsh: `#compdef hub
_hub() {
  local -a found
  found=("\${(@f)$(hub complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _hub hub`,
  fish: `complete -c hub -f -a '(hub complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
};

/** `hub completions` */
export const completionsCommand: Command = {
  name: "completions",
  summary: "A script that lets a shell complete commands, options, ids and names",
  positionals: [{ name: "shell", required: true, description: "bash, zsh or fish" }],
  examples: ["source <(hub completions bash)", "hub completions fish > ~/.config/fish/completions/hub.fish"],
  run(args, cli) {
    const shell = args.required("shell");
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (script === undefined) {
      throw usageError(`There are completions for bash, zsh and fish: current value is "${shell}"`);
    }
    cli.out(script);
    return Promise.resolve(ExitCode.OK);
  },
};
