import { FlowgraphError } from "./error/flowgraph_error.ts";
import type { Problem } from "./problem.ts";

/** A template that cannot be compiled. `problems` holds everything found, never empty. */
export class TemplateError extends FlowgraphError {
  readonly problems: readonly Problem[];

  constructor(name: string, problems: readonly Problem[]) {
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    const where = first?.path ? ` at ${first.path}` : "";
    super(`Template "${name}" is not valid: ${first?.message ?? "unknown problem"}${where}${more}`);
    this.problems = problems;
  }
}
