import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge, formatDuration } from "../format/duration.ts";
import { statusMark } from "../format/status_mark.ts";
import { PLAIN } from "../format/style.ts";
import { formatTable } from "../format/table.ts";
import { safeText } from "../format/text_width.ts";
import { type HubClient, openHub } from "../hub_client.ts";
import type { PageBody } from "../run_views.ts";

/** A call as the HTTP API gives it. Times are ms since the epoch. */
interface CallBody {
  readonly requestId: string;
  readonly runId: string;
  readonly nodeKey: string | null;
  readonly operationId: string;
  readonly status: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly durationMs: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly reusedFrom?: { readonly runId: string };
}

interface CallTreeBody extends CallBody {
  readonly children: readonly CallTreeBody[];
}

interface EventBody {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly runId: string;
  readonly key?: string;
}

/** Columns that keys of nodes are given at most. */
const MAX_KEY = 24;
const RUN = { name: "run", required: true, description: "id of the run" } as const;

/** `hub runs calls` */
export const calls: Command = {
  name: "calls",
  summary: "The calls of a run: what was called, how often and how long",
  positionals: [RUN],
  options: {
    tree: { type: "flag", description: "With the calls of child runs below those that started them" },
    ...HUB_OPTIONS,
  },
  examples: ["hub runs calls 0190… --tree"],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const id = encodeURIComponent(args.required("run"));
    if (args.flag("tree")) {
      const tree = await hub.get<CallTreeBody>(`/api/calls/${id}/tree`);
      if (args.flag("json")) outJson(cli, tree);
      else cli.out([...treeLines(tree, cli, "", "")].join("\n"));
      return ExitCode.OK;
    }
    const found = await allPages<CallBody>(hub, `/api/runs/${id}/calls`);
    if (args.flag("json")) outJson(cli, found);
    else if (found.length === 0) cli.err("The run has called nothing");
    else cli.out(callTable(found, cli));
    return ExitCode.OK;
  },
};

function callTable(found: readonly CallBody[], cli: Cli): string {
  const columns = [
    { title: "" },
    { title: "node", min: 8, paint: cli.style.bold },
    { title: "operation", min: 10 },
    { title: "attempt", align: "right" },
    { title: "started", align: "right" },
    { title: "took", align: "right" },
    { title: "error", min: 10 },
    { title: "request id", min: 12 },
  ] as const;
  const rows = found.map((call) => [
    statusMark(call.status, PLAIN),
    call.nodeKey ?? "",
    call.operationId,
    String(call.attempt),
    formatAge(call.startedAt, cli.now()),
    tookText(call),
    call.error?.code ?? "",
    call.requestId,
  ]);
  return formatTable(columns, rows, cli);
}

function* treeLines(call: CallTreeBody, cli: Cli, head: string, rest: string): Generator<string> {
  const { style } = cli;
  const name = call.nodeKey === null
    ? style.bold(call.operationId)
    : `${style.bold(call.nodeKey)}  ${call.operationId}`;
  const attempt = call.attempt > 1 ? ` (attempt ${call.attempt})` : "";
  const error = call.error === null ? "" : `  ${style.red(safeText(`${call.error.code}: ${call.error.message}`))}`;
  yield `${head}${statusMark(call.status, style)} ${name}${attempt}  ${style.dim(tookText(call))}${error}`;
  for (const [i, child] of call.children.entries()) {
    const isLast = i === call.children.length - 1;
    yield* treeLines(child, cli, `${rest}${isLast ? "└ " : "├ "}`, `${rest}${isLast ? "  " : "│ "}`);
  }
}

function tookText({ durationMs, reusedFrom }: CallBody): string {
  return reusedFrom !== undefined ? "reused" : durationMs === null ? "" : formatDuration(durationMs);
}

/** `hub runs events` */
export const events: Command = {
  name: "events",
  summary: "The events of a run: all that has happened to it, in order",
  positionals: [RUN],
  options: {
    follow: { type: "flag", short: "f", description: "Go on until the run has ended" },
    after: { type: "text", value: "SEQ", description: "Events after this one" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/runs/${encodeURIComponent(args.required("run"))}/events`;
    const after = args.text("after") ?? "0";
    const isJson = args.flag("json");
    if (args.flag("follow")) {
      for await (
        const { data } of hub.events(path, ({ type }) => /^run\.(completed|failed|aborted)$/.test(type), after)
      ) {
        cli.out(isJson ? data : eventLine(JSON.parse(data), cli));
      }
      return ExitCode.OK;
    }
    const found = await allEvents(hub, path, after);
    if (isJson) outJson(cli, found);
    else {
      const keyWidth = Math.min(MAX_KEY, Math.max(0, ...found.map(({ key }) => key?.length ?? 0)));
      for (const event of found) cli.out(eventLine(event, cli, keyWidth));
    }
    return ExitCode.OK;
  },
};

async function allEvents(hub: HubClient, path: string, first: string): Promise<readonly EventBody[]> {
  const found: EventBody[] = [];
  for (let after = first;;) {
    const page = await hub.get<PageBody<EventBody>>(path, { query: { after, limit: "1000" } });
    found.push(...page.items);
    const last = page.items.at(-1);
    if (last === undefined || page.items.length < 1000) return found;
    after = String(last.seq);
  }
}

function eventLine({ seq, at, type, key, runId: _, ...body }: EventBody, { style, width }: Cli, keyWidth = 0): string {
  const head = `${String(seq).padStart(5)}  ${new Date(at).toISOString()}  ${type.padEnd(15)}  ${
    (key ?? "").padEnd(keyWidth)
  }`;
  const more = safeText(JSON.stringify(body));
  const room = width - head.length - 2;
  const shown = more === "{}" || room < 8 ? "" : more.length > room ? `${more.slice(0, room - 1)}…` : more;
  return `${head}  ${style.dim(shown)}`.trimEnd();
}
