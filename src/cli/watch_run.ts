import { CliError } from "./cli_error.ts";
import type { Cli } from "./cli.ts";
import { formatDuration } from "./format/duration.ts";
import { errorLine } from "./format/graph_tree.ts";
import type { RunGraphView } from "./format/graph_text.ts";
import { isNews, LiveBlock, progressLines, stepLine } from "./format/progress_view.ts";
import { type ProgressEvent, RunProgress } from "./format/run_progress.ts";
import type { HubClient } from "./hub_client.ts";
import type { RunBody } from "./run_views.ts";

/** At most so often is the terminal drawn, in ms. */
const FRAME_MS = 80;
const KEY_WIDTH = 16;
const TERMINAL: ReadonlySet<string> = new Set(["run.completed", "run.failed", "run.aborted"]);

/**
 * Shows a run's progress until it ends, then gives it as it ended. On a terminal a block that is drawn anew, elsewhere a
 * line for what is news. Both go to stderr.
 */
export async function watchRun(hub: HubClient, runId: string, cli: Cli): Promise<RunBody> {
  const graph = await hub.get<RunGraphView>(`/api/runs/${runId}/graph`, { query: { data: "false" } });
  const progress = new RunProgress(graph.tree ?? null);
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

/** How a run ended, on a line. */
export function outcomeLine(run: RunBody, { style }: Cli): string {
  const took = run.completedAt === null ? "" : ` in ${formatDuration(run.completedAt - run.createdAt)}`;
  if (run.status === "completed") return style.green(`Run ${run.id} completed${took}`);
  if (run.error === null) return style.yellow(`Run ${run.id} is ${run.status}${took}`);
  const where = run.error.nodeKey == null ? "" : ` at node "${run.error.nodeKey}"`;
  return style.red(`Run ${run.id} ${run.status}${took}${where}: ${errorLine(run.error)}`);
}
