import type { RoleDefinition } from "./role.ts";

/** Whether one of the patterns stands for all that `wanted` stands for, a pattern or a name. */
export function coversPattern(patterns: readonly string[], wanted: string): boolean {
  return patterns.some((pattern) =>
    pattern === wanted || (pattern.endsWith("*") && wanted.startsWith(pattern.slice(0, -1)))
  );
}

/** The four that every session has, whatever its role says: they show and call no more than the others allow. */
export const ALWAYS_TOOLS: readonly string[] = ["hub.list", "hub.search", "hub.schema", "hub.call"];

/** Whether a session in the role may call an operation. */
export function mayUseOperation({ tools }: Pick<RoleDefinition, "tools">, operationId: string): boolean {
  return ALWAYS_TOOLS.includes(operationId) || coversPattern(tools.operations, operationId);
}

/** Whether a session in the role may run a workflow. */
export function mayUseWorkflow({ tools }: Pick<RoleDefinition, "tools">, workflow: string): boolean {
  return coversPattern(tools.workflows, workflow);
}

/** Whether a person is asked before a tool is used: an operation's id, or `workflow.<name>`. */
export function needsApproval({ tools }: Pick<RoleDefinition, "tools">, tool: string): boolean {
  return coversPattern(tools.approve, tool);
}
