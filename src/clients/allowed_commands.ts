/** One command that hubs may start as an MCP server, as the configuration has it. */
export interface AllowedCommand {
  /** The command and its first arguments, with blanks between them. */
  readonly run: string;
  /** Whether a client may add arguments. Default false. */
  readonly moreArgs?: boolean;
  /** Variables that a client may set. Default: none, as some (`NODE_OPTIONS`, `LD_PRELOAD`) run code. */
  readonly env?: readonly string[];
}

/** What a client asks to be started. */
export interface WantedCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Names of variables. */
  readonly env: readonly string[];
}

/** What is wrong with a command, or null: exactly the commands of the configuration may be started. */
export function commandProblem(
  { command, args, env }: WantedCommand,
  allowed: readonly AllowedCommand[],
): { readonly field: "command" | "env"; readonly message: string } | null {
  const words = [command, ...args];
  const fits = allowed.filter(({ run, moreArgs = false }) => {
    const first = run.split(/\s+/).filter((word) => word !== "");
    return first.every((word, index) => word === words[index]) && (moreArgs || first.length === words.length);
  });
  if (fits.length === 0) {
    return {
      field: "command",
      // Not quoted: arguments hold secrets often enough.
      message: "and its arguments may not be started by the hub: " +
        "wanted one of clients.commands in its configuration, word by word",
    };
  }
  const unset = env.filter((name) => !fits.some((one) => one.env?.includes(name) ?? false));
  if (unset.length === 0) return null;
  return {
    field: "env",
    message: `sets ${
      unset.join(", ")
    }, which clients.commands in the hub's configuration does not list for the command`,
  };
}
