import { allPages } from "../all_pages.ts";
import { outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { recordText } from "../format/record_text.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";

/** A spoke as the HTTP API gives it. Times are ms since the epoch. */
export interface SpokeBody {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly operations: readonly string[];
  readonly inFlight: number;
  readonly maxConcurrency: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly lastHeartbeat: number | null;
}

const list: Command = {
  name: "list",
  summary: "Spokes and what they offer",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const spokes = await allPages<SpokeBody>(await openHub(args, cli), "/api/spokes");
    if (args.flag("json")) outJson(cli, spokes);
    else if (spokes.length === 0) cli.err("No spokes. Connect one with `hub spoke dev`");
    else {
      const columns = [
        { title: "spoke", min: 8, paint: cli.style.bold },
        { title: "id", min: 8 },
        { title: "status" },
        { title: "load", align: "right" },
        { title: "seen", align: "right" },
        { title: "operations", min: 12 },
      ] as const;
      const rows = spokes.map((spoke) => [
        spoke.name,
        spoke.id,
        spoke.status,
        `${spoke.inFlight}/${spoke.maxConcurrency}`,
        spoke.lastHeartbeat === null ? "" : formatAge(spoke.lastHeartbeat, cli.now()),
        spoke.operations.join(" "),
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const SPOKE = { name: "spoke", required: true, description: "id of the spoke" } as const;

const show: Command = {
  name: "show",
  summary: "All of a spoke",
  positionals: [SPOKE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const spoke = await hub.get<SpokeBody>(`/api/spokes/${encodeURIComponent(args.required("spoke"))}`);
    if (args.flag("json")) outJson(cli, spoke);
    else cli.out(recordText(spoke, cli.style));
    return ExitCode.OK;
  },
};

const drain: Command = {
  name: "drain",
  summary: "Give a spoke no new calls",
  positionals: [SPOKE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const spoke = await hub.post<SpokeBody>(`/api/spokes/${encodeURIComponent(args.required("spoke"))}/drain`);
    if (args.flag("json")) outJson(cli, spoke);
    else cli.out(`Spoke ${spoke.name} is ${spoke.status}: ${spoke.inFlight} calls under way`);
    return ExitCode.OK;
  },
};

/** `hub spokes …` */
export const spokesCommands: CommandGroup = { name: "spokes", summary: "See spokes", commands: [list, show, drain] };
