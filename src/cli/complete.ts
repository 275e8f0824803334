import type { Cli } from "./cli.ts";
import { type Command, type CommandGroup, isGroup, type ParsedArgs } from "./command.ts";
import { findHub } from "./find_hub.ts";
import { HubClient } from "./hub_client.ts";
import { COMMON_OPTIONS } from "./parse_args.ts";

/** Where the values of a word of this name are, and how each is written and told apart. */
const VALUES: Readonly<Record<string, readonly [path: string, value: (item: Item) => string | undefined]>> = {
  run: ["/api/runs?limit=50", ({ id }) => id],
  workflow: ["/api/workflows?limit=200", ({ name }) => name],
  schedule: ["/api/schedules?limit=200", ({ name }) => name],
  webhook: ["/api/webhooks?limit=200", ({ definition }) => definition?.name],
  spoke: ["/api/spokes?limit=200", ({ id }) => id],
  operation: ["/api/operations?limit=200", ({ id }) => id],
};

interface Item {
  readonly id?: string;
  readonly name?: string;
  readonly definition?: { readonly name?: string };
}

/** Without a key, or a hub, ids cannot be completed; commands and options can. */
const NO_ARGS: ParsedArgs = {
  word: () => undefined,
  required: () => "",
  text: () => undefined,
  texts: () => [],
  flag: () => false,
};

/** What may stand in the place of the last word of a command line, which may be empty; ids and names are asked of the hub. */
export async function complete(root: CommandGroup, words: readonly string[], cli: Cli): Promise<readonly string[]> {
  const last = words.at(-1) ?? "";
  let command: Command | CommandGroup = root;
  let at = 0;
  for (; at < words.length - 1 && isGroup(command); at++) {
    const next: Command | CommandGroup | undefined = command.commands.find(({ name }) => name === words[at]);
    if (next === undefined) return [];
    command = next;
  }
  const found = isGroup(command)
    ? command.commands.map(({ name }) => name)
    : await inCommand(command, words.slice(at, -1), last, cli);
  return found.filter((word) => word.startsWith(last)).sort();
}

async function inCommand(command: Command, before: readonly string[], last: string, cli: Cli): Promise<string[]> {
  const options = { ...command.options, ...COMMON_OPTIONS };
  const takesValue = (word: string | undefined): boolean =>
    word !== undefined && word.startsWith("--") && !word.includes("=") && options[word.slice(2)]?.type === "text";
  const previous = before.at(-1);
  if (takesValue(previous)) {
    const name = previous!.slice(2);
    const choices = /^[a-z-]+(\|[a-z-]+)+$/.exec(options[name]?.value ?? "")?.[0].split("|");
    return choices ?? await valuesOf(name, cli);
  }
  if (last.startsWith("-")) return Object.keys(options).map((name) => `--${name}`);
  const given = before.filter((word, i) => !word.startsWith("-") && !takesValue(before[i - 1])).length;
  const positional = command.positionals?.[given];
  return positional === undefined ? [] : await valuesOf(positional.name, cli);
}

async function valuesOf(name: string, cli: Cli): Promise<string[]> {
  const source = VALUES[name];
  if (source === undefined) return [];
  const [path, value] = source;
  try {
    const hub = new HubClient(await findHub(NO_ARGS, cli), cli);
    const { items } = await hub.get<{ readonly items: readonly Item[] }>(path);
    return items.flatMap((item) => value(item) ?? []);
  } catch {
    return []; // a shell shows no errors while somebody types
  }
}
