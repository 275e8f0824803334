import { type Static, type TSchema, type TUnsafe, Type } from "@alkdev/typebox";

/** A graph as JSON, in graphology's shape. It has no version of its own: whoever stores it puts it into a versioned envelope. */
export type SerializedGraph<NodeAttrs, EdgeAttrs, GraphAttrs = Readonly<Record<string, unknown>>> = {
  readonly attributes: GraphAttrs;
  readonly options: { readonly type: "directed"; readonly multi: false; readonly allowSelfLoops: false };
  readonly nodes: readonly { readonly key: string; readonly attributes: NodeAttrs }[];
  readonly edges: readonly {
    readonly key: string;
    readonly source: string;
    readonly target: string;
    readonly attributes: EdgeAttrs;
  }[];
};

/** Makes the schema of a {@linkcode SerializedGraph} from those of its attributes. `edgeType` is beside an edge's own. */
export function SerializedGraph<N extends TSchema, E extends TSchema, G extends TSchema>(
  NodeAttrs: N,
  EdgeAttrs: E,
  GraphAttrs: G,
): TUnsafe<SerializedGraph<Static<N>, Static<E>, Static<G>>> {
  return Type.Unsafe<SerializedGraph<Static<N>, Static<E>, Static<G>>>(Type.Object({
    attributes: GraphAttrs,
    options: Type.Object({
      type: Type.Literal("directed"),
      multi: Type.Literal(false),
      allowSelfLoops: Type.Literal(false),
    }),
    nodes: Type.Array(Type.Object({ key: Type.String(), attributes: NodeAttrs })),
    edges: Type.Array(Type.Object({
      key: Type.String(),
      source: Type.String(),
      target: Type.String(),
      attributes: EdgeAttrs,
    })),
  }));
}
