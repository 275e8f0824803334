import { ExitCode, usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatGraph, type RunGraphView } from "../format/graph_text.ts";
import { openHub } from "../hub_client.ts";

const FORMATS = ["text", "mermaid", "dot", "svg", "json"];

/** `hub graph <run>` */
export const graphCommand: Command = {
  name: "graph",
  summary: "The graph of a run",
  positionals: [{ name: "run", required: true, description: "id of the run" }],
  options: {
    format: { type: "text", short: "f", value: FORMATS.join("|"), description: "How it is drawn (default: text)" },
    at: { type: "text", value: "SEQ", description: "As it was after this event" },
    ...HUB_OPTIONS,
  },
  examples: ["hub graph 0199a1b2-…", "hub graph 0199a1b2-… --format mermaid > run.mmd"],
  async run(args, cli) {
    const format = args.flag("json") ? "json" : args.text("format") ?? "text";
    if (!FORMATS.includes(format)) {
      throw usageError(`--format wants one of ${FORMATS.join(", ")}: current value is "${format}"`);
    }
    const hub = await openHub(args, cli);
    const id = encodeURIComponent(args.required("run"));
    const at = args.text("at");
    const query = { format: format === "text" ? "json" : format, at };
    if (format !== "text") {
      cli.out((await hub.text(`/api/runs/${id}/graph`, { query })).trimEnd());
      return ExitCode.OK;
    }
    const graph = await hub.get<RunGraphView>(`/api/runs/${id}/graph`, { query: { ...query, data: "false" } });
    cli.out(formatGraph(graph, graph.tree ?? null, { width: cli.width, style: cli.style }));
    return ExitCode.OK;
  },
};
