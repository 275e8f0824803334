/** What sessions are told in words. */
import type { Mapping } from "./mapping.ts";
import type { Notice } from "./notice.ts";

/** The prompt of a task: `{{task}}` stands for its name. */
export function promptOf(template: string, task: string): string {
  return template.replaceAll("{{task}}", () => task);
}

/** What a spawned session is told first. */
export function firstPrompt({ prompt, workspace }: Mapping): string {
  if (workspace === null) return prompt;
  const { spoke, directory, branch } = workspace;
  return `${prompt}\n\nYou work in the git worktree "${directory}" on spoke "${spoke}", on the branch "${branch}", ` +
    "which were made for this task. Give paths inside that directory, and commit what you have done there.";
}

/** What a parent is told of its child. */
export function toldToParent({ kind, level, text }: Notice, { task, workspace, sessionId }: Mapping): string {
  const where = workspace === null ? "" : `, branch "${workspace.branch}"`;
  const head = `[${workspace?.branch ?? task}]`;
  const about = `(task "${task}", session ${sessionId ?? "not made yet"}${where})`;
  if (kind === "detection") return `${head} The hub has noticed: ${text}\n${about}`;
  if (level !== "blocking") return `${head} ${level === "warning" ? "Warning: " : ""}${text}\n${about}`;
  return `${head} BLOCKING: it waits for an answer. Give one with coord.message to its session.\n${text}\n${about}`;
}
