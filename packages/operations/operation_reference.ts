/** What a caller names: an operation, and where it is pinned one version of it. */
export interface OperationReference {
  readonly id: string;
  /** Semantic version; null: whichever is served. */
  readonly version: string | null;
}

/**
 * Reads `math.double` or, pinned to a version, `math.double@1.2.0`. Whether there is such an operation is not looked at.
 *
 * @example
 * ```ts
 * import { type OperationReference, parseOperationReference, unpinnedId } from "@alkdev/operations";
 *
 * const { id, version }: OperationReference = parseOperationReference("math.double@1.2.0");
 * console.assert(id === "math.double" && version === "1.2.0");
 * console.assert(unpinnedId("math.double@1.2.0") === id);
 * ```
 */
export function parseOperationReference(text: string): OperationReference {
  const at = text.indexOf("@");
  return at < 0 ? { id: text, version: null } : { id: text.slice(0, at), version: text.slice(at + 1) };
}

/** The dotted id in `text`, whether or not it is pinned: what scopes, limits and budgets name. */
export function unpinnedId(text: string): string {
  const at = text.indexOf("@");
  return at < 0 ? text : text.slice(0, at);
}
