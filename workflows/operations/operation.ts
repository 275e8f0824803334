import type { IOperationDefinition, OperationContext, OperationType } from "@alkdev/operations";
import type { Static, TSchema } from "@alkdev/typebox";

/** What a handler may answer where `T` is wanted: nobody writes to it any more. */
type Frozen<T> = T extends readonly (infer Item)[] ? readonly Frozen<Item>[]
  : T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> }
  : T;

/** What an operation of these workflows declares; everything else of its spec is the same for all of them. */
export interface OperationDeclaration<TInput extends TSchema, TOutput extends TSchema> {
  /** `namespace.name`. */
  readonly id: `${string}.${string}`;
  readonly type: OperationType;
  readonly title: string;
  readonly description: string;
  readonly input: TInput;
  readonly output: TOutput;
  readonly run: (
    input: Static<TInput>,
    context: OperationContext,
  ) => Frozen<Static<TOutput>> | Promise<Frozen<Static<TOutput>>>;
}

/** A definition whose handler has the types of its schemas. Its caller needs no scope beyond that of calling operations. */
export function operation<TInput extends TSchema, TOutput extends TSchema>(
  declaration: OperationDeclaration<TInput, TOutput>,
): IOperationDefinition {
  const dot = declaration.id.indexOf(".");
  return {
    namespace: declaration.id.slice(0, dot),
    name: declaration.id.slice(dot + 1),
    version: "1.0.0",
    type: declaration.type,
    title: declaration.title,
    description: declaration.description,
    inputSchema: declaration.input,
    outputSchema: declaration.output,
    accessControl: { requiredScopes: [] },
    // The registry checks the input against `inputSchema` before it calls, so the schema's type holds.
    handler: (input, context) => declaration.run(input as Static<TInput>, context),
  };
}
