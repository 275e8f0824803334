/** A graph as JSON. It has no version of its own: whoever stores it puts it into a versioned envelope. */
export interface SerializedGraph<NodeAttrs, EdgeAttrs> {
  readonly nodes: readonly { readonly key: string; readonly attributes: NodeAttrs }[];
  readonly edges: readonly {
    readonly key?: string;
    readonly source: string;
    readonly target: string;
    readonly attributes: EdgeAttrs;
  }[];
}

/** Has the data the shape of a graph? What the attributes are is for `validateSchema`. */
export function isSerializedGraph(data: unknown): boolean {
  if (!isObject(data) || !Array.isArray(data.nodes) || !Array.isArray(data.edges)) return false;
  return data.nodes.every((node) => isObject(node) && typeof node.key === "string" && isObject(node.attributes)) &&
    data.edges.every((edge) =>
      isObject(edge) && typeof edge.source === "string" && typeof edge.target === "string" &&
      isObject(edge.attributes) &&
      typeof edge.attributes.edgeType === "string"
    );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
