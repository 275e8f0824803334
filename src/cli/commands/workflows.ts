import { basename } from "node:path";
import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { graphTree, type PlanNodeView, type TreeNode } from "../format/graph_tree.ts";
import { type EstimateBody, estimateText } from "../format/estimate_text.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";
import type { WorkflowBody } from "../run_views.ts";
import { diff, versions } from "./versions.ts";
import { type ProblemBody, showProblems, validateTemplateFile } from "../validate_template_file.ts";

const WORKFLOW = { name: "workflow", required: true, description: "name of the workflow" } as const;

const list: Command = {
  name: "list",
  summary: "Workflows by name",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const workflows = await allPages<WorkflowBody>(await openHub(args, cli), "/api/workflows");
    if (args.flag("json")) outJson(cli, workflows);
    else if (workflows.length === 0) cli.err("No workflows. Drop a template file into workflows/");
    else {
      const columns = [{ title: "workflow", paint: cli.style.bold }, { title: "version" }, {
        title: "what it does",
        min: 12,
      }];
      const rows = workflows.map((it) => [it.name, it.version.slice(0, 12), it.description ?? it.title ?? ""]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "A workflow: its schemas and its plan",
  positionals: [WORKFLOW],
  options: { version: { type: "text", value: "VERSION", description: "Not the latest, but this one" }, ...HUB_OPTIONS },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const path = `/api/workflows/${encodeURIComponent(args.required("workflow"))}`;
    const workflow = await hub.get<WorkflowBody>(path, { query: { version: args.text("version") } });
    if (args.flag("json")) outJson(cli, workflow);
    else showWorkflow(workflow, cli);
    return ExitCode.OK;
  },
};

function showWorkflow(workflow: WorkflowBody, cli: Cli): void {
  const { style } = cli;
  cli.out(`${style.bold(workflow.name)} ${style.dim(workflow.version)}  ${workflow.title ?? ""}`);
  if (workflow.description !== null) cli.out(workflow.description);
  cli.out(`\n${style.dim("input")}  ${JSON.stringify(workflow.inputSchema, null, 2)}`);
  cli.out(`\n${style.dim("output")} ${JSON.stringify(workflow.outputSchema, null, 2)}`);
  cli.out(`\n${style.dim("plan")}`);
  const nodes = workflow.plan?.tree ?? null;
  cli.out(nodes === null ? "It depends on the input: see `hub workflows dry-run`" : planText(nodes, cli));
}

function planText(nodes: readonly PlanNodeView[], { style }: Cli): string {
  const lines: string[] = [];
  const operations = new Map(nodes.map(({ key, kind, operationId }) => [key, operationId ?? kind]));
  const draw = (node: TreeNode, indent: string): void => {
    const branch = node.branch === "else" ? style.dim("else ") : "";
    const name = node.key.startsWith("__") ? "" : `${node.key}  `;
    lines.push(`${indent}${branch}${name}${style.dim(operations.get(node.key) ?? node.kind)}`);
    for (const child of node.children) draw(child, `${indent}  `);
  };
  for (const root of graphTree([], nodes)) draw(root, "");
  return lines.join("\n");
}

const validate: Command = {
  name: "validate",
  summary: "Every problem of a template file, or of a workflow that is served",
  positionals: [{
    name: "file|workflow",
    required: true,
    description: "a .tsx, .ts or .json file, or a workflow's name",
  }],
  options: HUB_OPTIONS,
  examples: ["hub workflows validate workflows/hello.tsx"],
  async run(args, cli) {
    const what = args.required("file|workflow");
    if (/\.tsx?$/.test(what)) return await validateTemplateFile(what, args, cli);
    const hub = await openHub(args, cli);
    const isFile = what.endsWith(".json");
    const name = isFile ? basename(what, ".json").toLowerCase().replace(/[^a-z0-9_.-]/g, "_") : what;
    const body = isFile ? templateBody(await readInput(`@${what}`)) : {};
    const path = `/api/workflows/${encodeURIComponent(name)}/validate`;
    const { problems } = await hub.post<{ readonly problems: readonly ProblemBody[] }>(path, { body });
    return showProblems(what, problems, args, cli);
  },
};

/** A file holds a template, or what is put to register it. */
function templateBody(value: unknown): object {
  if (typeof value !== "object" || value === null || !("template" in value)) return { template: value };
  return { template: value.template, ...("output" in value && { output: value.output }) };
}

const dryRun: Command = {
  name: "dry-run",
  summary: "The plan for an input, and what a run of it is likely to take; nothing is started",
  positionals: [WORKFLOW],
  options: {
    input: { type: "text", short: "i", value: "JSON|@file", description: "Input (default: {})" },
    version: { type: "text", value: "VERSION", description: "Not the latest, but this one" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const body = await inputBody(args);
    const path = `/api/workflows/${encodeURIComponent(args.required("workflow"))}/dry-run`;
    const dry = await hub.post<WorkflowBody & { readonly input: unknown; readonly estimate?: EstimateBody | null }>(
      path,
      { body },
    );
    if (args.flag("json")) outJson(cli, dry);
    else {
      cli.out(`${cli.style.dim("input")} ${JSON.stringify(dry.input)}`);
      cli.out(planText(dry.plan?.tree ?? [], cli));
      if (dry.estimate) cli.out(`\n${estimateText(dry.estimate, cli)}`);
    }
    return ExitCode.OK;
  },
};

async function inputBody(args: ParsedArgs): Promise<object> {
  const input = await readInput(args.text("input"));
  const version = args.text("version");
  return { ...(input !== undefined && { input }), ...(version !== undefined && { version }) };
}

const register: Command = {
  name: "register",
  summary: "Register a template given as JSON",
  positionals: [WORKFLOW, {
    name: "file",
    required: true,
    description: "a .json file with {template, inputSchema?, …} or a template",
  }],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const file = args.required("file");
    if (!file.endsWith(".json")) {
      throw usageError(
        `"${file}" is not a .json file`,
        "A .tsx template is served when it lies in a workflows directory",
      );
    }
    const value = await readInput(`@${file}`);
    const body = typeof value === "object" && value !== null && "template" in value ? value : { template: value };
    const hub = await openHub(args, cli);
    const workflow = await hub.json<WorkflowBody>(
      "PUT",
      `/api/workflows/${encodeURIComponent(args.required("workflow"))}`,
      { body },
    );
    if (args.flag("json")) outJson(cli, workflow);
    else {
      cli.out(`Workflow ${workflow.name} is served at version ${workflow.version}`);
      for (const { version, runs } of workflow.impact?.live ?? []) {
        cli.err(`${runs} live ${runs === 1 ? "run stays" : "runs stay"} on version ${version}`);
      }
    }
    return ExitCode.OK;
  },
};

/** `hub workflows …` */
export const workflowsCommands: CommandGroup = {
  name: "workflows",
  summary: "See, check and register workflows",
  commands: [list, show, versions, diff, validate, dryRun, register],
};
