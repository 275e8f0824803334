import type { TypeMismatch } from "./analysis/type_compat.ts";

/** What can be wrong with a template or plan. */
export type ProblemCode =
  | "bad-child"
  | "bad-expression"
  | "bad-key"
  | "bad-reference"
  | "cycle"
  | "duplicate-key"
  | "invalid-input"
  | "missing-prop"
  | "not-serializable"
  | "slot-deadlock"
  | "test-inside-conditional"
  | "too-deep"
  | "type-mismatch"
  | "unknown-operation"
  | "unknown-prop"
  | "unknown-reference"
  | "unknown-tag"
  | "unreachable-reference"
  | "wrong-type";

/** One thing wrong with a template or plan, said so that its author can mend it. */
export interface Problem {
  /** JSON pointer into the template (`/children/0/props/input/value`) or the plan (`/nodes/1/input/value`). */
  readonly path: string;
  /** Key of the node concerned, where it is known. */
  readonly node?: string;
  /** The data-flow edge concerned: node keys. */
  readonly edge?: { readonly source: string; readonly target: string };
  readonly code: ProblemCode;
  readonly message: string;
  /** What to write instead. */
  readonly suggestion?: string;
  /** Of a `type-mismatch`: every place that does not fit. */
  readonly mismatches?: readonly TypeMismatch[];
}
