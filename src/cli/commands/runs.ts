import { type Cli, outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge, formatDuration } from "../format/duration.ts";
import { statusMark, statusText } from "../format/status_mark.ts";
import { formatTable } from "../format/table.ts";
import { budgetText } from "../format/budget_text.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";
import type { PageBody, RunBody } from "../run_views.ts";
import { outcomeLine, watchRun } from "../watch_run.ts";
import { actOnRuns } from "./act_on_runs.ts";
import { fork, migrate, rerun } from "./lineage.ts";
import { keepCommands } from "./keep.ts";
import { calls, events } from "./run_calls.ts";
import { logs } from "./run_logs.ts";
import { search } from "./run_search.ts";

const RUN = { name: "run", required: true, description: "id of the run" } as const;

const list: Command = {
  name: "list",
  summary: "Runs, newest first",
  options: {
    workflow: { type: "text", value: "NAME", description: "Of this workflow" },
    status: {
      type: "text",
      multiple: true,
      value: "STATUS",
      description: "running, paused, completed, failed or aborted",
    },
    label: { type: "text", multiple: true, value: "KEY[=VALUE]", description: "With this label" },
    lineage: { type: "text", value: "RUN", description: "Made of this run by a rerun or fork" },
    query: { type: "text", short: "q", value: "TEXT", description: "With this in id, workflow or labels" },
    limit: { type: "text", value: "N", description: "At most so many (default: 50)" },
    cursor: { type: "text", value: "CURSOR", description: "Go on after a page" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const page = await hub.get<PageBody<RunBody>>("/api/runs", {
      query: {
        workflow: args.text("workflow"),
        status: args.texts("status"),
        label: args.texts("label"),
        lineage: args.text("lineage"),
        q: args.text("query"),
        limit: args.text("limit"),
        cursor: args.text("cursor"),
      },
    });
    if (args.flag("json")) outJson(cli, page);
    else if (page.items.length === 0) cli.err("No runs. Start one with `hub run <workflow>`");
    else {
      cli.out(runTable(page.items, cli));
      if (page.nextCursor !== null) cli.err(cli.style.dim(`More: --cursor ${page.nextCursor}`));
    }
    return ExitCode.OK;
  },
};

function runTable(runs: readonly RunBody[], cli: Cli): string {
  const { style, width } = cli;
  const columns = [
    { title: " " },
    { title: "run" },
    { title: "workflow", min: 8 },
    { title: "started", align: "right" },
    { title: "took", align: "right" },
    { title: "error", min: 6, paint: style.red },
  ] as const;
  const rows = runs.map((run) => [
    statusMark(run.status, { ...style, ...NO_COLOUR }),
    run.id,
    run.workflow,
    formatAge(run.createdAt, cli.now()),
    run.completedAt === null ? "" : formatDuration(run.completedAt - run.createdAt),
    "errorCode" in run && typeof run.errorCode === "string" ? run.errorCode : "",
  ]);
  return formatTable(columns, rows, { width, style });
}

// Cells are fitted before they are painted, so what goes into one has no colour.
const plain = (text: string): string => text;
const NO_COLOUR = { red: plain, green: plain, yellow: plain, cyan: plain, dim: plain };

const show: Command = {
  name: "show",
  summary: "A run: its state, input, output or error",
  positionals: [RUN],
  options: { watch: { type: "flag", short: "w", description: "Show progress until it ends" }, ...HUB_OPTIONS },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const id = encodeURIComponent(args.required("run"));
    const run = args.flag("watch") ? await watchRun(hub, id, cli) : await hub.get<RunBody>(`/api/runs/${id}`);
    if (args.flag("json")) outJson(cli, run);
    else showRun(run, cli);
    return ExitCode.OK;
  },
};

function showRun(run: RunBody, cli: Cli): void {
  const { style } = cli;
  const line = (name: string, value: string) => cli.out(`${style.dim(name.padEnd(9))} ${value}`);
  line("run", style.bold(run.id));
  line("workflow", `${run.workflow} ${style.dim(run.version)}`);
  line("status", statusText(run.status, `${statusMark(run.status, style)} ${run.status}`, style));
  line("started", `${new Date(run.createdAt).toISOString()} (${formatAge(run.createdAt, cli.now())})`);
  if (run.completedAt !== null) line("took", formatDuration(run.completedAt - run.createdAt));
  const progress = Object.entries(run.progress).filter(([, count]) => count > 0);
  line("nodes", progress.map(([name, count]) => `${count} ${name}`).join(", "));
  if (run.lastProgress !== undefined) {
    const { key, value, total, message } = run.lastProgress;
    const howFar = value === null ? "" : ` ${value}${total === null ? "" : ` of ${total}`}`;
    line("progress", `${key}:${howFar}${message === null ? "" : ` ${message}`}`);
  }
  const labels = Object.entries(run.labels);
  if (labels.length > 0) line("labels", labels.map(([key, value]) => `${key}=${value}`).join(" "));
  if (run.parentRunId !== null) line("parent", run.parentRunId);
  if (run.budget) line("budget", budgetText(run.budget));
  if (run.lineage) {
    line(
      run.lineage.kind,
      `of ${run.lineage.runId}${run.lineage.from === null ? "" : ` from ${run.lineage.from.join(", ")}`}`,
    );
  }
  line("input", JSON.stringify(run.input));
  if (run.status === "completed") line("output", JSON.stringify(run.output, null, 2));
  if (run.error !== null) cli.out(outcomeLine(run, cli));
}

function act(name: "abort" | "pause" | "resume", summary: string): Command {
  return {
    name,
    summary,
    positionals: [RUN],
    options: {
      node: {
        type: "text",
        value: "KEY",
        description: 'Only this node with all that is in it, as "files" or "files[3]"',
      },
      ...(name === "abort" && { reason: { type: "text" as const, value: "TEXT", description: "Why, for the record" } }),
      ...HUB_OPTIONS,
    },
    async run(args, cli) {
      const hub = await openHub(args, cli);
      const reason = args.text("reason");
      const node = args.text("node");
      const path = `/api/runs/${encodeURIComponent(args.required("run"))}`;
      const run = await hub.post<RunBody>(
        `${path}${node === undefined ? "" : `/nodes/${encodeURIComponent(node)}`}/${name}`,
        reason === undefined ? {} : { body: { reason } },
      );
      if (args.flag("json")) outJson(cli, run);
      else if (node === undefined) cli.out(`Run ${run.id} is ${run.status}`);
      else cli.out(`Node ${node} of run ${run.id} is ${DONE[name]}; the run is ${run.status}`);
      return ExitCode.OK;
    },
  };
}

const DONE = { abort: "aborted", pause: "paused", resume: "no longer paused" } as const;

/** Acts on a node that waits for its next attempt. */
function actOnAttempt(name: "retry" | "give-up", summary: string, done: string): Command {
  return {
    name,
    summary,
    positionals: [RUN, { name: "node", required: true, description: "key of the node, as `hub runs why` shows it" }],
    options: HUB_OPTIONS,
    async run(args, cli) {
      const hub = await openHub(args, cli);
      const [id, node] = [args.required("run"), args.required("node")];
      const path = `/api/runs/${encodeURIComponent(id)}/nodes/${encodeURIComponent(node)}/${name}`;
      const run = await hub.post<RunBody>(path);
      if (args.flag("json")) outJson(cli, run);
      else cli.out(`Node ${node} of run ${run.id} ${done}`);
      return ExitCode.OK;
    },
  };
}

const signal: Command = {
  name: "signal",
  summary: "Answer a signal or an approval that a run waits for",
  positionals: [RUN, { name: "signal", required: true, description: "name of the signal, as `hub runs why` shows it" }],
  options: {
    payload: { type: "text", short: "p", value: "JSON|@file", description: "What the run is told (default: null)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const [run, name] = [args.required("run"), args.required("signal")];
    const payload = await readInput(args.text("payload"), "--payload");
    const path = `/api/runs/${encodeURIComponent(run)}/signals/${encodeURIComponent(name)}`;
    const answer = await hub.post(path, payload === undefined ? {} : { body: payload });
    if (args.flag("json")) outJson(cli, answer);
    else cli.out(`Run ${run} has its answer to "${name}"`);
    return ExitCode.OK;
  },
};

interface WhyBody {
  readonly key: string;
  readonly status: string;
  readonly waitsFor: string;
  readonly message: string;
}

const why: Command = {
  name: "why",
  summary: "What each node of a run that is not moving waits for",
  positionals: [RUN],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const id = args.required("run");
    const { items } = await hub.get<PageBody<WhyBody>>(`/api/runs/${encodeURIComponent(id)}/why`);
    if (args.flag("json")) outJson(cli, items);
    else if (items.length === 0) cli.err(`Run ${id} waits for nothing: it has ended`);
    else cli.out(whyTable(items, cli));
    return ExitCode.OK;
  },
};

function whyTable(items: readonly WhyBody[], { width, style }: Cli): string {
  const columns = [{ title: "node", min: 8 }, { title: "status" }, { title: "waits for" }, { title: "why", min: 12 }];
  return formatTable(columns, items.map((it) => [it.key, it.status, it.waitsFor, it.message]), { width, style });
}

/** `hub runs …` */
export const runsCommands: CommandGroup = {
  name: "runs",
  summary: "See runs and act on them",
  commands: [
    list,
    show,
    act("abort", "Abort a run, or one node of it, and everything under it"),
    act("pause", "Start no new node of a run, or of one node of it"),
    act("resume", "Let a paused run, or node, go on"),
    actOnRuns,
    actOnAttempt("retry", "Try a node again now that waits for its next attempt", "is tried again now"),
    actOnAttempt("give-up", "Let a node that waits for its next attempt fail", "has been given up"),
    rerun,
    fork,
    migrate,
    signal,
    why,
    calls,
    events,
    ...keepCommands,
    logs,
    search,
  ],
};
