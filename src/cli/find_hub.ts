import { join } from "node:path";
import { CliError, usageError } from "./cli_error.ts";
import type { Cli } from "./cli.ts";
import type { OptionSpec, ParsedArgs } from "./command.ts";

/** Options of every command that talks to a hub. */
export const HUB_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  url: { type: "text", value: "URL", description: "Address of the hub (default: HUB_URL, else the local hub's)" },
  key: { type: "text", value: "KEY", description: "API key (default: the one in HUB_KEY_FILE, else the local hub's)" },
  "data-dir": {
    type: "text",
    value: "DIR",
    description: "The local hub's data directory (default: HUB_DATA_DIR, else .hub)",
  },
};

/** Where a hub answers, and the key to call it with. */
export interface HubAddress {
  /** Without a slash at its end. */
  readonly url: string;
  /** Null: none was found. */
  readonly key: string | null;
}

/** From the options, else the environment, else what the local hub wrote into its data directory. */
export async function findHub(args: ParsedArgs, cli: Cli): Promise<HubAddress> {
  const dataDir = args.text("data-dir") ?? cli.env("HUB_DATA_DIR") ?? ".hub";
  const given = args.text("url") ?? cli.env("HUB_URL");
  const url = given ?? await localUrl(dataDir);
  if (url === null) {
    throw new CliError(`No hub is known: "${join(dataDir, "hub.json")}" is not there`, {
      hint: "Start one with `deno task start`, or name one with --url or HUB_URL",
    });
  }
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw usageError(`"${url}" is not the address of a hub: want http://host:port`);
  }
  return { url: url.replace(/\/+$/, ""), key: await findKey(args, cli, dataDir) };
}

async function localUrl(dataDir: string): Promise<string | null> {
  const text = await readText(join(dataDir, "hub.json"));
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "url" in value && typeof value.url === "string") {
      return value.url;
    }
  } catch {
    // Told below.
  }
  throw new CliError(`"${join(dataDir, "hub.json")}" does not name a hub's address`, {
    hint: "Start the hub again: it writes the file",
  });
}

async function findKey(args: ParsedArgs, cli: Cli, dataDir: string): Promise<string | null> {
  const given = args.text("key") ?? cli.env("HUB_KEY");
  if (given !== undefined && given !== "") return given;
  const file = cli.env("HUB_KEY_FILE");
  if (file === undefined || file === "") return (await readText(join(dataDir, "admin.key")))?.trim() ?? null;
  const key = await readText(file);
  if (key === null) throw new CliError(`Cannot read the key file "${file}" that HUB_KEY_FILE names`);
  return key.trim();
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new CliError(`Cannot read "${path}": permission denied`, {
        hint: "Run as the user that the hub runs as",
        cause: error,
      });
    }
    throw error;
  }
}
