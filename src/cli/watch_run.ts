import { CliError } from "./cli_error.ts";
import type { Cli } from "./cli.ts";
import { formatDuration } from "./format/duration.ts";
import { errorLine, type PlanNodeView } from "./format/graph_tree.ts";
import { isNews, LiveBlock, progressLines, stepLine } from "./format/progress_view.ts";
import { type ProgressEvent, RunProgress } from "./format/run_progress.ts";
import type { HubClient } from "./hub_client.ts";
import { planNodes } from "./plan_nodes.ts";
import type { RunBody, WorkflowBody } from "./run_views.ts";

/** At most so often is the terminal drawn, in ms. */
const FRAME_MS = 80;
const KEY_WIDTH = 16;
const TERMINAL: ReadonlySet<string> = new Set(["run.completed", "run.failed", "run.aborted"]);

/**
 * Shows a run's progress until it ends, then gives it as it ended. On a terminal a block that is drawn anew, elsewhere a
 * line for what is news. Both go to stderr.
 */
export async function watchRun(hub: HubClient, runId: string, cli: Cli): Promise<RunBody> {
  const run = await hub.get<RunBody>(`/api/runs/${runId}`);
  const progress = new RunProgress(await planOf(hub, run));
  const block = cli.terminal ? new LiveBlock((text) => cli.raw(text)) : null;
  let drawnAt = -Infinity;
  for await (const { type, data } of hub.events(`/api/runs/${runId}/events`, ({ type }) => TERMINAL.has(type))) {
    if (type === "error") throw new CliError(`The hub ended the run's events: ${data}`);
    const event: ProgressEvent = JSON.parse(data);
    const step = progress.apply(event);
    if (block === null) {
      if (step !== null && isNews(step, event.type)) cli.err(stepLine(step, KEY_WIDTH, cli.style));
      if (event.type === "call.error" && event.error !== undefined) {
        cli.err(
          cli.style.red(`  ${event.key}: ${errorLine(event.error)}${event.retryAt == null ? "" : " (to be retried)"}`),
        );
      }
      if (event.type === "map.expanded") cli.err(cli.style.dim(`  ${event.key}: ${event.count} items`));
    } else if (cli.now() - drawnAt >= FRAME_MS) {
      block.draw(progressLines(progress, { width: cli.width, style: cli.style }));
      drawnAt = cli.now();
    }
  }
  block?.draw(progressLines(progress, { width: cli.width, style: cli.style }));
  return await hub.get<RunBody>(`/api/runs/${runId}`);
}

/** The plan that a run's graph is drawn with; null when it cannot be had: the tree is drawn without it then. */
export async function planOf(hub: HubClient, run: PlannedRun): Promise<readonly PlanNodeView[] | null> {
  const { workflow, version, input } = run;
  const path = `/api/workflows/${encodeURIComponent(workflow)}`;
  try {
    const nodes = planNodes(await hub.get<WorkflowBody>(path, { query: { version } }));
    if (nodes !== null) return nodes;
    const { plan } = await hub.post<Pick<WorkflowBody, "plan">>(`${path}/dry-run`, { body: { input, version } });
    return planNodes({ name: workflow, template: null, plan: plan ?? null });
  } catch (error) {
    if (error instanceof CliError) return null;
    throw error;
  }
}

type PlannedRun = Pick<RunBody, "workflow" | "version" | "input">;

/** How a run ended, on a line. */
export function outcomeLine(run: RunBody, { style }: Cli): string {
  const took = run.completedAt === null ? "" : ` in ${formatDuration(run.completedAt - run.createdAt)}`;
  if (run.status === "completed") return style.green(`Run ${run.id} completed${took}`);
  if (run.error === null) return style.yellow(`Run ${run.id} is ${run.status}${took}`);
  const where = run.error.nodeKey == null ? "" : ` at node "${run.error.nodeKey}"`;
  return style.red(`Run ${run.id} ${run.status}${took}${where}: ${errorLine(run.error)}`);
}
