import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readBudget } from "../read_budget.ts";
import type { PageBody } from "../run_views.ts";

const KINDS = ["calls", "tokens", "costMicros"] as const;
type Amounts = { readonly [Kind in (typeof KINDS)[number]]: number };
interface BudgetBody {
  readonly kind: string;
  readonly id: string;
  readonly limits: { readonly [Kind in keyof Amounts]: number | null };
  readonly spent: Amounts;
  readonly reserved: Amounts;
}

const list: Command = {
  name: "list",
  summary: "Budgets, newest first: what is spent and reserved of what",
  options: {
    kind: { type: "text", value: "KIND", description: "run, key, org or session" },
    limit: { type: "text", value: "N", description: "At most so many (default: 50)" },
    cursor: { type: "text", value: "CURSOR", description: "Go on after a page" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const query = { kind: args.text("kind"), limit: args.text("limit"), cursor: args.text("cursor") };
    const page = await hub.get<PageBody<BudgetBody>>("/api/budgets", { query });
    if (args.flag("json")) outJson(cli, page);
    else if (page.items.length === 0) {
      cli.err("No budgets. Give a run one with `hub run <workflow> --budget calls=100`");
    } else {
      cli.out(budgetTable(page.items, cli));
      if (page.nextCursor !== null) cli.err(cli.style.dim(`More: --cursor ${page.nextCursor}`));
    }
    return ExitCode.OK;
  },
};

const set: Command = {
  name: "set",
  summary: "Set the limits of a budget, of a run also while it is under way",
  positionals: [
    { name: "kind", required: true, description: "run, key, org or session" },
    { name: "id", required: true, description: "whose budget it is" },
  ],
  options: {
    limit: {
      type: "text",
      multiple: true,
      value: "KIND=LIMIT",
      description: "calls, tokens or costMicros; what is left out is not limited",
    },
    ...HUB_OPTIONS,
  },
  examples: ["hub budgets set org default --limit costMicros=5000000"],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const limits = readBudget(args.texts("limit")) ?? {};
    if ("wallMs" in limits || "depth" in limits) throw usageError("--limit takes calls, tokens and costMicros only");
    const path = `/api/budgets/${encodeURIComponent(args.required("kind"))}/${encodeURIComponent(args.required("id"))}`;
    const budget = await hub.json<BudgetBody>("PUT", path, { body: limits });
    if (args.flag("json")) outJson(cli, budget);
    else cli.out(budgetTable([budget], cli));
    return ExitCode.OK;
  },
};

function budgetTable(budgets: readonly BudgetBody[], { style, width }: Cli): string {
  const columns = [
    { title: "kind" },
    { title: "id", min: 8 },
    ...KINDS.map((title) => ({ title, align: "right" } as const)),
  ];
  const cell = ({ limits, spent, reserved }: BudgetBody, kind: keyof Amounts): string =>
    `${spent[kind]}${reserved[kind] > 0 ? `+${reserved[kind]}` : ""}${
      limits[kind] === null ? "" : ` of ${limits[kind]}`
    }`;
  const rows = budgets.map((one) => [one.kind, one.id, ...KINDS.map((kind) => cell(one, kind))]);
  return formatTable(columns, rows, { width, style });
}

/** `hub budgets …` */
export const budgetsCommands: CommandGroup = {
  name: "budgets",
  summary: "See and set what may be used",
  commands: [list, set],
};

/** `hub usage` */
export const usageCommand: Command = {
  name: "usage",
  summary: "What was used, the costliest first",
  options: {
    by: { type: "text", value: "GROUP", description: "workflow, operation, run, key or model (default: workflow)" },
    since: { type: "text", value: "TIME", description: "From this instant on (default: 30 days ago)" },
    limit: { type: "text", value: "N", description: "At most so many groups (default: 50)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const since = args.text("since");
    const from = since === undefined ? undefined : Date.parse(since);
    if (Number.isNaN(from)) {
      throw usageError(`--since "${since}" wants an instant such as 2026-01-31 or 2026-01-31T12:00Z`);
    }
    const { items } = await hub.get<PageBody<Amounts & { readonly group: string | null }>>("/api/usage", {
      query: { by: args.text("by"), since: from === undefined ? undefined : String(from), limit: args.text("limit") },
    });
    const columns = [
      { title: args.text("by") ?? "workflow", min: 8 },
      ...KINDS.map((title) => ({ title, align: "right" } as const)),
    ];
    if (args.flag("json")) outJson(cli, items);
    else if (items.length === 0) cli.err("Nothing was charged in that time");
    else {
      const rows = items.map((row) => [row.group ?? "", ...KINDS.map((kind) => String(row[kind]))]);
      cli.out(formatTable(columns, rows, { width: cli.width, style: cli.style }));
    }
    return ExitCode.OK;
  },
};
