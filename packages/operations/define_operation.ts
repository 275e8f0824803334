import type { Static, TSchema } from "@alkdev/typebox";
import type { AnyHandler, OperationContext } from "./operation_context.ts";
import type { OperationSpec } from "./operation_spec.ts";
import type { ResponseEnvelope } from "./response_envelope.ts";
import type { OperationRegistration } from "./registry.ts";

type Answer<TOutput extends TSchema> = Static<TOutput> | ResponseEnvelope<Static<TOutput>>;

interface Schemas<TInput extends TSchema, TOutput extends TSchema> {
  readonly inputSchema: TInput;
  readonly outputSchema: TOutput;
}

/** A query or mutation whose handler is typed by its schemas. */
export interface TypedOperation<TInput extends TSchema, TOutput extends TSchema>
  extends Omit<OperationSpec, keyof Schemas<TInput, TOutput> | "type">, Schemas<TInput, TOutput> {
  readonly type: "query" | "mutation";
  readonly handler: (
    input: Static<TInput>,
    context: OperationContext,
  ) => Answer<TOutput> | Promise<Answer<TOutput>>;
}

/** A subscription whose handler is typed by its schemas. */
export interface TypedSubscription<TInput extends TSchema, TOutput extends TSchema>
  extends Omit<OperationSpec, keyof Schemas<TInput, TOutput> | "type">, Schemas<TInput, TOutput> {
  readonly type: "subscription";
  readonly handler: (
    input: Static<TInput>,
    context: OperationContext,
  ) => AsyncGenerator<Answer<TOutput>, void, undefined>;
}

/** Gives back the operation, its handler typed by its schemas on the way in: `register(defineOperation({ … }))`. */
export function defineOperation<TInput extends TSchema, TOutput extends TSchema>(
  operation: TypedOperation<TInput, TOutput> | TypedSubscription<TInput, TOutput>,
): OperationRegistration & { readonly handler: AnyHandler } {
  // The registry checks the input against inputSchema before it calls the handler.
  return { ...operation, handler: operation.handler as AnyHandler };
}
