import { type Static, type TSchema, type TUnsafe, Type } from "@alkdev/typebox";
import { TaskGraphEdgeAttributes, TaskGraphNodeAttributes } from "./attributes.ts";

/** A graph as JSON, in graphology's shape. */
export type SerializedGraph<NodeAttrs, EdgeAttrs, GraphAttrs> = {
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

/** Makes the schema of a {@linkcode SerializedGraph} from those of its attributes. */
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

/** A task graph as JSON. */
export type TaskGraphSerialized = SerializedGraph<
  TaskGraphNodeAttributes,
  TaskGraphEdgeAttributes,
  Readonly<Record<string, unknown>>
>;
/** Schema of {@linkcode TaskGraphSerialized}. */
export const TaskGraphSerialized: TUnsafe<TaskGraphSerialized> = SerializedGraph(
  TaskGraphNodeAttributes,
  TaskGraphEdgeAttributes,
  Type.Unsafe<Readonly<Record<string, unknown>>>(Type.Record(Type.String(), Type.Unknown())),
);
