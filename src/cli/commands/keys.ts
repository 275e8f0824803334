import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";

/** A key as the HTTP API gives it. Times are ms since the epoch. */
interface KeyBody {
  readonly id: string;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly createdAt: number | null;
  readonly lastUsedAt: number | null;
}

interface IssuedKeyBody {
  readonly key: string;
  readonly record: KeyBody;
}

const KEY = { name: "id", required: true, description: "id of the key, as `hub keys list` shows it" } as const;

const create: Command = {
  name: "create",
  summary: "Make a key with no more scopes than one's own; it is shown this once",
  options: {
    name: { type: "text", value: "NAME", description: "What it is for" },
    scope: { type: "text", multiple: true, value: "SCOPE", description: "May be repeated; a trailing * is a pattern" },
    expires: { type: "text", value: "DAYS", description: "Days until it expires (default: never)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub keys create --name ci --scope workflow:run --scope run:read"],
  async run(args, cli) {
    const name = args.text("name");
    if (name === undefined) throw usageError("`hub keys create` wants --name: what the key is for");
    const scopes = args.texts("scope");
    if (scopes.length === 0) {
      throw usageError("`hub keys create` wants at least one --scope", "For everything: --scope '*'");
    }
    const hub = await openHub(args, cli);
    const expires = args.text("expires");
    const body = { name, scopes, ...(expires !== undefined && { expiresAt: cli.now() + readDays(expires) }) };
    return showIssued(await hub.post<IssuedKeyBody>("/api/keys", { body }), args, cli);
  },
};

function readDays(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1) {
    throw usageError(`--expires wants a number of days from 1: current value is "${text}"`);
  }
  return Number(text) * 86_400_000;
}

/** The key alone goes to stdout, so that a script can take it. */
function showIssued(issued: IssuedKeyBody, args: ParsedArgs, cli: Cli): ExitCode {
  if (args.flag("json")) outJson(cli, issued);
  else {
    cli.err(`Key ${issued.record.id} (${issued.record.name ?? "no name"}): ${issued.record.scopes.join(" ")}`);
    cli.err(cli.style.yellow("It is shown this once: keep it now"));
    cli.out(issued.key);
  }
  return ExitCode.OK;
}

const list: Command = {
  name: "list",
  summary: "Keys, without the keys themselves",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const keys = await allPages<KeyBody>(await openHub(args, cli), "/api/keys");
    if (args.flag("json")) outJson(cli, keys);
    else {
      const age = (at: number | null) => at === null ? "" : formatAge(at, cli.now());
      const columns = [
        { title: "id", min: 8 },
        { title: "name", min: 6, paint: cli.style.bold },
        { title: "status" },
        { title: "made", align: "right" },
        { title: "used", align: "right" },
        { title: "scopes", min: 8 },
      ] as const;
      const rows = keys.map((key) => [
        key.id,
        key.name ?? "",
        key.status,
        age(key.createdAt),
        age(key.lastUsedAt),
        key.scopes.join(" "),
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const rotate: Command = {
  name: "rotate",
  summary: "Put a new key in the place of one, which stops to work at once",
  positionals: [KEY],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/keys/${encodeURIComponent(args.required("id"))}/rotate`;
    return showIssued(await hub.post<IssuedKeyBody>(path), args, cli);
  },
};

const revoke: Command = {
  name: "revoke",
  summary: "Make a key stop to work",
  positionals: [KEY],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const key = await hub.post<KeyBody>(`/api/keys/${encodeURIComponent(args.required("id"))}/revoke`);
    if (args.flag("json")) outJson(cli, key);
    else cli.out(`Key ${key.id} is ${key.status}`);
    return ExitCode.OK;
  },
};

/** `hub keys …` */
export const keysCommands: CommandGroup = {
  name: "keys",
  summary: "API keys",
  commands: [create, list, rotate, revoke],
};
