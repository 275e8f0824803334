import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { type Cli, outJson } from "../cli.ts";
import { CliError, ExitCode, usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { type HubClient, openHub } from "../hub_client.ts";

const RUN = { name: "run", required: true, description: "id of the run" } as const;
const FILE = { name: "file", required: true, description: "path of the file" } as const;

const exportRun: Command = {
  name: "export",
  summary: "Write a run with its plan and all its events as JSON",
  positionals: [RUN],
  options: {
    tree: { type: "flag", description: "With all child runs" },
    out: { type: "text", short: "o", value: "FILE", description: "Into this file (default: stdout)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub runs export 0199… --tree --out run.json"],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/runs/${encodeURIComponent(args.required("run"))}/export`;
    const text = await hub.text(path, { query: { tree: args.flag("tree") ? "true" : "false" } });
    const out = args.text("out");
    if (out === undefined) cli.out(text);
    else {
      await Deno.writeTextFile(out, `${text}\n`);
      cli.err(`Wrote ${out}`);
    }
    return ExitCode.OK;
  },
};

const importRun: Command = {
  name: "import",
  summary: "Store a run that was exported",
  positionals: [FILE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const imported = await send(hub, await readText(args.required("file")));
    if (args.flag("json")) outJson(cli, imported);
    else cli.out(imported.id);
    return ExitCode.OK;
  },
};

const restore: Command = {
  name: "restore",
  summary: "Store the runs of an archive; those that are there already are passed over",
  positionals: [FILE],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const result = { restored: 0, present: 0, failed: 0, isCutShort: false };
    const file = args.required("file");
    const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity });
    try {
      for await (const line of lines) await restoreLine(hub, line, result, cli);
    } catch (error) {
      if (error instanceof CliError) throw error;
      // A hub that was killed while it wrote leaves a file without its end; what is missing was not deleted.
      if (!isCutShort(error)) throw usageError(`Cannot read archive "${file}": ${String(error)}`);
      result.isCutShort = true;
    }
    if (args.flag("json")) outJson(cli, result);
    else cli.out(`Restored ${result.restored} runs, ${result.present} were there, ${result.failed} failed`);
    if (result.isCutShort) cli.err("The file ends in the middle: the run it ends in was never deleted");
    return result.failed > 0 ? ExitCode.FAILED : ExitCode.OK;
  },
};

async function restoreLine(
  hub: HubClient,
  line: string,
  result: { restored: number; present: number; failed: number },
  cli: Cli,
): Promise<void> {
  if (line === "") return;
  try {
    await send(hub, line);
    result.restored++;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error.message.includes("There is already a run")) result.present++;
    else {
      result.failed++;
      cli.err(error.message);
    }
  }
}

function isCutShort(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR";
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw usageError(`Cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function send(hub: HubClient, text: string): Promise<{ readonly id: string; readonly runs: number }> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw usageError("What is to be imported is not JSON: give a file of `hub runs export`");
  }
  return await hub.post("/api/runs/import", { body });
}

interface JobBody {
  readonly id: string;
  readonly state: string;
  readonly trees: number;
  readonly runs: number;
  readonly files: readonly string[];
  readonly error: string | null;
}

const prune: Command = {
  name: "prune",
  summary: "Delete or archive runs that are over",
  options: {
    "older-than": { type: "text", value: "DURATION", description: "Since their end, such as 30d (required)" },
    status: {
      type: "text",
      multiple: true,
      value: "STATUS",
      description: "completed, failed or aborted (default: all)",
    },
    workflow: { type: "text", value: "NAME", description: "Of this workflow" },
    label: { type: "text", value: "KEY[=VALUE]", description: "With this label" },
    archive: { type: "flag", description: "Write them to the hub's archive first" },
    "dry-run": { type: "flag", description: "Only count" },
    wait: { type: "flag", description: "Wait until it is done" },
    ...HUB_OPTIONS,
  },
  examples: ["hub runs prune --older-than 30d --status completed --archive --wait"],
  async run(args, cli) {
    const olderThan = args.text("older-than");
    if (olderThan === undefined) throw usageError("--older-than is missing: give a duration such as 30d");
    const hub = await openHub(args, cli);
    const [status, workflow, label] = [args.texts("status"), args.text("workflow"), args.text("label")];
    const filter = {
      olderThan,
      ...(status.length > 0 && { status }),
      ...(workflow !== undefined && { workflow }),
      ...(label !== undefined && { label }),
    };
    const action = args.flag("archive") ? "archive" : "delete";
    const dryRun = args.flag("dry-run");
    const answer = await hub.post<JobBody & { readonly isComplete: boolean }>("/api/runs/prune", {
      body: { filter, action, ...(dryRun && { dryRun }) },
    });
    if (dryRun) {
      if (args.flag("json")) outJson(cli, answer);
      else cli.out(`${answer.isComplete ? "" : "More than "}${answer.trees} runs would go, with all below them`);
      return ExitCode.OK;
    }
    const job = args.flag("wait") ? await untilDone(hub, answer, cli) : answer;
    if (args.flag("json")) outJson(cli, job);
    else cli.out(`${job.state === "done" ? "Pruned" : `Pruning ${job.id} is ${job.state}:`} ${job.runs} runs`);
    for (const file of args.flag("json") ? [] : job.files) cli.err(cli.style.dim(`archive/${file}`));
    if (job.error !== null) cli.err(job.error);
    return job.state === "failed" ? ExitCode.FAILED : ExitCode.OK;
  },
};

const POLL_MS = 250;

async function untilDone(hub: HubClient, job: JobBody, cli: Cli): Promise<JobBody> {
  for (let now = job;;) {
    if (now.state === "done" || now.state === "failed") return now;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (cli.signal.aborted) throw new CliError("Stopped: the hub goes on with it");
    now = await hub.get<JobBody>(`/api/runs/prune/${job.id}`);
  }
}

/** Of `hub runs …`: what keeps runs, brings them back, and does away with them. */
export const keepCommands: readonly Command[] = [exportRun, importRun, prune, restore];
