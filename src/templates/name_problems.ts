import type { TemplateProblem } from "../runs/ports.ts";

const NAME = /^[a-z][a-z0-9_.-]{0,99}$/;

/** What is wrong with the name of a workflow given as JSON. */
export function nameProblems(name: string): readonly TemplateProblem[] {
  if (NAME.test(name)) return [];
  return [{
    code: "bad-name",
    path: "/name",
    message:
      `Workflow name "${name}" must start with a lower-case letter and hold only lower-case letters, digits, "_", ` +
      `"-" and ".", at most 100`,
  }];
}
