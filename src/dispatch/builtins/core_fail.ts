import { Type } from "@alkdev/typebox";
import { CallError, type OperationRegistration } from "@alkdev/operations";
import { defineOperation } from "./define_operation.ts";

/** `{code, message}`: fails with exactly that. */
export const coreFail: OperationRegistration = defineOperation({
  namespace: "core",
  name: "fail",
  type: "mutation",
  title: "Fail",
  description: "Fails with the given code and message.",
  inputSchema: Type.Object({
    code: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    message: Type.Optional(Type.String()),
    details: Type.Optional(Type.Unknown()),
  }),
  outputSchema: Type.Unknown(),
  handler: ({ code = "EXECUTION_ERROR", message = "Failed on request", details }) => {
    throw new CallError(code, message, details);
  },
});
