import { FlowgraphError } from "../error/flowgraph_error.ts";

/** An expression that cannot be read or evaluated. */
export class ExpressionError extends FlowgraphError {
  readonly source: string;
  /** Offset into `source` in UTF-16 units; null where unknown. */
  readonly position: number | null;

  constructor(source: string, reason: string, position: number | null, options?: ErrorOptions) {
    const at = position === null ? "" : ` at character ${position + 1}`;
    super(`Cannot ${position === null ? "evaluate" : "read"} expression "${source}"${at}: ${reason}`, options);
    this.source = source;
    this.position = position;
  }
}
