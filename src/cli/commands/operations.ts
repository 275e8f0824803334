import { allPages } from "../all_pages.ts";
import { outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";

/** An operation as the HTTP API gives it. */
interface OperationBody {
  readonly id: string;
  readonly type: string;
  readonly version: string;
  readonly description: string;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
}

const OPERATION = { name: "operation", required: true, description: "id of the operation, as core.echo" } as const;

const list: Command = {
  name: "list",
  summary: "Operations that can be called, here and on spokes",
  options: {
    query: { type: "text", short: "q", value: "TEXT", description: "With this in id, title or description" },
    namespace: { type: "text", value: "NAME", description: "Of this namespace" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const query = { q: args.text("query"), namespace: args.text("namespace") };
    const operations = await allPages<OperationBody>(await openHub(args, cli), "/api/operations", query);
    if (args.flag("json")) outJson(cli, operations);
    else if (operations.length === 0) cli.err("No operations");
    else {
      const columns = [{ title: "operation", paint: cli.style.bold }, { title: "type" }, {
        title: "what it does",
        min: 12,
      }];
      cli.out(formatTable(columns, operations.map(({ id, type, description }) => [id, type, description]), cli));
    }
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "What an operation takes and gives",
  positionals: [OPERATION],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const operation = await hub.get<OperationBody>(`/api/operations/${encodeURIComponent(args.required("operation"))}`);
    if (args.flag("json")) {
      outJson(cli, operation);
      return ExitCode.OK;
    }
    const { style } = cli;
    cli.out(`${style.bold(operation.id)} ${style.dim(`${operation.type} ${operation.version}`)}`);
    cli.out(operation.description);
    cli.out(`\n${style.dim("input")}  ${JSON.stringify(operation.inputSchema, null, 2)}`);
    cli.out(`\n${style.dim("output")} ${JSON.stringify(operation.outputSchema, null, 2)}`);
    return ExitCode.OK;
  },
};

const call: Command = {
  name: "call",
  summary: "Call an operation, and print what it answers",
  positionals: [OPERATION],
  options: {
    input: { type: "text", short: "i", value: "JSON|@file", description: "Input (default: {})" },
    ...HUB_OPTIONS,
  },
  examples: ["hub operations call core.echo --input '{\"value\": 1}'"],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const input = await readInput(args.text("input"));
    const envelope = await hub.post<{ readonly data: unknown }>(
      `/api/operations/${encodeURIComponent(args.required("operation"))}`,
      { body: input === undefined ? {} : { input } },
    );
    outJson(cli, args.flag("json") ? envelope : envelope.data);
    return ExitCode.OK;
  },
};

/** `hub operations …` */
export const operationsCommands: CommandGroup = {
  name: "operations",
  summary: "See and call operations",
  commands: [list, show, call],
};
