import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { CliError, ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { loadHubProgram } from "../hub_program.ts";
import type { IssuedKeyBody, KeyBody } from "../key_views.ts";
import { loadSettings } from "./serve.ts";

const KEY = { name: "id", required: true, description: "id of the key, as `hub keys list` shows it" } as const;

const create: Command = {
  name: "create",
  summary: "Make a key with no more scopes than one's own; it is shown this once",
  options: {
    name: { type: "text", value: "NAME", description: "What it is for" },
    scope: { type: "text", multiple: true, value: "SCOPE", description: "May be repeated; a trailing * is a pattern" },
    scopes: { type: "text", value: "SCOPE,…", description: "Several scopes at once" },
    offline: {
      type: "flag",
      description: "Make it in the database itself, without a key: for who has lost the administrator's",
    },
    "max-requests": { type: "text", value: "N", description: "Requests a minute, at most (default: no limit)" },
    "max-starts": { type: "text", value: "N", description: "Runs started a minute, at most (default: no limit)" },
    expires: { type: "text", value: "DAYS", description: "Days until it expires (default: never)" },
    ...HUB_OPTIONS,
  },
  examples: [
    "hub keys create --name ci --scope workflow:run --scope run:read",
    "hub keys create --offline --scopes '*'",
  ],
  async run(args, cli) {
    const offline = args.flag("offline");
    const name = args.text("name") ?? (offline ? "offline" : undefined);
    if (name === undefined) throw usageError("`hub keys create` wants --name: what the key is for");
    const listed = (args.text("scopes") ?? "").split(/[\s,]+/).filter((scope) => scope !== "");
    const scopes = [...args.texts("scope"), ...listed];
    if (scopes.length === 0) {
      throw usageError("`hub keys create` wants at least one --scope", "For everything: --scope '*'");
    }
    const expires = args.text("expires");
    const limits = readLimits(args);
    const body = {
      name,
      scopes,
      ...(limits !== undefined && { limits }),
      ...(expires !== undefined && { expiresAt: cli.now() + readDays(expires) }),
    };
    if (offline) return showIssued(await createOffline(body, args, cli), args, cli);
    const hub = await openHub(args, cli);
    return showIssued(await hub.post<IssuedKeyBody>("/api/keys", { body }), args, cli);
  },
};

async function createOffline(
  key: { readonly name: string; readonly scopes: readonly string[]; readonly expiresAt?: number },
  args: ParsedArgs,
  cli: Cli,
): Promise<IssuedKeyBody> {
  for (const name of ["url", "key"]) {
    if (args.text(name) !== undefined) {
      throw usageError(`--${name} is of a hub that runs: with --offline the key is made in the database itself`);
    }
  }
  const dataDir = args.text("data-dir");
  const config = await loadSettings({ ...cli.environment(), ...(dataDir !== undefined && { HUB_DATA_DIR: dataDir }) });
  const { createKeyOffline } = await loadHubProgram();
  try {
    const issued = await createKeyOffline({ config, ...key });
    cli.err(`Made in ${config.databaseUrl === null ? `the database in ${config.dataDir}` : "the configured database"}`);
    return issued;
  } catch (error) {
    throw new CliError(`Cannot make a key offline: ${error instanceof Error ? error.message : String(error)}`, {
      hint: "The embedded database is its hub's alone while that runs; HUB_DATA_DIR or HUB_DATABASE_URL names another",
      cause: error,
    });
  }
}

/** What the key may do a minute; undefined: nothing was said. */
function readLimits(args: ParsedArgs): Readonly<Record<string, number>> | undefined {
  const limits: Record<string, number> = {};
  for (const kind of ["requests", "starts"]) {
    const text = args.text(`max-${kind}`);
    if (text === undefined) continue;
    if (!/^[1-9]\d{0,5}$/.test(text)) {
      throw usageError(`--max-${kind} wants a number from 1 to 999999: current value is "${text}"`);
    }
    limits[kind] = Number(text);
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}

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
  summary: "Put a new key in the place of one, which stops to work at once or after a grace period",
  positionals: [KEY],
  options: {
    grace: { type: "text", value: "SECONDS", description: "How long both keys work (default: 0)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub keys rotate V1StGXR8_Z5jdHi6B-myT --grace 3600"],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/keys/${encodeURIComponent(args.required("id"))}/rotate`;
    const grace = args.text("grace") ?? "0";
    if (!/^\d{1,7}$/.test(grace)) throw usageError(`--grace wants a number of seconds: current value is "${grace}"`);
    return showIssued(await hub.post<IssuedKeyBody>(path, { body: { graceSeconds: Number(grace) } }), args, cli);
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
