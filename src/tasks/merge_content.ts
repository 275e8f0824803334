import { CONTENT_FIELDS, isSameField, type TaskContent } from "./task.ts";

/** What became of a task and its file, each changed since they were the same. */
export interface Merged {
  readonly content: TaskContent;
  /** Fields that both have changed, and differently; empty: `content` has all that either side has changed. */
  readonly conflicts: readonly (keyof TaskContent)[];
}

/**
 * Three-way, field by field: a field that one side has changed is that side's. `base` is what both last said; null: they have
 * never been the same, and every difference is a conflict. Of a field in conflict `content` has what the task says.
 */
export function mergeContent(base: TaskContent | null, task: TaskContent, file: TaskContent): Merged {
  const conflicts: (keyof TaskContent)[] = [];
  const content = { ...task };
  for (const field of CONTENT_FIELDS) {
    if (isSameField(field, task, file)) continue;
    if (base !== null && isSameField(field, base, file)) continue;
    if (base !== null && isSameField(field, base, task)) Object.assign(content, { [field]: file[field] });
    else conflicts.push(field);
  }
  return { content, conflicts };
}
