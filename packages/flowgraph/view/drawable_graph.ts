/** A graph to be drawn. */
export interface DrawableGraph {
  readonly nodes: readonly DrawableNode[];
  readonly edges: readonly DrawableEdge[];
}

/** A node to be drawn; of a run with its status. */
export interface DrawableNode {
  readonly key: string;
  readonly kind?: string;
  readonly operationId?: string;
  readonly status?: string;
  /** Its result was taken over from another run. */
  readonly reused?: boolean;
}

/** An edge to be drawn, between keys. Edges whose ends are not among the nodes are left out. */
export interface DrawableEdge {
  readonly source: string;
  readonly target: string;
  readonly edgeType?: string;
  readonly dataFlow?: boolean;
  readonly condition?: unknown;
  readonly negated?: boolean;
}

/** Fill colours by status; other statuses are drawn plain. */
export const STATUS_COLOURS: Readonly<Record<string, string>> = Object.freeze({
  completed: "#c8e6c9",
  running: "#bbdefb",
  ready: "#e3f2fd",
  waiting: "#fff9c4",
  failed: "#ffcdd2",
  aborted: "#ffe0b2",
  skipped: "#eeeeee",
});

/** What is written on a node, in lines. */
export function nodeLines(node: DrawableNode): readonly string[] {
  const { key, operationId, status, reused } = node;
  const state = reused === true ? `${status ?? ""} (reused)`.trim() : status;
  return [key, ...(operationId !== undefined ? [operationId] : []), ...(state !== undefined ? [state] : [])];
}

/** What is written on an edge. */
export function edgeLabel({ condition, negated }: DrawableEdge): string {
  if (condition === undefined) return "";
  const text = typeof condition === "string" ? condition : "test";
  const short = text.length > 60 ? text.slice(0, 57) + "..." : text;
  return negated ? `not (${short})` : short;
}
