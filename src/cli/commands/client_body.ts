import { usageError } from "../cli_error.ts";
import type { OptionSpec, ParsedArgs } from "../command.ts";
import { readInput } from "../read_input.ts";

/** What `hub clients add` takes, beside the options of every command that asks a hub. */
export const CLIENT_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  mcp: { type: "text", value: "URL", description: "An MCP server over HTTP" },
  command: { type: "text", value: "LINE", description: "An MCP server that the hub starts: command and arguments" },
  openapi: { type: "text", value: "URL|@file", description: "An HTTP service with this OpenAPI document" },
  llm: { type: "text", value: "KIND", description: "An LLM provider: openai, anthropic or openai-compatible" },
  body: { type: "text", value: "JSON|@file", description: "The whole client, as PUT /api/clients/:name takes it" },
  "base-url": { type: "text", value: "URL", description: "Where the service or provider is" },
  auth: {
    type: "text",
    value: "KIND",
    description: "bearer, basic:USER, header:NAME, apiKey:NAME or query:NAME; its secret comes from --secret-file",
  },
  "secret-file": {
    type: "text",
    value: "FILE",
    description: "What --auth sends, or a provider's keys by line; - is stdin",
  },
  header: { type: "text", multiple: true, value: "NAME=@FILE", description: "Header whose value is in a file" },
  env: { type: "text", multiple: true, value: "NAME=@FILE", description: "Variable of --command, its value in a file" },
  model: { type: "text", multiple: true, value: "ID", description: "Model of a provider" },
  models: { type: "text", value: "JSON|@file", description: "Models with aliases and prices" },
  include: { type: "text", multiple: true, value: "PATTERN", description: "Only these operations; * is any text" },
  exclude: { type: "text", multiple: true, value: "PATTERN", description: "Not these operations" },
  refresh: { type: "text", value: "SECONDS", description: "How often the document is fetched again" },
  timeout: { type: "text", value: "MS", description: "Longest time of a call (default: 60000)" },
  concurrency: { type: "text", value: "N", description: "Calls at once (default: 16)" },
  scope: { type: "text", multiple: true, value: "SCOPE", description: "What callers must hold" },
  "tool-errors": { type: "text", value: "data|fail", description: "Whether a tool's own error fails the call" },
};

/** The body of `PUT /api/clients/:name`. Secrets come from files: a command line is seen by others, and remembered. */
export async function clientBody(args: ParsedArgs): Promise<Record<string, unknown>> {
  const whole = await readInput(args.text("body"), "--body");
  if (whole !== undefined) return whole as Record<string, unknown>; // the hub says what is wrong with it
  const secret = await secretOf(args);
  const [url, command, spec, kind] = ["mcp", "command", "openapi", "llm"].map((name) => args.text(name));
  if ([url, command, spec, kind].filter((one) => one !== undefined).length !== 1) {
    throw usageError("`hub clients add` wants one of --mcp, --command, --openapi, --llm or --body");
  }
  const common = {
    headers: await pairs(args, "header"),
    timeoutMs: numberOf(args, "timeout"),
    maxConcurrency: numberOf(args, "concurrency"),
    requiredScopes: list(args, "scope"),
  };
  if (url !== undefined) {
    return { type: "mcp", url, auth: authOf(args, secret), toolErrors: args.text("tool-errors"), ...common };
  }
  if (command !== undefined) {
    const [name, ...rest] = command.split(/\s+/).filter((word) => word !== "");
    const { headers: _, ...settings } = common;
    const env = await pairs(args, "env");
    return { type: "mcp", command: name ?? "", args: rest, env, toolErrors: args.text("tool-errors"), ...settings };
  }
  if (spec !== undefined) {
    return {
      type: "openapi",
      spec: spec.startsWith("@") ? await read(spec.slice(1)) : spec,
      baseUrl: args.text("base-url"),
      auth: authOf(args, secret),
      include: list(args, "include"),
      exclude: list(args, "exclude"),
      refreshSeconds: numberOf(args, "refresh"),
      ...common,
    };
  }
  const { requiredScopes: _, ...settings } = common;
  return {
    type: "llm-provider",
    kind,
    baseUrl: args.text("base-url"),
    keys: secret?.split("\n").map((line) => line.trim()).filter((line) => line !== ""),
    models: await readInput(args.text("models"), "--models") ?? args.texts("model").map((id) => ({ id })),
    ...settings,
  };
}

function authOf(args: ParsedArgs, secret: string | undefined): Record<string, unknown> | undefined {
  const text = args.text("auth") ?? (secret === undefined ? undefined : "bearer");
  if (text === undefined) return undefined;
  const [kind = "", name] = text.split(/:(.*)/);
  switch (kind) {
    case "bearer":
      return { type: "bearer", token: secret };
    case "basic":
      return { type: "basic", username: name ?? "", password: secret };
    case "header":
      return { type: "header", name: name ?? "", value: secret };
    case "apiKey":
      return { type: "apiKey", name, token: secret };
    case "query":
      return { type: "apiKey", in: "query", name, token: secret };
    default:
      throw usageError(`--auth is "${text}": wanted bearer, basic:USER, header:NAME, apiKey:NAME or query:NAME`);
  }
}

/** The secret of `--secret-file`, without the line's end. */
export async function secretOf(args: ParsedArgs): Promise<string | undefined> {
  const path = args.text("secret-file");
  return path === undefined ? undefined : (await read(path)).trim();
}

async function pairs(args: ParsedArgs, option: "header" | "env"): Promise<Record<string, string> | undefined> {
  const given = args.texts(option);
  if (given.length === 0) return undefined;
  const found: Record<string, string> = {};
  for (const text of given) {
    const [name, path] = text.split(/=@(.*)/);
    if (name === undefined || name === "" || path === undefined) {
      throw usageError(`--${option} wants NAME=@FILE: current value is "${name?.split("=")[0] ?? ""}"`);
    }
    found[name] = (await read(path)).trim();
  }
  return found;
}

async function read(path: string): Promise<string> {
  try {
    return path === "-" ? await new Response(Deno.stdin.readable).text() : await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw usageError(`There is no file "${path}"`);
    throw error;
  }
}

function list(args: ParsedArgs, option: string): readonly string[] | undefined {
  const found = args.texts(option);
  return found.length === 0 ? undefined : found;
}

function numberOf(args: ParsedArgs, option: string): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw usageError(`--${option} wants a whole number: current value is "${text}"`);
  return Number(text);
}
