import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import type { PageBody } from "../run_views.ts";

interface DeadLetterBody {
  readonly runId: string;
  readonly workflow: string;
  readonly nodeKey: string | null;
  readonly operationId: string | null;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly at: number;
}
interface CountBody {
  readonly value: string | null;
  readonly count: number;
  readonly at: number;
}
/** What a bulk action did, one entry a run. */
export interface ActBody {
  readonly items: readonly {
    readonly runId: string;
    readonly done: boolean;
    readonly newRunId?: string;
    readonly error?: { readonly code: string; readonly message: string };
  }[];
  readonly more: boolean;
}

const FILTERS = {
  workflow: { type: "text", value: "NAME", description: "Of this workflow" },
  operation: { type: "text", value: "ID", description: "Failed in this operation" },
  code: { type: "text", value: "CODE", description: "With this error code" },
  label: { type: "text", multiple: true, value: "KEY[=VALUE]", description: "With this label" },
} as const;

const list: Command = {
  name: "list",
  summary: "Failed runs that nobody has dealt with, newest first",
  options: {
    ...FILTERS,
    group: { type: "text", value: "FIELD", description: "Count by code, operation or workflow instead" },
    limit: { type: "text", value: "N", description: "At most so many (default: 50)" },
    cursor: { type: "text", value: "CURSOR", description: "Go on after a page" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const group = args.text("group");
    const query = { ...filterOf(args), group, limit: args.text("limit"), cursor: args.text("cursor") };
    const page = await hub.get<PageBody<DeadLetterBody & CountBody>>("/api/dead-letters", { query });
    if (args.flag("json")) outJson(cli, page);
    else if (page.items.length === 0) cli.err("No dead letters: every failed run has been dealt with");
    else if (group !== undefined) cli.out(countTable(page.items, group, cli));
    else {
      cli.out(letterTable(page.items, cli));
      if (page.nextCursor !== null) cli.err(cli.style.dim(`More: --cursor ${page.nextCursor}`));
    }
    return ExitCode.OK;
  },
};

function filterOf(args: ParsedArgs): Record<string, string | readonly string[] | undefined> {
  return {
    workflow: args.text("workflow"),
    operation: args.text("operation"),
    code: args.text("code"),
    label: args.texts("label"),
  };
}

function letterTable(items: readonly DeadLetterBody[], { style, width, now }: Cli): string {
  const columns = [
    { title: "run" },
    { title: "workflow", min: 8 },
    { title: "node", min: 6 },
    { title: "tries", align: "right" },
    { title: "failed", align: "right" },
    { title: "code", paint: style.red },
    { title: "message", min: 10 },
  ] as const;
  const rows = items.map((it) => [
    it.runId,
    it.workflow,
    it.nodeKey ?? "",
    String(it.attempts),
    formatAge(it.at, now()),
    it.code,
    it.message,
  ]);
  return formatTable(columns, rows, { width, style });
}

function countTable(items: readonly CountBody[], group: string, { style, width, now }: Cli): string {
  const columns = [{ title: group, min: 8 }, { title: "runs", align: "right" }, {
    title: "latest",
    align: "right",
  }] as const;
  return formatTable(columns, items.map((it) => [it.value ?? "none", String(it.count), formatAge(it.at, now())]), {
    width,
    style,
  });
}

const act: Command = {
  name: "act",
  summary: "Run dead letters again, or discard them",
  positionals: [{ name: "action", required: true, description: "rerun or discard" }],
  options: {
    run: { type: "text", multiple: true, value: "ID", description: "This run; else those that the filters take" },
    ...FILTERS,
    all: { type: "flag", description: "All, where there is neither a run nor a filter" },
    "from-failed": { type: "flag", description: "Reuse what had completed" },
    limit: { type: "text", value: "N", description: "At most so many (default: 100)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const ids = args.texts("run");
    const filter = Object.fromEntries(
      Object.entries(filterOf(args)).filter(([, value]) => value !== undefined && value.length > 0),
    );
    if (ids.length === 0 && Object.keys(filter).length === 0 && !args.flag("all")) {
      throw usageError("Say which: --run ID, a filter such as --code TIMEOUT, or --all");
    }
    const limit = args.text("limit");
    const answer = await hub.post<ActBody>("/api/dead-letters/act", {
      body: {
        action: args.required("action"),
        ...(ids.length > 0 ? { ids } : { filter }),
        ...(args.flag("from-failed") && { fromFailed: true }),
        ...(limit !== undefined && { limit: Number(limit) }),
      },
    });
    return showActed(answer, args, cli);
  },
};

/** Says what happened to each run; fails when one could not be acted on. */
export function showActed(answer: ActBody, args: ParsedArgs, cli: Cli): ExitCode {
  if (args.flag("json")) outJson(cli, answer);
  else {
    for (const { runId, newRunId, error } of answer.items) {
      if (error !== undefined) cli.err(`${runId} ${cli.style.red(error.code)} ${error.message}`);
      else cli.out(newRunId === undefined ? `${runId} done` : `${runId} -> ${newRunId}`);
    }
    if (answer.items.length === 0) cli.err("Nothing to act on");
    if (answer.more) cli.err(cli.style.dim("There are more: run the command again"));
  }
  return answer.items.every(({ done }) => done) ? ExitCode.OK : ExitCode.FAILED;
}

/** `hub dead-letters …` */
export const deadLettersCommands: CommandGroup = {
  name: "dead-letters",
  summary: "Failed runs that nobody has dealt with",
  commands: [list, act],
};
