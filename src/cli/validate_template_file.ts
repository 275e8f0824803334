import { operationId, type OperationSpec } from "@alkdev/operations";
import { workflowOperations } from "../../workflows/operations/mod.ts";
import { validateFile } from "../templates/mod.ts";
import { type Cli, outJson } from "./cli.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import type { ParsedArgs } from "./command.ts";
import { allPages } from "./all_pages.ts";
import { openHub } from "./hub_client.ts";

/** One problem, as a hub or the local validator tells it. */
export interface ProblemBody {
  readonly code: string;
  readonly path: string;
  readonly node?: string;
  readonly edge?: string;
  readonly message: string;
  readonly suggestion?: string;
}

/**
 * Checks a template file here, without a hub. Where one answers, its operations are known too; else an operation that is not
 * known is no problem.
 */
export async function validateTemplateFile(path: string, args: ParsedArgs, cli: Cli): Promise<ExitCode> {
  const operations = await knownOperations(args, cli);
  const { problems } = await validateFile(path, operations);
  if (operations === null && !args.flag("json")) {
    cli.err(cli.style.dim("No hub answers, so operations and their schemas were not checked"));
  }
  return showProblems(path, problems, args, cli);
}

async function knownOperations(args: ParsedArgs, cli: Cli): Promise<Parameters<typeof validateFile>[1]> {
  const specs = new Map<string, OperationSpec>(workflowOperations.map((spec) => [operationId(spec), spec]));
  try {
    for (const spec of await allPages<OperationSpec>(await openHub(args, cli), "/api/operations")) {
      specs.set(operationId(spec), spec);
    }
  } catch (error) {
    if (error instanceof CliError && error.exitCode === ExitCode.FAILED) return null;
    throw error;
  }
  return { spec: (id) => specs.get(id), ids: () => specs.keys() };
}

/** Prints problems: each with its place and what to do. Exit code 1 when there are any. */
export function showProblems(
  what: string,
  problems: readonly ProblemBody[],
  args: ParsedArgs,
  cli: Cli,
): ExitCode {
  if (args.flag("json")) outJson(cli, { valid: problems.length === 0, problems });
  else if (problems.length === 0) cli.out(cli.style.green(`${what}: no problems`));
  for (const problem of args.flag("json") ? [] : problems) {
    const where = problem.edge ?? problem.node;
    cli.out(`${cli.style.red(problem.code)} ${problem.path}${where === undefined ? "" : ` (${where})`}`);
    cli.out(`  ${problem.message}`);
    const { suggestion } = problem;
    if (suggestion !== undefined && !problem.message.includes(suggestion)) cli.out(cli.style.cyan(`  ${suggestion}`));
  }
  return problems.length === 0 ? ExitCode.OK : ExitCode.FAILED;
}
