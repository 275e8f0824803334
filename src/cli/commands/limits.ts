import { parseDuration } from "@alkdev/flowgraph";
import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge, formatDuration } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readWhole } from "./run.ts";

interface Allowed {
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
}

interface KeyBody extends Allowed {
  readonly key: string;
  readonly running: number;
  readonly waiting: number;
}

interface TicketBody {
  readonly runId: string;
  readonly nodeKey: string | null;
  readonly state: string;
  readonly priority: number;
  readonly since: number;
  readonly position: number | null;
}

const KEY = {
  name: "key",
  required: true,
  description: "a concurrencyKey, `operation:<id>` or `workflow:<name>`",
} as const;

const list: Command = {
  name: "list",
  summary: "Keys with their limits, what runs and what waits",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const keys = await allPages<KeyBody>(await openHub(args, cli), "/api/flow");
    if (args.flag("json")) outJson(cli, keys);
    else if (keys.length === 0) cli.err("No key is limited or in use. Set a limit with `hub limits set`");
    else cli.out(keyTable(keys, cli));
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "Who holds a key, and who waits for it, in order",
  positionals: [KEY],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/flow/${encodeURIComponent(args.required("key"))}`;
    const key = await hub.get<KeyBody & { readonly tickets: readonly TicketBody[] }>(path);
    if (args.flag("json")) outJson(cli, key);
    else {
      cli.out(keyTable([key], cli));
      if (key.tickets.length > 0) cli.out(ticketTable(key.tickets, cli));
    }
    return ExitCode.OK;
  },
};

const set: Command = {
  name: "set",
  summary: "Limit a key: how many at once, how many in a span of time",
  positionals: [KEY],
  options: {
    concurrency: { type: "text", value: "N", description: "At most so many at once; 0 stops all" },
    rate: { type: "text", value: "N/SPAN", description: "At most so many in any span, such as 10/1m" },
    ...HUB_OPTIONS,
  },
  examples: ["hub limits set gpu --concurrency 2", "hub limits set operation:mail.send --rate 100/1m"],
  async run(args, cli) {
    const concurrency = args.text("concurrency");
    const rate = args.text("rate");
    if (concurrency === undefined && rate === undefined) {
      throw usageError("`hub limits set` wants --concurrency, --rate or both");
    }
    const hub = await openHub(args, cli);
    const limit = await hub.json<Allowed & { readonly key: string }>(
      "PUT",
      `/api/limits/${encodeURIComponent(args.required("key"))}`,
      {
        body: {
          ...(concurrency !== undefined && { concurrency: readWhole(concurrency, "--concurrency") }),
          ...(rate !== undefined && { rate: readRate(rate) }),
        },
      },
    );
    if (args.flag("json")) outJson(cli, limit);
    else cli.out(`${limit.key}: ${allowed(limit)}`);
    return ExitCode.OK;
  },
};

const remove: Command = {
  name: "remove",
  summary: "Take a key's limit away",
  positionals: [KEY],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const key = args.required("key");
    await (await openHub(args, cli)).json("DELETE", `/api/limits/${encodeURIComponent(key)}`);
    if (args.flag("json")) outJson(cli, { key });
    else cli.out(`${key} has no limit any more`);
    return ExitCode.OK;
  },
};

function keyTable(keys: readonly KeyBody[], cli: Cli): string {
  const columns = [
    { title: "key", min: 8, paint: cli.style.bold },
    { title: "running", align: "right" },
    { title: "waiting", align: "right" },
    { title: "allowed", min: 8 },
  ] as const;
  const rows = keys.map((key) => [key.key, String(key.running), String(key.waiting), allowed(key)]);
  return formatTable(columns, rows, cli);
}

function ticketTable(tickets: readonly TicketBody[], cli: Cli): string {
  const columns = [
    { title: "place", align: "right" },
    { title: "run", min: 8 },
    { title: "node", min: 6 },
    { title: "priority", align: "right" },
    { title: "since", align: "right" },
  ] as const;
  const rows = tickets.map(({ position, runId, nodeKey, priority, since }) => [
    position === null ? "holds" : String(position),
    runId,
    nodeKey ?? "",
    String(priority),
    formatAge(since, cli.now()),
  ]);
  return formatTable(columns, rows, cli);
}

function allowed({ concurrency, rate }: Allowed): string {
  const parts = [
    ...(concurrency === null ? [] : [`${concurrency} at once`]),
    ...(rate === null ? [] : [`${rate.limit} in ${formatDuration(rate.perMs)}`]),
  ];
  return parts.length === 0 ? "any" : parts.join(", ");
}

function readRate(text: string): { readonly limit: number; readonly perMs: number } {
  const [limit = "", span = ""] = text.split("/");
  const perMs = parseDuration(span);
  if (!/^\d{1,7}$/.test(limit) || perMs === null || !Number.isInteger(perMs) || perMs < 1) {
    throw usageError(`--rate wants N/SPAN, such as 10/1m: current value is "${text}"`);
  }
  return { limit: Number(limit), perMs };
}

/** `hub limits …` */
export const limitsCommands: CommandGroup = {
  name: "limits",
  summary: "Limit what runs at once, by key, and see who waits",
  commands: [list, show, set, remove],
};
