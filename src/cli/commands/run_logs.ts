import { type Cli, outJson } from "../cli.ts";
import { CliError, ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { type HubClient, openHub } from "../hub_client.ts";
import type { PageBody } from "../run_views.ts";

interface LineBody {
  readonly id: number;
  readonly at: number;
  readonly key: string;
  readonly attempt: number;
  readonly level: string;
  readonly message: string;
  readonly data: unknown;
}

type Query = Readonly<Record<string, string | undefined>>;

/** `hub runs logs` */
export const logs: Command = {
  name: "logs",
  summary: "What handlers and spokes said while they worked for a run",
  positionals: [{ name: "run", required: true, description: "id of the run" }],
  options: {
    follow: { type: "flag", short: "f", description: "Go on until the run has ended" },
    node: { type: "text", value: "KEY", description: "Of this node; without indices, of all its items" },
    level: { type: "text", value: "LEVEL", description: "debug, info, warn or error, and the graver ones" },
    after: { type: "text", value: "ID", description: "Lines after this one" },
    limit: { type: "text", value: "N", description: "At most so many (default: all)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub runs logs 0190… --follow --level warn"],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/runs/${encodeURIComponent(args.required("run"))}/logs`;
    const isJson = args.flag("json");
    const show = (line: LineBody): void => isJson ? cli.out(JSON.stringify(line)) : cli.out(lineText(line, cli));
    const query = { node: args.text("node"), level: args.text("level"), after: args.text("after") };
    if (args.flag("follow")) {
      for await (const line of follow(hub, path, query)) show(line);
      return ExitCode.OK;
    }
    const lines: LineBody[] = [];
    for await (const line of pages(hub, path, query, args.text("limit"))) {
      lines.push(line);
      if (!isJson) show(line);
    }
    if (isJson) outJson(cli, lines);
    else if (lines.length === 0) cli.err("No handler has said anything");
    return ExitCode.OK;
  },
};

async function* follow(hub: HubClient, path: string, { after = "0", ...query }: Query): AsyncGenerator<LineBody> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const url = `${path}?${new URLSearchParams(given)}`;
  for await (const { type, data } of hub.events(url, ({ type }) => type === "end", after)) {
    if (type === "error") throw new CliError(`The hub ended the log: ${data}`);
    if (type === "log") yield JSON.parse(data);
  }
}

async function* pages(hub: HubClient, path: string, query: Query, limit?: string): AsyncGenerator<LineBody> {
  let after = query.after;
  for (;;) {
    const page = await hub.get<PageBody<LineBody>>(path, { query: { ...query, after, limit: limit ?? "1000" } });
    yield* page.items;
    if (limit !== undefined || page.nextCursor === null) return;
    after = page.nextCursor;
  }
}

function lineText({ at, key, attempt, level, message, data }: LineBody, { style }: Cli): string {
  const paint = level === "error" ? style.red : level === "warn" ? style.yellow : style.dim;
  const time = new Date(at).toISOString().slice(11, 23);
  const where = attempt > 1 ? `${key} (attempt ${attempt})` : key;
  const more = data === null ? "" : ` ${style.dim(JSON.stringify(data))}`;
  return `${style.dim(time)} ${paint(level.padEnd(5))} ${style.bold(where)}  ${message}${more}`;
}
