import { parseArgs as parse } from "node:util";
import { nearestName } from "@alkdev/flowgraph";
import { usageError } from "./cli_error.ts";
import type { Command, OptionSpec, ParsedArgs } from "./command.ts";

/** Options that every command takes. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: "flag", description: "Print JSON, for machines" },
  color: { type: "flag", description: "Colour the output (default: on a terminal)" },
  help: { type: "flag", short: "h", description: "Show this help" },
};

/** Reads a command line strictly: what the command does not know is an error that names the nearest thing that it does. */
export function parseCommandLine(command: Command, words: readonly string[], path: string): ParsedArgs {
  const specs = { ...COMMON_OPTIONS, ...command.options };
  const { values, positionals, tokens } = parse({
    args: [...words],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { type, short, multiple }]) => [name, {
        type: type === "flag" ? "boolean" as const : "string" as const,
        ...(short !== undefined && { short }),
        multiple: multiple === true,
      }]),
    ),
    strict: false,
    allowPositionals: true,
    allowNegative: true,
    tokens: true,
  });
  const help = `See \`${path} --help\``;
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) {
      const nearest = nearestName(token.name, Object.keys(specs));
      throw usageError(
        `Unknown option "${token.rawName}" of \`${path}\``,
        nearest === undefined ? help : `Did you mean "--${nearest}"? ${help}`,
      );
    }
    if (spec.type === "text" && (token.value === undefined || (!token.inlineValue && /^--?[a-z]/.test(token.value)))) {
      throw usageError(
        `Option "--${token.name}" wants a value${spec.value === undefined ? "" : `: ${spec.value}`}`,
        help,
      );
    }
    if (spec.type === "flag" && token.value !== undefined) {
      throw usageError(`Option "--${token.name}" takes no value: current value is "${token.value}"`, help);
    }
  }
  const wanted = command.positionals ?? [];
  const missing = values["help"] === true
    ? undefined
    : wanted.find(({ required }, index) => required && positionals[index] === undefined);
  if (missing !== undefined) throw usageError(`\`${path}\` wants <${missing.name}>: ${missing.description}`, help);
  const extra = positionals[wanted.length];
  if (extra !== undefined) throw usageError(`\`${path}\` takes no further word: current value is "${extra}"`, help);
  return parsedArgs(values, new Map(wanted.map(({ name }, index) => [name, positionals[index]])));
}

function parsedArgs(
  values: Readonly<Record<string, unknown>>,
  words: ReadonlyMap<string, string | undefined>,
): ParsedArgs {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    word: (name) => words.get(name),
    required: (name) => words.get(name) ?? "",
    text,
    texts: (name) => {
      const value = values[name];
      if (Array.isArray(value)) return value.map(String);
      const one = text(name);
      return one === undefined ? [] : [one];
    },
    flag: (name) => values[name] === true,
  };
}
