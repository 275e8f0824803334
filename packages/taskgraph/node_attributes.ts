import type { TaskGraphNodeAttributes } from "./schema/attributes.ts";
import type { TaskInput } from "./schema/task_input.ts";

/** The part of a task that a graph keeps. Null, a field unset by hand, is left out. */
export function toNodeAttributes(task: TaskInput): TaskGraphNodeAttributes {
  const { name, status, scope, risk, impact, level, priority } = task;
  return {
    name,
    ...(status != null && { status }),
    ...(scope != null && { scope }),
    ...(risk != null && { risk }),
    ...(impact != null && { impact }),
    ...(level != null && { level }),
    ...(priority != null && { priority }),
  };
}
