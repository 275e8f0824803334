import { parseDuration } from "@alkdev/flowgraph";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { openHub } from "../hub_client.ts";
import { readBudget } from "../read_budget.ts";
import { readInput } from "../read_input.ts";
import { hasEnded, type RunBody } from "../run_views.ts";
import { outcomeLine, watchRun } from "../watch_run.ts";

/** `hub run <workflow>` */
export const runCommand: Command = {
  name: "run",
  summary: "Start a run of a workflow",
  positionals: [{ name: "workflow", required: true, description: "name of the workflow" }],
  options: {
    input: { type: "text", short: "i", value: "JSON|@file", description: "Input of the run (default: {})" },
    watch: { type: "flag", short: "w", description: "Show progress until the run ends" },
    wait: { type: "flag", description: "Wait until the run ends, and print its output" },
    version: { type: "text", value: "VERSION", description: "Version of the workflow (default: the latest)" },
    label: { type: "text", multiple: true, value: "KEY=VALUE", description: "Label of the run; may be repeated" },
    priority: { type: "text", value: "N", description: "Higher goes first (default: 0)" },
    budget: {
      type: "text",
      multiple: true,
      value: "KIND=LIMIT",
      description:
        "What it may use: calls=100, tokens=N, costMicros=N, wall=5m, depth=N; may be repeated or joined with ,",
    },
    "start-after": { type: "text", value: "WHEN", description: "Not before an instant, or a span from now: 10m" },
    "idempotency-key": { type: "text", value: "KEY", description: "The same key gives the same run" },
    ...HUB_OPTIONS,
  },
  examples: [
    'hub run hello --input \'{"name": "Ada"}\' --wait',
    "hub run source_report --input @input.json --watch",
  ],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const key = args.text("idempotency-key");
    const started = await hub.post<Pick<RunBody, "id" | "status">>(
      `/api/workflows/${encodeURIComponent(args.required("workflow"))}/runs`,
      { body: await startBody(args, cli), headers: key === undefined ? {} : { "idempotency-key": key } },
    );
    if (!args.flag("watch") && !args.flag("wait")) {
      if (args.flag("json")) outJson(cli, started);
      else {
        cli.out(started.id);
        cli.err(cli.style.dim(`See it with \`hub graph ${started.id}\` or \`hub runs show ${started.id}\``));
      }
      return ExitCode.OK;
    }
    const run = args.flag("watch") ? await watchRun(hub, started.id, cli) : await waitForRun(hub, started.id);
    return showOutcome(run, args, cli);
  },
};

async function startBody(args: ParsedArgs, cli: Cli): Promise<Readonly<Record<string, unknown>>> {
  const input = await readInput(args.text("input"));
  const version = args.text("version");
  const labels = readLabels(args.texts("label"));
  const priority = args.text("priority");
  const startAfter = args.text("start-after");
  const budget = readBudget(args.texts("budget"));
  return {
    ...(input !== undefined && { input }),
    ...(version !== undefined && { version }),
    ...(labels !== null && { labels }),
    ...(budget !== null && { budget }),
    ...(startAfter !== undefined && { startAfter: readInstant(startAfter, cli) }),
    ...(priority !== undefined && { priority: readWhole(priority, "--priority") }),
  };
}

async function waitForRun(hub: Awaited<ReturnType<typeof openHub>>, id: string): Promise<RunBody> {
  const ended = new Set(["run.completed", "run.failed", "run.aborted"]);
  for await (const _ of hub.events(`/api/runs/${id}/events`, ({ type }) => ended.has(type)));
  return await hub.get<RunBody>(`/api/runs/${id}`);
}

/** Prints how a run ended: its output to stdout, the rest to stderr. */
export function showOutcome(run: RunBody, args: ParsedArgs, cli: Cli): ExitCode {
  if (args.flag("json")) outJson(cli, run);
  else {
    cli.err(outcomeLine(run, cli));
    if (run.status === "completed") outJson(cli, run.output);
    else if (hasEnded(run.status)) cli.err(cli.style.dim(`See where with \`hub graph ${run.id}\``));
  }
  return run.status === "completed" ? ExitCode.OK : ExitCode.FAILED;
}

function readLabels(texts: readonly string[]): Readonly<Record<string, string>> | null {
  if (texts.length === 0) return null;
  return Object.fromEntries(texts.map((text) => {
    const equals = text.indexOf("=");
    if (equals <= 0) throw usageError(`--label "${text}" wants KEY=VALUE`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  }));
}

/** Ms since the epoch. */
function readInstant(text: string, cli: Cli): number {
  const span = parseDuration(text);
  const instant = span === null ? Date.parse(text) : cli.now() + Math.round(span);
  if (Number.isSafeInteger(instant) && instant >= 0) return instant;
  throw usageError(`--start-after wants an ISO instant or a span such as 10m: current value is "${text}"`);
}

/** A whole number given as an option. */
export function readWhole(text: string, option: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw usageError(`${option} wants a whole number: current value is "${text}"`);
  return Number(text);
}
