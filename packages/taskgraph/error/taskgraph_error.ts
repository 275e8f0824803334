/** What every error of this package is. */
export class TaskgraphError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No task of that id. */
export class TaskNotFoundError extends TaskgraphError {
  readonly taskId: string;

  constructor(taskId: string) {
    super(`There is no task "${taskId}"`);
    this.taskId = taskId;
  }
}

/** What was asked for needs an order, and the tasks have none. Each cycle lists its ids in order, the first not repeated. */
export class CircularDependencyError extends TaskgraphError {
  readonly cycles: string[][];

  constructor(cycles: string[][]) {
    const drawn = cycles.map((cycle) => [...cycle, ...cycle.slice(0, 1)].join(" -> ")).join("; ");
    super(`Tasks depend on themselves: ${drawn}`);
    this.cycles = cycles;
  }
}

/** A value cannot be used. `field` says which, as a dotted path. */
export class InvalidInputError extends TaskgraphError {
  readonly field: string;

  constructor(field: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
  }
}

/** A task of that id is there already. */
export class DuplicateNodeError extends TaskgraphError {
  readonly taskId: string;

  constructor(taskId: string) {
    super(`Cannot add task "${taskId}": there is one of that id`);
    this.taskId = taskId;
  }
}

/** That dependency is there already. */
export class DuplicateEdgeError extends TaskgraphError {
  readonly prerequisite: string;
  readonly dependent: string;

  constructor(prerequisite: string, dependent: string) {
    super(`Cannot add dependency "${prerequisite}" -> "${dependent}": there is one already`);
    this.prerequisite = prerequisite;
    this.dependent = dependent;
  }
}
