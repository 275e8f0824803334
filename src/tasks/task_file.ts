import {
  InvalidInputError,
  parseFrontmatter,
  serializeFrontmatter,
  splitFrontmatter,
  updateFrontmatter,
} from "@alkdev/taskgraph";
import { Value } from "@alkdev/typebox/value";
import { TaskContentSchema, TaskId } from "./schemas.ts";
import { CONTENT_FIELDS, contentFrom, isSameField, type TaskContent, toTaskInput } from "./task.ts";

/** A file that holds a task. */
export interface ParsedFile {
  readonly path: string;
  readonly text: string;
  readonly id: string;
  readonly content: TaskContent;
}

/** A file that holds none, and why. */
export interface FileProblem {
  readonly path: string;
  readonly message: string;
}

/** The task in a file. */
export function parseTaskText({ path, text }: { readonly path: string; readonly text: string }):
  | ParsedFile
  | FileProblem {
  try {
    const input = parseFrontmatter(text);
    if (!Value.Check(TaskId, input.id)) {
      const wanted = "wanted letters, digits, '.', '_' and '-', at most 100";
      return { path, message: `Field "id" is "${String(input.id).slice(0, 120)}": ${wanted}` };
    }
    const content = contentFrom(input, splitFrontmatter(text).body);
    const first = Value.Errors(TaskContentSchema, content).First();
    if (first !== undefined) return { path, message: `Field "${first.path.slice(1)}": ${first.message}` };
    return { path, text, id: input.id, content };
  } catch (error) {
    if (error instanceof InvalidInputError) return { path, message: error.message };
    throw error;
  }
}

/** The text of a file that holds `content`, and else says what it said. */
export function updateTaskText(file: ParsedFile, content: TaskContent): string {
  const { body, ...fields } = content;
  const changed = CONTENT_FIELDS.filter((field) => field !== "body" && !isSameField(field, file.content, content));
  const values = Object.fromEntries(changed.map((field) => {
    const value = fields[field as Exclude<keyof TaskContent, "body">];
    const isNone = value === null || (field === "tags" && content.tags.length === 0);
    return [field, isNone ? undefined : value];
  }));
  return updateFrontmatter(file.text, values, isSameField("body", file.content, content) ? undefined : body);
}

/** The text of a new file. */
export function newTaskText(id: string, content: TaskContent): string {
  return serializeFrontmatter(toTaskInput({ id, ...content }), content.body);
}
