import type { Command, CommandGroup, OptionSpec } from "./command.ts";
import type { Style } from "./format/style.ts";
import { padText, textWidth } from "./format/text_width.ts";
import { COMMON_OPTIONS } from "./parse_args.ts";

/** What a group of commands offers. */
export function groupHelp(group: CommandGroup, path: string, style: Style): string {
  return [
    group.summary,
    "",
    `${style.bold("Usage:")} ${path} <command>`,
    "",
    ...pairs(group.commands.map(({ name, summary }) => [style.cyan(name), summary])),
    "",
    style.dim(`More of one: ${path} <command> --help`),
  ].join("\n");
}

/** What a command takes. */
export function commandHelp(command: Command, path: string, style: Style): string {
  const words = (command.positionals ?? []).map(({ name, required }) => required ? ` <${name}>` : ` [${name}]`).join(
    "",
  );
  const positionals = (command.positionals ?? []).map(({ name, description }) =>
    [style.cyan(name), description] as const
  );
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, spec]) =>
    [style.cyan(optionName(name, spec)), spec.description] as const
  );
  return [
    command.summary,
    "",
    `${style.bold("Usage:")} ${path}${words} [options]`,
    ...(positionals.length === 0 ? [] : ["", ...pairs(positionals)]),
    "",
    style.bold("Options:"),
    ...pairs(options),
    ...(command.examples === undefined
      ? []
      : ["", style.bold("Examples:"), ...command.examples.map((line) => `  ${line}`)]),
  ].join("\n");
}

function optionName(name: string, { short, type, value }: OptionSpec): string {
  return `${short === undefined ? "    " : `-${short}, `}--${name}${type === "text" ? ` ${value ?? "TEXT"}` : ""}`;
}

function pairs(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = rows.reduce((widest, [name]) => Math.max(widest, textWidth(name)), 0);
  return rows.map(([name, text]) => `  ${padText(name, width, "left")}  ${text}`);
}
