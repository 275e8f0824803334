import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { openHub } from "../hub_client.ts";
import type { PageBody } from "../run_views.ts";

interface FoundBody {
  readonly id: string;
  readonly workflow: string;
  readonly status: string;
  readonly createdAt: number;
  readonly errorCode: string | null;
  readonly matches: readonly { readonly where: string; readonly key: string | null; readonly excerpt: string }[];
}

interface SearchBody extends PageBody<FoundBody> {
  readonly searched: { readonly runs: number; readonly back: number | null; readonly complete: boolean };
}

/** `hub runs search` */
export const search: Command = {
  name: "search",
  summary: "Runs by what is in their inputs, outputs, errors and labels",
  positionals: [{ name: "text", required: false, description: "what to look for, whatever the case" }],
  options: {
    error: { type: "text", value: "CODE", description: "That failed with this code" },
    workflow: { type: "text", value: "NAME", description: "Of this workflow" },
    status: {
      type: "text",
      multiple: true,
      value: "STATUS",
      description: "running, paused, completed, failed, aborted",
    },
    label: { type: "text", multiple: true, value: "KEY[=VALUE]", description: "With this label" },
    limit: { type: "text", value: "N", description: "At most so many (default: 50)" },
    cursor: { type: "text", value: "CURSOR", description: "Go on where an answer ended" },
    ...HUB_OPTIONS,
  },
  examples: ["hub runs search invoice-2041", "hub runs search --error TIMEOUT --workflow report"],
  async run(args, cli) {
    const text = args.word("text");
    const error = args.text("error");
    if (text === undefined && error === undefined) throw usageError("`hub runs search` wants a text, or --error CODE");
    const hub = await openHub(args, cli);
    const page = await hub.get<SearchBody>("/api/search", {
      query: {
        text,
        error,
        workflow: args.text("workflow"),
        status: args.texts("status"),
        label: args.texts("label"),
        limit: args.text("limit"),
        cursor: args.text("cursor"),
      },
    });
    if (args.flag("json")) outJson(cli, page);
    else show(page, cli);
    return ExitCode.OK;
  },
};

function show({ items, nextCursor, searched }: SearchBody, cli: Cli): void {
  const { style } = cli;
  for (const { id, workflow, status, createdAt, errorCode, matches } of items) {
    const how = errorCode === null ? status : `${status} ${style.red(errorCode)}`;
    cli.out(`${style.bold(id)} ${workflow} ${how} ${style.dim(formatAge(createdAt, cli.now()))}`);
    for (const { where, key, excerpt } of matches) {
      cli.out(`  ${style.dim(key === null ? where : `${key} ${where}`)} ${excerpt}`);
    }
  }
  const back = searched.back === null ? "" : `, back to ${new Date(searched.back).toISOString()}`;
  cli.err(style.dim(`${items.length} found among ${searched.runs} runs${back}`));
  if (nextCursor !== null) cli.err(style.dim(`Older runs were not searched: --cursor ${nextCursor}`));
}
