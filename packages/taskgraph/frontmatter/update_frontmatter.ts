import { parseDocument } from "yaml";
import { InvalidInputError } from "../error/taskgraph_error.ts";
import type { TaskInput } from "../schema/task_input.ts";
import { splitFrontmatter } from "./split_frontmatter.ts";

/**
 * The file with some fields of its task changed, and `body` in the place of its own if one is given. All else stays as it is
 * written: keys that are not a task's, comments, the order of keys. A field that is `undefined` is taken out.
 *
 * @throws {InvalidInputError} when the file has no frontmatter, or one that is no YAML with keys and values
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { updateFrontmatter } from "@alkdev/taskgraph";
 *
 * const file = "---\nid: write # by hand\nname: Write\nowner: me\n---\nHow.\n";
 * const changed = updateFrontmatter(file, { status: "completed" });
 * assert.equal(changed, "---\nid: write # by hand\nname: Write\nowner: me\nstatus: completed\n---\nHow.\n");
 * ```
 */
export function updateFrontmatter(
  markdown: string,
  fields: { readonly [Field in Exclude<keyof TaskInput, "id">]?: TaskInput[Field] | undefined },
  body?: string,
): string {
  const { frontmatter, body: own } = splitFrontmatter(markdown);
  const document = parseDocument(frontmatter, { version: "1.2", logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) {
    const reason = error.message.split("\n", 1)[0];
    throw new InvalidInputError("frontmatter", `Frontmatter is no YAML: ${reason}`, { cause: error });
  }
  for (const [field, value] of Object.entries(fields)) {
    const key = field === "dependsOn" && !document.has("dependsOn") ? "depends_on" : field;
    if (value === undefined) document.delete(key);
    else document.set(key, value);
  }
  const mark = markdown.startsWith("\uFEFF") ? "\uFEFF" : "";
  // lineWidth 0: a long name stays on its line.
  return `${mark}---\n${document.toString({ lineWidth: 0 })}---\n${body ?? own}`;
}
