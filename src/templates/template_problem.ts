import type { Problem } from "@alkdev/flowgraph";
import type { TemplateProblem } from "../runs/ports.ts";

/** A compiler's problem as the edges show it. */
export function templateProblem({ path, node, edge, code, message, suggestion }: Problem): TemplateProblem {
  return {
    code,
    path,
    message,
    ...(node !== undefined && { node }),
    ...(edge !== undefined && { edge: `${edge.source} -> ${edge.target}` }),
    ...(suggestion !== undefined && { suggestion }),
  };
}
