import { FlowgraphError } from "./flowgraph_error.ts";

/** A graph cannot be built or changed as asked. Construction and mutation throw; validation and analysis return. */
export class ConstructionError extends FlowgraphError {}

/** A node of that key is there already. */
export class DuplicateNodeError extends ConstructionError {
  readonly key: string;

  constructor(key: string) {
    super(`Cannot add node "${key}": there is one of that key`);
    this.key = key;
  }
}

/** An edge between these nodes is there already. */
export class DuplicateEdgeError extends ConstructionError {
  readonly source: string;
  readonly target: string;

  constructor(source: string, target: string) {
    super(`Cannot add edge "${source}" -> "${target}": there is one between these nodes`);
    this.source = source;
    this.target = target;
  }
}

/** No node of that key. */
export class NodeNotFoundError extends ConstructionError {
  readonly key: string;

  constructor(key: string) {
    super(`There is no node "${key}"`);
    this.key = key;
  }
}

/** The graph would have cycles, or has. Each cycle lists its keys in order, the first not repeated. */
export class CycleError extends ConstructionError {
  readonly cycles: readonly (readonly string[])[];

  constructor(cycles: readonly (readonly string[])[]) {
    const [first = []] = cycles;
    const more = cycles.length > 1 ? ` (and ${cycles.length - 1} more)` : "";
    super(`The graph must have no cycle, but has ${[...first, first[0]].join(" -> ")}${more}`);
    this.cycles = cycles;
  }
}

/** Data handed in is not what it must be. */
export class InvalidInputError extends ConstructionError {
  readonly errors: readonly { readonly path: string; readonly message: string }[];

  constructor(errors: readonly { readonly path: string; readonly message: string }[]) {
    super(`The input is not valid: ${errors.map(({ path, message }) => `${path || "/"}: ${message}`).join("; ")}`);
    this.errors = errors;
  }
}
