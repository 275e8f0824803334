import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, OptionSpec, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { type DiffBody, diffText } from "../format/diff_text.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";
import type { RunBody } from "../run_views.ts";
import { watchRun } from "../watch_run.ts";
import { showOutcome } from "./run.ts";

const RUN = { name: "run", required: true, description: "id of the run" } as const;
const OPTIONS: Readonly<Record<string, OptionSpec>> = {
  from: {
    type: "text",
    multiple: true,
    value: "KEY",
    description: "Run this node, Map item (`measure[3]`) or container again, and all after it; reuse the rest",
  },
  input: { type: "text", short: "i", value: "JSON|@file", description: "Input in the place of the old one" },
  version: { type: "text", value: "VERSION", description: "Version of the workflow (default: the same)" },
  watch: { type: "flag", short: "w", description: "Show progress until the new run ends" },
  ...HUB_OPTIONS,
};

/** `hub runs rerun` */
export const rerun: Command = {
  name: "rerun",
  summary: "Start the same again, all of it, from a node on, or what failed",
  positionals: [RUN],
  options: { "from-failed": { type: "flag", description: "Reuse what had completed, run what had not" }, ...OPTIONS },
  examples: ["hub runs rerun 0190… --from-failed", "hub runs rerun 0190… --from 'measure[3]'"],
  run: (args, cli) => startOfRun("rerun", args.flag("from-failed") ? { fromFailed: true } : {}, args, cli),
};

/** `hub runs fork` */
export const fork: Command = {
  name: "fork",
  summary: "A new run that goes on from where this one is, or was; this one stays as it is",
  positionals: [RUN],
  options: { at: { type: "text", value: "SEQ", description: "As of this event (default: now)" }, ...OPTIONS },
  examples: ["hub runs fork 0190… --from write --input '{\"n\": 2}'", "hub runs fork 0190… --at 17"],
  run: (args, cli) => startOfRun("fork", atOf(args), args, cli),
};

function atOf(args: ParsedArgs): object {
  const at = args.text("at");
  if (at === undefined) return {};
  if (!/^[1-9][0-9]{0,14}$/.test(at)) {
    throw usageError(`Option "--at" wants the seq of an event: current value is "${at}"`, "See `hub runs fork --help`");
  }
  return { at: Number(at) };
}

async function startOfRun(kind: "rerun" | "fork", extra: object, args: ParsedArgs, cli: Cli): Promise<ExitCode> {
  const hub = await openHub(args, cli);
  const input = await readInput(args.text("input"));
  const version = args.text("version");
  const from = args.texts("from");
  const body = {
    ...extra,
    ...(from.length > 0 && { from }),
    ...(input !== undefined && { input }),
    ...(version !== undefined && { version }),
  };
  const path = `/api/runs/${encodeURIComponent(args.required("run"))}/${kind}`;
  const started = await hub.post<Pick<RunBody, "id" | "status"> & { readonly reused?: number }>(path, { body });
  if (args.flag("watch")) return showOutcome(await watchRun(hub, started.id, cli), args, cli);
  if (args.flag("json")) outJson(cli, started);
  else {
    cli.out(started.id);
    if (started.reused) cli.err(cli.style.dim(`${started.reused} results reused`));
  }
  return ExitCode.OK;
}

interface ReasonBody {
  readonly key: string | null;
  readonly reason: string;
}

interface MigrationBody {
  readonly from: string;
  readonly to: string;
  readonly migrated: boolean;
  readonly allowed: boolean;
  readonly reasons: readonly ReasonBody[];
  readonly diff: DiffBody;
}

/** `hub runs migrate` */
export const migrate: Command = {
  name: "migrate",
  summary: "Move a live run to another version of its workflow, where what has begun is the same in both",
  positionals: [RUN],
  options: {
    version: { type: "text", value: "VERSION", description: "The version to move to: see `hub workflows versions`" },
    "dry-run": { type: "flag", description: "Only say whether it could be, and why not" },
    ...HUB_OPTIONS,
  },
  examples: ["hub runs migrate 0190… --version 3f9a… --dry-run"],
  async run(args, cli) {
    const version = args.text("version");
    if (version === undefined) throw usageError('Option "--version" is missing', "See `hub runs migrate --help`");
    const hub = await openHub(args, cli);
    const id = args.required("run");
    const path = `/api/runs/${encodeURIComponent(id)}/migrate`;
    const body = { version, ...(args.flag("dry-run") && { dryRun: true }) };
    const migration = await hub.post<MigrationBody>(path, { body });
    if (args.flag("json")) outJson(cli, migration);
    else {
      cli.out(diffText(migration.diff, cli.style));
      for (const { key, reason } of migration.reasons) cli.err(`${key === null ? "" : `${key}: `}${reason}`);
      cli.out(
        migration.migrated
          ? `Run ${id} goes on with version ${migration.to}`
          : migration.allowed
          ? `Run ${id} can be moved to version ${migration.to}`
          : `Run ${id} cannot be moved to version ${migration.to}`,
      );
    }
    return migration.allowed ? ExitCode.OK : ExitCode.FAILED;
  },
};
