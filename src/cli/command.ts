import type { Cli } from "./cli.ts";
import type { ExitCode } from "./cli_error.ts";

/** An option of a command. `--name`, `--name value` or `--name=value`; booleans also as `--no-name`. */
export interface OptionSpec {
  readonly type: "flag" | "text";
  /** One letter. */
  readonly short?: string;
  /** What the value is, in usage: `JSON|@file`. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly description: string;
}

/** A word after a command's name. */
export interface PositionalSpec {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
}

/** One thing that can be asked of the CLI. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly positionals?: readonly PositionalSpec[];
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Full command lines, shown in the help. */
  readonly examples?: readonly string[];
  run(args: ParsedArgs, cli: Cli): Promise<ExitCode>;
}

/** Commands under one word. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly (Command | CommandGroup)[];
}

/** A command line, read by its command's specs. */
export interface ParsedArgs {
  /** A positional; undefined when it was not given. */
  word(name: string): string | undefined;
  /** A positional that is required. */
  required(name: string): string;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/** Whether this is a group of commands. */
export function isGroup(command: Command | CommandGroup): command is CommandGroup {
  return "commands" in command;
}
