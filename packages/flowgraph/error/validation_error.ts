import type { TypeMismatch } from "../analysis/type_compat.ts";

/** A node's or edge's attributes do not fit their schema. Returned, never thrown, as all of these. */
export interface ValidationError {
  readonly type: "schema";
  readonly nodeKey: string;
  readonly field: string;
  readonly message: string;
  readonly value?: unknown;
}

/** The graph as a whole is not sound. */
export interface GraphValidationError {
  readonly type: "graph";
  readonly category: "cycle" | "dangling-reference" | "orphan-node" | "status-inconsistency";
  readonly details: string;
}

/** A data-flow edge whose schemas do not fit. */
export interface TypeIncompatError {
  readonly type: "type-compat";
  readonly sourceKey: string;
  readonly targetKey: string;
  readonly compatible: false;
  readonly mismatches: readonly TypeMismatch[];
}

/** Whatever validation finds. */
export type AnyValidationError = ValidationError | GraphValidationError | TypeIncompatError;
