/** An attribute that does not fit its schema. Returned, never thrown. */
export interface ValidationError {
  readonly type: "schema";
  /** Absent when the finding is about a dependency. */
  readonly taskId?: string;
  readonly field: string;
  readonly message: string;
  readonly value?: unknown;
}

/** Something wrong with how tasks depend on each other. Returned, never thrown. */
export interface GraphValidationError {
  readonly type: "graph";
  readonly category: "cycle" | "dangling-reference";
  /** The dependent that refers to nothing; absent for cycles. */
  readonly taskId?: string;
  readonly message: string;
  /** `{ cycle: string[] }` or `{ prerequisite: string }`. */
  readonly details?: Readonly<Record<string, unknown>>;
}
