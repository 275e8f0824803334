import { compileExpression } from "@alkdev/flowgraph";
import { CallError, type OperationRegistration, OperationType } from "@alkdev/operations";
import { type Static, type TSchema, Type } from "@alkdev/typebox";
import { Delivery } from "./delivery.ts";
import type { Mock } from "./mock.ts";

/** What a mock or built-in takes and gives. */
export type OperationSchemas = Pick<OperationRegistration, "inputSchema" | "outputSchema">;

interface Builtin extends OperationSchemas {
  readonly mock: Mock;
}

function builtin<Input extends TSchema>(inputSchema: Input, outputSchema: TSchema, mock: Mock<Static<Input>>): Builtin {
  return { inputSchema, outputSchema, mock };
}

const Value = Type.Object({ value: Type.Unknown() });

/** The hub's built-in operations that need no world. `tests/integration` holds them to the hub's own. */
export const BUILTINS: Readonly<Record<string, Builtin>> = {
  "core.echo": builtin(Value, Value, ({ value }) => ({ value })),
  "core.fail": builtin(
    Type.Object({
      code: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      message: Type.Optional(Type.String()),
      details: Type.Optional(Type.Unknown()),
    }),
    Type.Unknown(),
    ({ code = "EXECUTION_ERROR", message = "Failed on request", details }) => {
      throw new CallError(code, message, details);
    },
  ),
  "core.sleep": builtin(
    Type.Object({ ms: Type.Number({ minimum: 0, maximum: 24 * 60 * 60 * 1000 }) }),
    Type.Object({ ms: Type.Number() }),
    async ({ ms }, call) => {
      await call.sleep(ms);
      return { ms };
    },
  ),
  "core.eval": builtin(
    Type.Object({
      expression: Type.String({ description: "CEL, such as `items.size() > 3`" }),
      vars: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: "Values by name" })),
    }),
    Value,
    ({ expression, vars = {} }) => ({ value: evaluate(expression, vars) }),
  ),
};

function evaluate(expression: string, vars: Readonly<Record<string, unknown>>): unknown {
  try {
    const value: unknown = compileExpression(expression).evaluate(vars);
    if (JSON.stringify(value) === undefined) throw new TypeError("Expression gives something that is not JSON");
    return value;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CallError("VALIDATION_ERROR", message, { errors: [{ path: "/expression", message }] }, { cause: error });
  }
}

/** A registration of a mock under an operation's id. */
export function registrationOf(id: string, schemas: OperationSchemas, handler: Mock): OperationRegistration {
  const dot = id.indexOf(".");
  if (dot < 1) throw new TypeError(`Cannot mock "${id}": an operation's id is "namespace.name"`);
  return {
    namespace: id.slice(0, dot),
    name: id.slice(dot + 1),
    version: "1.0.0",
    type: OperationType.MUTATION,
    description: "",
    accessControl: { requiredScopes: [] },
    ...schemas,
    handler: (input, context) => {
      if (!(context instanceof Delivery)) throw new TypeError(`A mock of "${id}" is called by the test's hub only`);
      return handler(input, context);
    },
  };
}
