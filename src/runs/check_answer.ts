import type { Json, SignalNode } from "@alkdev/flowgraph";
import { CallError, collectErrors, FromSchema, hasScope } from "@alkdev/operations";
import type { TSchema } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";

/** Read once: a plan is shared by all its runs. */
const schemas = new WeakMap<object, TSchema>();

/** `{"declined": true}`: whoever was asked does not want to answer. Taken whatever the schema says. */
function isDecline(payload: Json): boolean {
  return typeof payload === "object" && payload !== null && Object.keys(payload).length === 1 &&
    "declined" in payload && payload.declined === true;
}

/**
 * Whether an identity with these scopes may answer a Signal, and with this.
 *
 * @throws CallError ACCESS_DENIED with `details.requiredScopes` (any of them will do), VALIDATION_ERROR with `details.errors`
 */
export function checkAnswer(node: SignalNode, payload: Json, scopes: readonly string[]): void {
  const { answerers, schema, signal } = node;
  if (answerers !== undefined && !answerers.some((wanted) => hasScope(scopes, wanted))) {
    throw new CallError(
      "ACCESS_DENIED",
      `Cannot answer signal "${signal}": it takes ${answerers.length === 1 ? "" : "one of "}${
        answerers.map((scope) => `"${scope}"`).join(", ")
      }`,
      { requiredScopes: answerers },
    );
  }
  if (typeof schema !== "object" || schema === null || isDecline(payload)) return;
  let read = schemas.get(schema);
  if (read === undefined) schemas.set(schema, read = FromSchema(schema, { patterns: "linear" }));
  if (Value.Check(read, payload)) return;
  const errors = collectErrors(read, payload);
  const [first] = errors;
  throw new CallError(
    "VALIDATION_ERROR",
    `Cannot answer signal "${signal}": its payload${first?.path ?? ""} ${first?.message ?? "does not fit its schema"}`,
    { errors },
  );
}
