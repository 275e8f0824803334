import { CallError } from "./call_error.ts";
import { isResponseEnvelope, localEnvelope } from "./envelope.ts";
import type { OperationContext } from "./operation_context.ts";
import type { OperationRegistry } from "./registry.ts";
import type { ResponseEnvelope } from "./response_envelope.ts";

/**
 * Runs a subscription in this process: each value in an envelope, in order, one at a time. Ending the iteration ends the
 * handler's generator.
 *
 * @throws {CallError} as `registry.execute`, at the first step; `EXECUTION_ERROR` when the handler gives nothing to iterate
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { OperationRegistry, subscribe } from "@alkdev/operations";
 * import { Type } from "@alkdev/typebox";
 *
 * const registry = new OperationRegistry();
 * registry.register({
 *   namespace: "count",
 *   name: "up",
 *   version: "1.0.0",
 *   type: "subscription",
 *   description: "Counts for ever.",
 *   inputSchema: Type.Object({}),
 *   outputSchema: Type.Number(),
 *   accessControl: { requiredScopes: [] },
 *   handler: async function* () {
 *     for (let n = 1;; n++) yield n;
 *   },
 * });
 * const seen: number[] = [];
 * for await (const { data } of subscribe<number>(registry, "count.up", {})) if (seen.push(data) === 2) break;
 * assert.deepEqual(seen, [1, 2]);
 * ```
 */
export async function* subscribe<T = unknown>(
  registry: OperationRegistry,
  id: string,
  input: unknown,
  context: OperationContext = {},
): AsyncGenerator<ResponseEnvelope<T>, void, undefined> {
  const { handler } = registry.prepare(id, input, context);
  const values: unknown = handler(input, context);
  if (!isAsyncIterable(values)) {
    throw new CallError(
      "EXECUTION_ERROR",
      `Cannot subscribe to operation "${id}": its handler gave nothing to iterate`,
      {
        operationId: id,
      },
    );
  }
  // for await calls the generator's return when this one is ended early.
  for await (const value of values) {
    // The type parameter is the caller's word, as with execute.
    yield (isResponseEnvelope(value) ? value : localEnvelope(value, id)) as ResponseEnvelope<T>;
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
