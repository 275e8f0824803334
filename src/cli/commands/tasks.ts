import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { recordText } from "../format/record_text.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";

interface TaskBody {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly note: string | null;
  readonly dependsOn: readonly string[];
  readonly attempts: number;
}

interface BoardBody {
  readonly name: string;
  readonly title: string;
  readonly source: { readonly spoke: string | null; readonly directory: string } | null;
}

interface SyncBody {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
  readonly conflicts: readonly {
    readonly id: string;
    readonly path: string;
    readonly fields: readonly { readonly field: string }[];
  }[];
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

interface EstimateBody {
  readonly left: number;
  readonly groups: readonly (readonly string[])[];
  readonly criticalPath: readonly string[];
  readonly expectedCost: number;
  readonly expectedTokens: number;
  readonly probability: number;
  readonly riskPath: readonly string[];
  readonly bottlenecks: readonly string[];
  readonly problems: readonly string[];
}

const BOARD = { name: "board", required: true, description: "name of the board" } as const;
const ID = { name: "id", required: true, description: "id of the task" } as const;
const at = (board: string, rest = ""): string => `/api/boards/${encodeURIComponent(board)}${rest}`;

function taskTable(tasks: readonly TaskBody[], cli: Cli): string {
  const columns = [
    { title: "id", min: 8, paint: cli.style.bold },
    { title: "status" },
    { title: "name", min: 8 },
    { title: "after", min: 6 },
    { title: "tries", align: "right" },
    { title: "note", min: 8 },
  ] as const;
  const rows = tasks.map((it) => [
    it.id,
    it.status,
    it.name,
    it.dependsOn.join(" "),
    String(it.attempts),
    it.note ?? "",
  ]);
  return formatTable(columns, rows, cli);
}

const boards: Command = {
  name: "boards",
  summary: "Boards of tasks",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const found = await allPages<BoardBody>(await openHub(args, cli), "/api/boards");
    if (args.flag("json")) outJson(cli, found);
    else {
      const columns = [{ title: "name", min: 8, paint: cli.style.bold }, { title: "title", min: 8 }, {
        title: "files",
      }] as const;
      const rows = found.map(({ name, title, source }) => [
        name,
        title,
        source === null ? "" : `${source.directory}${source.spoke === null ? "" : ` on ${source.spoke}`}`,
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const create: Command = {
  name: "create",
  summary: "Make an empty board, beside a directory of markdown files if wanted",
  positionals: [BOARD],
  options: {
    title: { type: "text", value: "TEXT", description: "What people call it" },
    directory: { type: "text", value: "PATH", description: "Directory of its files, as the spoke knows it" },
    spoke: { type: "text", value: "NAME", description: "Spoke with the directory (default: any that has files)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub tasks create links --directory tasks --spoke dev-1"],
  async run(args, cli) {
    const [title, directory, spoke] = [args.text("title"), args.text("directory"), args.text("spoke")];
    if (spoke !== undefined && directory === undefined) {
      throw usageError("--spoke wants --directory: which files there");
    }
    const body = {
      name: args.required("board"),
      ...(title !== undefined && { title }),
      ...(directory !== undefined && { source: { spoke: spoke ?? null, directory } }),
    };
    const board = await (await openHub(args, cli)).post<BoardBody>("/api/boards", { body });
    if (args.flag("json")) outJson(cli, board);
    else cli.out(recordText(board, cli.style));
    return ExitCode.OK;
  },
};

const list: Command = {
  name: "list",
  summary: "Tasks of a board",
  positionals: [BOARD],
  options: { status: { type: "text", value: "STATUS", description: "Only of this status" }, ...HUB_OPTIONS },
  async run(args, cli) {
    const query = { board: args.required("board"), status: args.text("status") };
    const tasks = await allPages<TaskBody>(await openHub(args, cli), "/api/tasks", query);
    if (args.flag("json")) outJson(cli, tasks);
    else cli.out(taskTable(tasks, cli));
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "A task with its text",
  positionals: [BOARD, ID],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const path = at(args.required("board"), `/tasks/${encodeURIComponent(args.required("id"))}`);
    const task = await (await openHub(args, cli)).get<TaskBody & { readonly body: string }>(path);
    if (args.flag("json")) outJson(cli, task);
    else {
      const { body, ...rest } = task;
      cli.out(`${recordText(rest, cli.style)}\n\n${body.trim()}`);
    }
    return ExitCode.OK;
  },
};

const status: Command = {
  name: "status",
  summary: "Change a task's status",
  positionals: [BOARD, ID, {
    name: "status",
    required: true,
    description: "pending, in-progress, completed, failed or blocked",
  }],
  options: { note: { type: "text", value: "TEXT", description: "Why" }, ...HUB_OPTIONS },
  async run(args, cli) {
    const path = at(args.required("board"), `/tasks/${encodeURIComponent(args.required("id"))}/status`);
    const note = args.text("note");
    const body = { status: args.required("status"), ...(note !== undefined && { note }) };
    const task = await (await openHub(args, cli)).post<TaskBody>(path, { body });
    if (args.flag("json")) outJson(cli, task);
    else cli.out(taskTable([task], cli));
    return ExitCode.OK;
  },
};

const sync: Command = {
  name: "sync",
  summary: "Bring a board and its files together; what both have changed is reported, and left as it is",
  positionals: [BOARD],
  options: {
    "dry-run": { type: "flag", description: "Only say what would be done" },
    take: { type: "text", multiple: true, value: "ID=file|board", description: "Decide a conflict" },
    ...HUB_OPTIONS,
  },
  examples: ["hub tasks sync links", "hub tasks sync links --take slugs=file"],
  async run(args, cli) {
    const take = Object.fromEntries(
      args.texts("take").map((text) => {
        const [, id, side] = /^([^=]+)=(file|board)$/.exec(text) ?? [];
        if (id === undefined) throw usageError(`--take wants ID=file or ID=board: current value is "${text}"`);
        return [id, side];
      }),
    );
    const body = { dryRun: args.flag("dry-run"), take };
    const report = await (await openHub(args, cli)).post<SyncBody>(at(args.required("board"), "/sync"), { body });
    if (args.flag("json")) outJson(cli, report);
    else showSync(report, cli);
    return report.conflicts.length === 0 ? ExitCode.OK : ExitCode.FAILED;
  },
};

function showSync(report: SyncBody, cli: Cli): void {
  for (const what of ["created", "updated", "written", "removed"] as const) {
    if (report[what].length > 0) cli.out(`${what}: ${report[what].join(" ")}`);
  }
  cli.out(`unchanged: ${report.unchanged}`);
  for (const { id, path, fields } of report.conflicts) {
    const what = fields.length === 0
      ? "its file is gone, and the task has changed"
      : `both have changed ${fields.map(({ field }) => field).join(", ")}`;
    cli.err(cli.style.red(`conflict: ${id} (${path}): ${what}`));
  }
  for (const { path, message } of report.problems) cli.err(cli.style.yellow(`${path}: ${message}`));
}

const estimate: Command = {
  name: "estimate",
  summary: "What working off the rest of a board is expected to take",
  positionals: [BOARD],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const found = await (await openHub(args, cli)).post<EstimateBody>(at(args.required("board"), "/dry-run"));
    if (args.flag("json")) outJson(cli, found);
    else {
      const { groups, criticalPath, riskPath, bottlenecks, problems, probability, ...rest } = found;
      cli.out(recordText({
        left: rest.left,
        expectedCost: rest.expectedCost.toFixed(1),
        expectedTokens: rest.expectedTokens,
        probability: probability.toPrecision(2),
        criticalPath: criticalPath.join(" > "),
        riskPath: riskPath.join(" > "),
        bottlenecks: bottlenecks.join(" "),
      }, cli.style));
      for (const [n, group] of groups.entries()) cli.out(`${String(n + 1).padStart(3)}. ${group.join(" ")}`);
      for (const problem of problems) cli.err(cli.style.yellow(problem));
    }
    return found.problems.length === 0 ? ExitCode.OK : ExitCode.FAILED;
  },
};

const run: Command = {
  name: "run",
  summary: "Work a board off: each task a session, when what it depends on is done",
  positionals: [BOARD],
  options: {
    input: {
      type: "text",
      value: "JSON|@file",
      description: "concurrency, attempts, workspace, review, model, budget …",
    },
    ...HUB_OPTIONS,
  },
  examples: [`hub tasks run links --input '{"concurrency": 4, "workspace": {}}'`],
  async run(args, cli) {
    const body = await readInput(args.text("input")) ?? {};
    const started = await (await openHub(args, cli)).post<{ readonly id: string }>(
      at(args.required("board"), "/runs"),
      {
        body,
      },
    );
    if (args.flag("json")) outJson(cli, started);
    else {
      cli.err(`Follow it: hub runs show ${started.id} --watch; the board: hub tasks list ${args.required("board")}`);
      cli.out(started.id);
    }
    return ExitCode.OK;
  },
};

/** `hub tasks …` */
export const tasksCommands: CommandGroup = {
  name: "tasks",
  summary: "Boards of tasks, their files, and working them off",
  commands: [boards, create, list, show, status, sync, estimate, run],
};
