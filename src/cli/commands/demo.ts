import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cli, outJson } from "../cli.ts";
import { CliError, ExitCode } from "../cli_error.ts";
import type { Command, ParsedArgs } from "../command.ts";
import { formatGraph, type RunGraphView } from "../format/graph_text.ts";
import { HubClient } from "../hub_client.ts";
import { loadHubProgram } from "../hub_program.ts";
import type { PageBody, RunBody } from "../run_views.ts";
import { outcomeLine, watchRun } from "../watch_run.ts";
import { startDemoSpoke } from "../demo_spoke.ts";
import { aborted, loadSettings, startLog, startOr } from "./serve.ts";

const WORKFLOW = "source_report";
/** Marks the demo's runs, so that a start on the same data directory finds the one that was cut off. */
const LABEL = "demo";
const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
/** Lines of the report that are shown. */
const REPORT_LINES = 24;

/** `hub demo` */
export const demoCommand: Command = {
  name: "demo",
  summary: "The main job on real input: a hub, a spoke, and a workflow over this repository's own files",
  options: {
    path: { type: "text", value: "DIR", description: "Folder to report on (default: this repository)" },
    "data-dir": {
      type: "text",
      value: "DIR",
      description: "Keep everything here, and go on with a run that was cut off (default: a temporary folder)",
    },
    keep: { type: "flag", description: "Stay up after the run, to be looked at" },
    "log-level": { type: "text", value: "LEVEL", description: "How much the hub logs (default: error)" },
  },
  async run(args, cli) {
    const given = args.text("data-dir");
    const dataDir = given === undefined ? await Deno.makeTempDir({ prefix: "hub-demo-" }) : resolve(given);
    try {
      return await demo(args, cli, dataDir, given !== undefined || args.flag("keep"));
    } finally {
      if (given === undefined) await Deno.remove(dataDir, { recursive: true }).catch(() => {});
    }
  },
};

async function demo(args: ParsedArgs, cli: Cli, dataDir: string, keepsReport: boolean): Promise<ExitCode> {
  const { style } = cli;
  const path = resolve(args.text("path") ?? REPOSITORY);
  await using stack = new AsyncDisposableStack();
  const config = await loadSettings({
    HUB_DATA_DIR: dataDir,
    HUB_HOST: "127.0.0.1",
    HUB_PORT: "0",
    HUB_LOG: args.text("log-level") ?? "error",
  });
  await startLog(config);
  cli.err(style.dim("Starting a hub with an embedded database …"));
  const { startHub } = await loadHubProgram();
  const running = await startOr(() => startHub({ config }), config);
  stack.defer(() => running.stop());
  const key = (await Deno.readTextFile(running.adminKeyPath)).trim();
  const hub = new HubClient({ url: running.url, key }, cli);
  cli.err(`Hub      ${running.url}`);

  const reports = join(dataDir, "reports");
  await Deno.mkdir(reports, { recursive: true });
  const spoke = startDemoSpoke({ url: running.url, keyFile: running.adminKeyPath, roots: [path, reports], cwd: path });
  stack.defer(() => spoke.stop());
  await spoke.connected(hub, cli);
  cli.err(`Spoke    "${spoke.name}", a process of its own (pid ${spoke.pid}), may read ${path}`);

  const report = join(reports, "source-report.md");
  const runId = await unfinishedRun(hub, cli) ?? await startRun(hub, cli, path, report);
  // Early, so that whoever looks on can follow it even when this process dies.
  (args.flag("json") ? cli.err : cli.out)(`Run      ${runId}`);
  cli.err("");
  const run = await watchRun(hub, runId, cli);
  cli.err("");
  await showResult({ hub, run, cli, args, report: keepsReport ? report : null });
  if (args.flag("keep")) {
    cli.err(style.bold(`\nThe hub stays up at ${running.url} until Ctrl-C. In another terminal:`));
    cli.err(`  export HUB_URL=${running.url} HUB_KEY_FILE=${running.adminKeyPath}`);
    for (
      const command of [`graph ${runId}`, `runs show ${runId}`, "workflows list", "operations list", "spokes list"]
    ) {
      cli.err(`  deno task hub ${command}`);
    }
    await aborted(cli.signal);
  }
  return run.status === "completed" ? ExitCode.OK : ExitCode.FAILED;
}

/** The demo's own run that has not ended, left by a hub on this data directory that did not get to its end. */
async function unfinishedRun(hub: HubClient, cli: Cli): Promise<string | null> {
  const { items } = await hub.get<PageBody<RunBody>>("/api/runs", {
    query: { workflow: WORKFLOW, label: [LABEL], status: ["running"], limit: "1" },
  });
  const [run] = items;
  if (run === undefined) return null;
  cli.err(cli.style.yellow("A run that was cut off goes on"));
  return run.id;
}

async function startRun(hub: HubClient, cli: Cli, path: string, report: string): Promise<string> {
  const paceMs = Number(cli.env("HUB_DEMO_SLOW_MS") ?? 0);
  if (!Number.isInteger(paceMs) || paceMs < 0 || paceMs > 60_000) {
    throw new CliError(`HUB_DEMO_SLOW_MS wants 0 to 60000: current value is "${cli.env("HUB_DEMO_SLOW_MS")}"`);
  }
  const { id } = await hub.post<Pick<RunBody, "id">>(`/api/workflows/${WORKFLOW}/runs`, {
    body: { input: { path, report, title: `Sources of ${path}`, paceMs }, labels: { [LABEL]: "source-report" } },
  });
  return id;
}

interface Shown {
  readonly hub: HubClient;
  readonly run: RunBody;
  readonly cli: Cli;
  readonly args: ParsedArgs;
  /** Null: it does not outlive the demo. */
  readonly report: string | null;
}

async function showResult({ hub, run, cli, args, report }: Shown): Promise<void> {
  const { style, width } = cli;
  const graph = await hub.get<RunGraphView>(`/api/runs/${run.id}/graph`, { query: { data: "false" } });
  if (args.flag("json")) {
    outJson(cli, { run, graph });
    return;
  }
  if (run.status === "completed") {
    const lines = (await composedReport(hub, run.id)).split("\n");
    for (const line of lines.slice(0, REPORT_LINES)) cli.out(line);
    if (lines.length > REPORT_LINES) cli.out(style.dim(`… ${lines.length - REPORT_LINES} more lines`));
  }
  cli.out("");
  cli.out(formatGraph(graph, graph.tree ?? null, { width, style }));
  cli.out("");
  cli.out(outcomeLine(run, cli));
  if (report !== null && run.status === "completed") cli.out(`Report   ${report}`);
  cli.out(`Graph    ${hub.url}/api/runs/${run.id}/graph`);
  cli.out(style.dim(`         deno task hub graph ${run.id} --url ${hub.url}`));
  if (!args.flag("keep")) cli.out(style.dim("         while the hub is up: `deno task demo --keep` leaves it up"));
}

/** What the workflow wrote, taken from the run itself. */
async function composedReport(hub: HubClient, runId: string): Promise<string> {
  const { nodes } = await hub.get<{ readonly nodes: readonly { readonly key: string; readonly output?: unknown }[] }>(
    `/api/runs/${runId}/graph`,
  );
  const output = nodes.find(({ key }) => key === "compose")?.output;
  return typeof output === "object" && output !== null && "markdown" in output ? String(output.markdown) : "";
}
