import { parseDuration } from "@alkdev/flowgraph";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, OptionSpec, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readBudget } from "../read_budget.ts";
import type { PageBody } from "../run_views.ts";

interface SpawnedBody {
  readonly id: string;
  readonly task: string;
  readonly sessionId: string | null;
  readonly status: string;
  readonly branch: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface ReportBody extends SpawnedBody {
  readonly state: string;
  readonly depth: number;
  readonly current: readonly { readonly operationId: string }[];
  readonly lastMessage: { readonly text: string } | null;
  readonly usage: { readonly steps: number; readonly costMicros: number } | null;
  readonly anomalies: readonly { readonly type: string }[];
  readonly blockedBy: { readonly text: string } | null;
}

type Fields = Readonly<Record<string, unknown>>;

const SELECTION: Readonly<Record<string, OptionSpec>> = {
  id: { type: "text", multiple: true, value: "ID", description: "Of a mapping, as spawn gives it; may be repeated" },
  session: { type: "text", multiple: true, value: "ID", description: "Of a spawned session; may be repeated" },
  task: { type: "text", multiple: true, value: "ID", description: "Of a task; may be repeated" },
  parent: { type: "text", value: "SESSION", description: "All that this session has spawned" },
  run: { type: "text", value: "RUN", description: "All that this run has spawned" },
};
const KEY: OptionSpec = { type: "text", value: "KEY", description: "The same for a request that is sent again" };

function selectionOf(args: ParsedArgs): Fields {
  const [ids, sessionIds, taskIds] = ["id", "session", "task"].map((name) => args.texts(name));
  return compact({
    ids: ids?.length ? ids : undefined,
    sessionIds: sessionIds?.length ? sessionIds : undefined,
    taskIds: taskIds?.length ? taskIds : undefined,
    parentSessionId: args.text("parent"),
    parentRunId: args.text("run"),
  });
}

function compact(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

async function post<T>(args: ParsedArgs, cli: Cli, name: string, body: Fields): Promise<T> {
  return await (await openHub(args, cli)).post<T>(`/api/coord/${name}`, { body });
}

const spawn: Command = {
  name: "spawn",
  summary: "Set sessions to work, one for each --task",
  options: {
    task: { type: "text", multiple: true, value: "NAME", description: "Task; may be repeated" },
    prompt: { type: "text", value: "TEXT", description: "What each is told; {{task}} stands for its task" },
    role: { type: "text", value: "ROLE", description: "Role of the sessions, as name or name@version" },
    model: { type: "text", value: "MODEL", description: "Instead of the role's" },
    worktree: { type: "flag", description: "Give each a git worktree on a dev spoke" },
    spoke: { type: "text", value: "NAME", description: "On this dev spoke (default: those there are, in turn)" },
    repository: { type: "text", value: "DIR", description: "Of this repository (default: the spoke's first root)" },
    from: { type: "text", value: "REVISION", description: "Where branches begin (default: HEAD)" },
    budget: { type: "text", multiple: true, value: "KIND=LIMIT", description: "What each may use" },
    parent: { type: "text", value: "SESSION", description: "The session that they are spawned for" },
    "idempotency-key": KEY,
    ...HUB_OPTIONS,
  },
  examples: [
    'hub coord spawn --role implementer --worktree --task "Fix the login" --prompt "Do this, and commit it: {{task}}"',
  ],
  async run(args, cli) {
    const tasks = args.texts("task");
    if (tasks.length === 0) throw usageError("`hub coord spawn` wants a --task");
    const places = compact({ spoke: args.text("spoke"), repository: args.text("repository"), from: args.text("from") });
    const { spawned } = await post<{ readonly spawned: readonly SpawnedBody[] }>(
      args,
      cli,
      "spawn",
      compact({
        tasks: tasks.map((task) => ({ task })),
        prompt: args.text("prompt"),
        role: args.text("role"),
        model: args.text("model"),
        workspace: args.flag("worktree") || Object.keys(places).length > 0 ? places : undefined,
        budget: readBudget(args.texts("budget")) ?? undefined,
        parentSessionId: args.text("parent"),
        key: args.text("idempotency-key"),
      }),
    );
    if (args.flag("json")) outJson(cli, { spawned });
    else cli.out(spawnedTable(spawned, cli));
    return spawned.some(({ status }) => status === "failed") ? ExitCode.FAILED : ExitCode.OK;
  },
};

const status: Command = {
  name: "status",
  summary: "What spawned sessions do; without a selection those that are at work",
  options: { ...SELECTION, ...HUB_OPTIONS },
  async run(args, cli) {
    const body = await post<{ readonly sessions: readonly ReportBody[] }>(args, cli, "status", selectionOf(args));
    if (args.flag("json")) outJson(cli, body);
    else if (body.sessions.length === 0) cli.err("No spawned session is at work");
    else cli.out(reportTable(body.sessions, cli));
    return ExitCode.OK;
  },
};

const message: Command = {
  name: "message",
  summary: "Say something to a spawned session, or answer its question",
  positionals: [
    { name: "session", required: true, description: "Id of the session" },
    { name: "text", required: true, description: "What it is told" },
  ],
  options: { "idempotency-key": KEY, ...HUB_OPTIONS },
  async run(args, cli) {
    const body = await post<{ readonly outcome: string }>(
      args,
      cli,
      "message",
      compact({
        sessionId: args.required("session"),
        message: args.required("text"),
        key: args.text("idempotency-key"),
      }),
    );
    if (args.flag("json")) outJson(cli, body);
    else cli.err(`The message is ${body.outcome}`);
    return ExitCode.OK;
  },
};

const notify: Command = {
  name: "notify",
  summary: "As a spawned session, tell whoever has spawned it",
  positionals: [
    { name: "session", required: true, description: "Id of the session that speaks" },
    { name: "text", required: true, description: "What it says" },
  ],
  options: {
    level: { type: "text", value: "LEVEL", description: "info, warning or blocking, which waits for an answer" },
    "idempotency-key": KEY,
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const body = await post<{ readonly answer: unknown }>(
      args,
      cli,
      "notify",
      compact({
        sessionId: args.required("session"),
        message: args.required("text"),
        level: args.text("level"),
        key: args.text("idempotency-key"),
      }),
    );
    if (args.flag("json")) outJson(cli, body);
    else if (body.answer !== null) cli.out(JSON.stringify(body.answer));
    return ExitCode.OK;
  },
};

const abort: Command = {
  name: "abort",
  summary: "End spawned sessions with all below them; worktrees without changes are removed",
  options: {
    ...SELECTION,
    reason: { type: "text", value: "TEXT", description: "Why" },
    remove: { type: "text", value: "POLICY", description: "Worktrees: clean, force or never (default: as spawned)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const selection = selectionOf(args);
    if (Object.keys(selection).length === 0) {
      throw usageError("`hub coord abort` wants --id, --session, --task, --parent or --run");
    }
    const body = await post<{
      readonly aborted: readonly {
        readonly id: string;
        readonly task: string;
        readonly status: string;
        readonly worktree: string;
      }[];
    }>(args, cli, "abort", { ...selection, ...compact({ reason: args.text("reason"), remove: args.text("remove") }) });
    if (args.flag("json")) outJson(cli, body);
    else {
      const columns = [{ title: "mapping" }, { title: "task", min: 8 }, { title: "status" }, { title: "worktree" }];
      const rows = body.aborted.map((one) => [one.id, one.task, one.status, one.worktree]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const wait: Command = {
  name: "wait",
  summary: "Wait until spawned sessions have ended, and show what they said",
  options: {
    ...SELECTION,
    until: { type: "text", value: "all|any|N", description: "How many (default: all)" },
    timeout: { type: "text", value: "TIME", description: "At most so long, such as 4m (default: 4m)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const until = args.text("until");
    const timeout = args.text("timeout");
    const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
    if (timeoutMs === null) throw usageError(`--timeout "${timeout}" wants a time such as 90s or 4m`);
    const count = until === undefined || until === "all" || until === "any" ? until : Number(until);
    const body = await post<{
      readonly done: boolean;
      readonly sessions: readonly (SpawnedBody & { readonly result: string | null })[];
    }>(args, cli, "wait", { ...selectionOf(args), ...compact({ until: count, timeoutMs }) });
    if (args.flag("json")) outJson(cli, body);
    else {
      const columns = [{ title: "task", min: 8 }, { title: "status" }, { title: "said", min: 12 }];
      const rows = body.sessions.map((one) => [one.task, one.status, one.error?.message ?? one.result ?? ""]);
      cli.out(formatTable(columns, rows, cli));
    }
    return body.done ? ExitCode.OK : ExitCode.FAILED;
  },
};

const detect: Command = {
  name: "detect",
  summary: "Look for anomalies of spawned sessions now",
  options: { ...SELECTION, ...HUB_OPTIONS },
  async run(args, cli) {
    const body = await post<{ readonly anomalies: readonly AnomalyBody[] }>(args, cli, "detect", selectionOf(args));
    if (args.flag("json")) outJson(cli, body);
    else cli.out(anomalyTable(body.anomalies, cli));
    return ExitCode.OK;
  },
};

interface AnomalyBody {
  readonly sessionId: string;
  readonly type: string;
  readonly severity: string;
  readonly suggestion: string;
}

const detections: Command = {
  name: "detections",
  summary: "Anomalies that were found, newest first",
  options: {
    session: { type: "text", value: "ID", description: "Of this session" },
    limit: { type: "text", value: "N", description: "At most so many (default: 50)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const query = { session: args.text("session"), limit: args.text("limit") };
    const page = await (await openHub(args, cli)).get<PageBody<AnomalyBody>>("/api/detections", { query });
    if (args.flag("json")) outJson(cli, page);
    else cli.out(anomalyTable(page.items, cli));
    return ExitCode.OK;
  },
};

const notices: Command = {
  name: "notices",
  summary: "What spawned sessions and their parents told each other, newest first",
  options: {
    id: { type: "text", value: "ID", description: "Of this mapping" },
    open: { type: "flag", description: "Only questions that wait for an answer" },
    limit: { type: "text", value: "N", description: "At most so many (default: 50)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const query = { mapping: args.text("id"), open: args.flag("open") ? "true" : undefined, limit: args.text("limit") };
    const page = await (await openHub(args, cli)).get<PageBody<NoticeBody>>("/api/coord/notices", { query });
    if (args.flag("json")) outJson(cli, page);
    else {
      const columns = [
        { title: "age", align: "right" },
        { title: "kind" },
        { title: "level" },
        { title: "from" },
        { title: "text", min: 12 },
      ] as const;
      const rows = page.items.map((one) => [
        formatAge(one.createdAt, cli.now()),
        one.kind,
        one.level,
        one.sender,
        one.text.replaceAll("\n", " "),
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

interface NoticeBody {
  readonly kind: string;
  readonly level: string;
  readonly sender: string;
  readonly text: string;
  readonly createdAt: number;
}

function spawnedTable(spawned: readonly SpawnedBody[], cli: Cli): string {
  const columns = [
    { title: "mapping" },
    { title: "session" },
    { title: "task", min: 8, paint: cli.style.bold },
    { title: "branch" },
    { title: "status" },
  ];
  const rows = spawned.map((one) => [
    one.id,
    one.sessionId ?? "",
    one.task,
    one.branch ?? "",
    one.error === null ? one.status : `${one.status}: ${one.error.message}`,
  ]);
  return formatTable(columns, rows, cli);
}

function reportTable(reports: readonly ReportBody[], cli: Cli): string {
  const columns = [
    { title: "session" },
    { title: "task", min: 8, paint: cli.style.bold },
    { title: "state" },
    { title: "steps", align: "right" },
    { title: "cost", align: "right" },
    { title: "now", min: 8 },
    { title: "anomalies" },
    { title: "said last", min: 12 },
  ] as const;
  const rows = reports.map((one) => [
    one.sessionId ?? "",
    `${"  ".repeat(one.depth - 1)}${one.task}`,
    one.status === "active" ? one.state : one.status,
    String(one.usage?.steps ?? 0),
    String(one.usage?.costMicros ?? 0),
    one.blockedBy === null
      ? one.current.map(({ operationId }) => operationId).join(", ")
      : `asks: ${one.blockedBy.text}`,
    [...new Set(one.anomalies.map(({ type }) => type))].join(", "),
    one.lastMessage?.text.replaceAll("\n", " ") ?? "",
  ]);
  return formatTable(columns, rows, cli);
}

function anomalyTable(anomalies: readonly AnomalyBody[], cli: Cli): string {
  const columns = [{ title: "session" }, { title: "type" }, { title: "severity" }, { title: "what to do", min: 12 }];
  return formatTable(columns, anomalies.map((one) => [one.sessionId, one.type, one.severity, one.suggestion]), cli);
}

/** `hub coord …` */
export const coordCommands: CommandGroup = {
  name: "coord",
  summary: "Set sessions to work, follow them, and end them",
  commands: [spawn, status, message, notify, abort, wait, detect, detections, notices],
};
