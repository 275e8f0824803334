/** What a graph is read from: a `SerializedGraph`, or as much of one as it takes. */
export interface GraphData<NodeAttrs, EdgeAttrs> {
  readonly nodes: readonly { readonly key: string; readonly attributes: NodeAttrs }[];
  readonly edges: readonly {
    readonly source: string;
    readonly target: string;
    readonly attributes: EdgeAttrs;
  }[];
}

/** Has the data the shape of a graph? What the attributes are is for `validateSchema`. */
export function isGraphData(data: unknown): boolean {
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
