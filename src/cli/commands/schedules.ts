import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { recordText } from "../format/record_text.ts";
import { formatTable } from "../format/table.ts";
import { type HubClient, openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";

/** A schedule as the HTTP API gives it. Times are ms since the epoch. */
interface ScheduleBody {
  readonly id: string;
  readonly name: string;
  readonly workflow: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly paused: boolean;
  readonly nextAt: number | null;
  readonly lastRunId: string | null;
  readonly lastError: string | null;
}

interface FireBody {
  readonly tick: number;
  readonly kind: string;
  readonly outcome: string;
  readonly runId: string | null;
  readonly reason: string | null;
}

const SCHEDULE = { name: "schedule", required: true, description: "name or id of the schedule" } as const;

/** Names are for people, ids for paths. */
async function findSchedule(hub: HubClient, nameOrId: string): Promise<ScheduleBody> {
  const all = await allPages<ScheduleBody>(hub, "/api/schedules");
  const found = all.find(({ id }) => id === nameOrId) ?? all.find(({ name }) => name === nameOrId);
  if (found === undefined) throw usageError(`There is no schedule "${nameOrId}"`, "See `hub schedules list`");
  return found;
}

const list: Command = {
  name: "list",
  summary: "Schedules and when they fire next",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const schedules = await allPages<ScheduleBody>(await openHub(args, cli), "/api/schedules");
    if (args.flag("json")) outJson(cli, schedules);
    else if (schedules.length === 0) cli.err("No schedules. Make one with `hub schedules add`");
    else {
      const columns = [
        { title: "schedule", min: 8, paint: cli.style.bold },
        { title: "workflow", min: 8 },
        { title: "cron" },
        { title: "zone", min: 6 },
        { title: "next" },
        { title: "last error", min: 10 },
      ] as const;
      const rows = schedules.map((schedule) => [
        schedule.name,
        schedule.workflow,
        schedule.cron,
        schedule.timeZone,
        schedule.paused ? "paused" : instantText(schedule.nextAt),
        schedule.lastError ?? "",
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "All of a schedule",
  positionals: [SCHEDULE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const schedule = await findSchedule(await openHub(args, cli), args.required("schedule"));
    if (args.flag("json")) outJson(cli, schedule);
    else cli.out(recordText(schedule, cli.style));
    return ExitCode.OK;
  },
};

const add: Command = {
  name: "add",
  summary: "Start a workflow at the times of a cron expression",
  positionals: [
    { name: "name", required: true, description: "what the schedule is called" },
    { name: "workflow", required: true, description: "name of the workflow" },
    { name: "cron", required: true, description: "five fields, or six with seconds first, in quotes" },
  ],
  options: {
    input: { type: "text", value: "JSON|@file", description: "Input of the runs" },
    "time-zone": { type: "text", value: "ZONE", description: "IANA name such as Europe/Berlin (default: UTC)" },
    "catch-up": { type: "text", value: "none|one|all", description: "What is made up for after a stop (default: one)" },
    overlap: { type: "text", value: "allow|skip|queue", description: "While the run before goes on (default: allow)" },
    jitter: { type: "text", value: "MS", description: "Late by up to so many ms (default: 0)" },
    version: { type: "text", value: "VERSION", description: "Version of the workflow (default: the latest each time)" },
    label: { type: "text", multiple: true, value: "KEY=VALUE", description: "Label of the runs; may be repeated" },
    priority: { type: "text", value: "N", description: "Higher first; 0 is normal" },
    paused: { type: "flag", description: "Make it paused" },
    ...HUB_OPTIONS,
  },
  examples: [`hub schedules add nightly report '0 3 * * *' --time-zone Europe/Berlin --input '{"days": 1}'`],
  async run(args, cli) {
    const input = await readInput(args.text("input"));
    const optional = {
      input,
      timeZone: args.text("time-zone"),
      catchUp: args.text("catch-up"),
      overlap: args.text("overlap"),
      jitterMs: integer(args, "jitter"),
      version: args.text("version"),
      priority: integer(args, "priority"),
      labels: labels(args.texts("label")),
      paused: args.flag("paused") ? true : undefined,
    };
    const body = { name: args.required("name"), workflow: args.required("workflow"), cron: args.required("cron") };
    const hub = await openHub(args, cli);
    // What was not given is left out of JSON.
    return tell(await hub.post<ScheduleBody>("/api/schedules", { body: { ...body, ...optional } }), args, cli);
  },
};

function integer(args: ParsedArgs, name: string): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`--${name} wants an integer: current value is "${text}"`);
}

function labels(given: readonly string[]): Record<string, string> | undefined {
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw usageError(`--label wants KEY=VALUE: current value is "${pair}"`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
}

function instantText(at: number | null): string {
  return at === null ? "never" : new Date(at).toISOString().slice(0, 19) + "Z";
}

function tell(schedule: ScheduleBody, args: ParsedArgs, cli: Cli): ExitCode {
  if (args.flag("json")) outJson(cli, schedule);
  else {
    const next = schedule.paused ? "is paused" : `fires next at ${instantText(schedule.nextAt)}`;
    cli.out(`Schedule ${cli.style.bold(schedule.name)} ${next}`);
  }
  return ExitCode.OK;
}

function verb(name: "pause" | "resume", summary: string): Command {
  return {
    name,
    summary,
    positionals: [SCHEDULE],
    options: HUB_OPTIONS,
    async run(args, cli) {
      const hub = await openHub(args, cli);
      const { id } = await findSchedule(hub, args.required("schedule"));
      return tell(await hub.post<ScheduleBody>(`/api/schedules/${id}/${name}`), args, cli);
    },
  };
}

const remove: Command = {
  name: "remove",
  summary: "Remove a schedule; its runs stay",
  positionals: [SCHEDULE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { id, name } = await findSchedule(hub, args.required("schedule"));
    await hub.json("DELETE", `/api/schedules/${id}`);
    if (args.flag("json")) outJson(cli, { id, name });
    else cli.out(`Schedule ${name} is removed`);
    return ExitCode.OK;
  },
};

const run: Command = {
  name: "run",
  summary: "Start a schedule's workflow now",
  positionals: [SCHEDULE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { id } = await findSchedule(hub, args.required("schedule"));
    const started = await hub.post<{ readonly id: string }>(`/api/schedules/${id}/run`);
    if (args.flag("json")) outJson(cli, started);
    else cli.out(started.id);
    return ExitCode.OK;
  },
};

const times: Command = {
  name: "times",
  summary: "When a schedule fires next, and what its last times came to",
  positionals: [SCHEDULE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { id } = await findSchedule(hub, args.required("schedule"));
    const found = await hub.get<{ readonly next: readonly number[]; readonly past: readonly FireBody[] }>(
      `/api/schedules/${id}/times`,
    );
    if (args.flag("json")) outJson(cli, found);
    else {
      const columns = [{ title: "time" }, { title: "when" }, { title: "outcome" }, { title: "run", min: 12 }] as const;
      const rows = [
        ...found.next.toReversed().map((tick) => [instantText(tick), "", "to come", ""]),
        ...found.past.map((fire) => [
          instantText(fire.tick),
          formatAge(fire.tick, cli.now()),
          fire.kind === "manual" ? "by hand" : fire.outcome,
          fire.runId ?? fire.reason ?? "",
        ]),
      ];
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

/** `hub schedules …` */
export const schedulesCommands: CommandGroup = {
  name: "schedules",
  summary: "Start workflows at set times",
  commands: [
    list,
    show,
    add,
    verb("pause", "Let a schedule's times pass"),
    verb("resume", "Go on with the next time; those that passed are not made up for"),
    run,
    times,
    remove,
  ],
};
