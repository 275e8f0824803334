import { stringify } from "yaml";
import type { TaskInput } from "../schema/task_input.ts";

/** A markdown file with the task at its head, prerequisites as `depends_on`. Null fields stay, as `field: null`. */
export function serializeFrontmatter(task: TaskInput, body = ""): string {
  const { id, name, dependsOn, ...rest } = task;
  // lineWidth 0: a long name stays on its line.
  const yaml = stringify({ id, name, depends_on: dependsOn, ...rest }, { version: "1.2", lineWidth: 0 });
  return `---\n${yaml}---\n${body}`;
}
