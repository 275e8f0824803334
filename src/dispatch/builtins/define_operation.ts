import type { Static, TSchema } from "@alkdev/typebox";
import type { OperationContext, OperationRegistration, ResponseEnvelope } from "@alkdev/operations";

/** An operation whose handler has the types of its schemas. Version 1.0.0, open to everyone unless it says otherwise. */
export interface TypedOperation<TInput extends TSchema, TOutput extends TSchema>
  extends Omit<OperationRegistration, "inputSchema" | "outputSchema" | "handler" | "version" | "accessControl"> {
  readonly inputSchema: TInput;
  readonly outputSchema: TOutput;
  readonly requiredScopes?: readonly string[];
  readonly handler: (
    input: Static<TInput>,
    context: OperationContext,
  ) => Static<TOutput> | Promise<Static<TOutput>> | Promise<ResponseEnvelope>;
}

export function defineOperation<TInput extends TSchema, TOutput extends TSchema>(
  { handler, requiredScopes = [], ...spec }: TypedOperation<TInput, TOutput>,
): OperationRegistration {
  return {
    ...spec,
    version: "1.0.0",
    accessControl: { requiredScopes },
    // The registry has validated the input against the schema that the type is made from.
    handler: (input, context) => handler(input as Static<TInput>, context),
  };
}
