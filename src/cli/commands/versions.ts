import { outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { type DiffBody, diffText } from "../format/diff_text.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import type { PageBody } from "../run_views.ts";

const WORKFLOW = { name: "workflow", required: true, description: "name of the workflow" } as const;

interface VersionBody {
  readonly version: string;
  readonly current: boolean;
  readonly available: boolean;
  readonly deployedAt: number | null;
  readonly liveRuns: number;
}

/** `hub workflows versions` */
export const versions: Command = {
  name: "versions",
  summary: "The versions of a workflow, and the runs on each that have not ended",
  positionals: [WORKFLOW],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/workflows/${encodeURIComponent(args.required("workflow"))}/versions`;
    const { items } = await hub.get<PageBody<VersionBody>>(path);
    if (args.flag("json")) outJson(cli, items);
    else {
      const columns = [{ title: "version" }, { title: "deployed", align: "right" }, {
        title: "live runs",
        align: "right",
      }, { title: "" }] as const;
      const rows = items.map(({ version, current, available, deployedAt, liveRuns }) => [
        version,
        deployedAt === null ? "" : formatAge(deployedAt, cli.now()),
        String(liveRuns),
        current ? "served" : available ? "" : "gone",
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

interface VersionDiffBody {
  readonly from: string;
  readonly to: string;
  readonly inputSchemaChanged: boolean;
  readonly outputSchemaChanged: boolean;
  readonly diff: DiffBody | null;
}

/** `hub workflows diff` */
export const diff: Command = {
  name: "diff",
  summary: "How the graphs of two versions differ",
  positionals: [
    WORKFLOW,
    { name: "from", required: true, description: "a version" },
    { name: "to", required: false, description: "another (default: the one served)" },
  ],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/workflows/${encodeURIComponent(args.required("workflow"))}/diff`;
    const found = await hub.get<VersionDiffBody>(path, {
      query: { from: args.required("from"), to: args.word("to") },
    });
    if (args.flag("json")) outJson(cli, found);
    else {
      cli.out(`${found.from} -> ${found.to}`);
      if (found.inputSchemaChanged) cli.out("The input's schema has changed");
      if (found.outputSchemaChanged) cli.out("The output's schema has changed");
      cli.out(
        found.diff === null ? "A plan depends on the input: there is none to compare" : diffText(found.diff, cli.style),
      );
    }
    return ExitCode.OK;
  },
};
