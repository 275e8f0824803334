import { type Cli, outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";
import type { PageBody } from "../run_views.ts";

interface ApprovalBody {
  readonly runId: string;
  readonly workflow: string;
  readonly key: string;
  readonly question: unknown;
  readonly answerers: readonly string[] | null;
  readonly since: number;
  readonly due: number | null;
}

const list: Command = {
  name: "list",
  summary: "Questions that live runs ask, longest waiting first",
  options: {
    workflow: { type: "text", value: "NAME", description: "Of this workflow" },
    all: { type: "flag", description: "Signals without a question too" },
    limit: { type: "text", value: "N", description: "At most so many (default: 50)" },
    cursor: { type: "text", value: "CURSOR", description: "Go on after a page" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const page = await hub.get<PageBody<ApprovalBody>>("/api/approvals", {
      query: {
        workflow: args.text("workflow"),
        all: args.flag("all") ? "true" : undefined,
        limit: args.text("limit"),
        cursor: args.text("cursor"),
      },
    });
    if (args.flag("json")) outJson(cli, page);
    else if (page.items.length === 0) cli.err("No run asks anything");
    else cli.out(approvalTable(page.items, cli));
    if (!args.flag("json") && page.nextCursor !== null) cli.err(cli.style.dim(`More: --cursor ${page.nextCursor}`));
    return ExitCode.OK;
  },
};

function approvalTable(items: readonly ApprovalBody[], { style, width, now }: Cli): string {
  const columns = [
    { title: "run" },
    { title: "node", min: 6, paint: style.bold },
    { title: "asked", align: "right" },
    { title: "due", align: "right" },
    { title: "who", min: 4 },
    { title: "question", min: 12 },
  ] as const;
  const rows = items.map((it) => [
    it.runId,
    it.key,
    formatAge(it.since, now()),
    it.due === null ? "" : new Date(it.due).toISOString(),
    it.answerers === null ? "anyone" : it.answerers.join(" "),
    typeof it.question === "string" ? it.question : JSON.stringify(it.question),
  ]);
  return formatTable(columns, rows, { width, style });
}

const answer: Command = {
  name: "answer",
  summary: "Answer a question of a run",
  positionals: [
    { name: "run", required: true, description: "id of the run" },
    { name: "node", required: true, description: "key of the node that asks, or name of its signal" },
  ],
  options: {
    payload: {
      type: "text",
      short: "p",
      value: "JSON|@file",
      description: "The answer, as the question's schema has it",
    },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const [run, node] = [args.required("run"), args.required("node")];
    const payload = await readInput(args.text("payload"), "--payload");
    const path = `/api/runs/${encodeURIComponent(run)}/signals/${encodeURIComponent(node)}`;
    const accepted = await hub.post(path, payload === undefined ? {} : { body: payload });
    if (args.flag("json")) outJson(cli, accepted);
    else cli.out(`Run ${run} has its answer to "${node}"`);
    return ExitCode.OK;
  },
};

/** `hub approvals …` */
export const approvalsCommands: CommandGroup = {
  name: "approvals",
  summary: "Questions that runs wait to have answered",
  commands: [list, answer],
};
