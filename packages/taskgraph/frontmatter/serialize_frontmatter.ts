import { stringify } from "yaml";
import type { TaskInput } from "../schema/task_input.ts";

/**
 * A markdown file with the task at its head, prerequisites as `depends_on`. Null fields stay, as `field: null`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFrontmatter, serializeFrontmatter } from "@alkdev/taskgraph";
 *
 * const task = { id: "write", name: "Write", dependsOn: ["design"] };
 * assert.deepEqual(parseFrontmatter(serializeFrontmatter(task, "How.")), task);
 * ```
 */
export function serializeFrontmatter(task: TaskInput, body = ""): string {
  const { id, name, dependsOn, ...rest } = task;
  // lineWidth 0: a long name stays on its line.
  const yaml = stringify({ id, name, depends_on: dependsOn, ...rest }, { version: "1.2", lineWidth: 0 });
  return `---\n${yaml}---\n${body}`;
}
