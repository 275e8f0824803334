import { Value } from "@alkdev/typebox/value";
import { parse } from "yaml";
import { InvalidInputError } from "../error/taskgraph_error.ts";
import { TaskInput } from "../schema/task_input.ts";
import { schemaIssues } from "../schema_issues.ts";
import { splitFrontmatter } from "./split_frontmatter.ts";

/**
 * The task in the YAML 1.2 between the `---` lines at the head of a markdown file. `depends_on` may stand for `dependsOn`;
 * a task that names no prerequisites has none. Unknown keys are left out.
 *
 * @throws {InvalidInputError} naming the field
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFrontmatter } from "@alkdev/taskgraph";
 *
 * const task = parseFrontmatter("---\nid: write\nname: Write\ndepends_on: [design]\n---\nHow.\n");
 * assert.deepEqual(task, { id: "write", name: "Write", dependsOn: ["design"] });
 * ```
 */
export function parseFrontmatter(markdown: string): TaskInput {
  const { frontmatter } = splitFrontmatter(markdown);
  const { depends_on, dependsOn, ...rest } = toRecord(readYaml(frontmatter));
  const task: unknown = Value.Clean(TaskInput, { ...rest, dependsOn: dependsOn ?? depends_on ?? [] });
  const [issue] = schemaIssues(TaskInput, task);
  if (issue !== undefined) throw new InvalidInputError(issue.field, issue.message);
  // Checked on the line above, and its static type with it.
  return task as TaskInput;
}

function readYaml(text: string): unknown {
  try {
    return parse(text, { version: "1.2", maxAliasCount: 100, logLevel: "error" });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw new InvalidInputError("frontmatter", `Frontmatter is no YAML: ${reason}`, { cause: error });
  }
}

function toRecord(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new InvalidInputError("frontmatter", `Frontmatter is ${JSON.stringify(value)}: wanted keys and values`);
}
