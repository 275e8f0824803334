import type { Static, TSchema } from "@alkdev/typebox";
import type { OperationContext } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";

/** An operation whose handler has the types of its schemas. */
export interface TypedOperation<TInput extends TSchema, TOutput extends TSchema>
  extends Omit<SpokeOperation, "inputSchema" | "outputSchema" | "handler"> {
  readonly inputSchema: TInput;
  readonly outputSchema: TOutput;
  readonly handler: (input: Static<TInput>, context: OperationContext) => Promise<Static<TOutput>>;
}

export function defineOperation<TInput extends TSchema, TOutput extends TSchema>(
  { handler, ...spec }: TypedOperation<TInput, TOutput>,
): SpokeOperation {
  // The SDK has validated the input against the schema that the type is made from.
  return { ...spec, handler: (input, context) => handler(input as Static<TInput>, context) };
}
