import { Type } from "@alkdev/typebox";
import type { OperationRegistration } from "@alkdev/operations";
import { defineOperation } from "./define_operation.ts";

const Shape = Type.Object({ value: Type.Unknown() });

/** `{value} -> {value}`. */
export const coreEcho: OperationRegistration = defineOperation({
  namespace: "core",
  name: "echo",
  type: "query",
  title: "Echo",
  description: "Gives back the value it is given.",
  inputSchema: Shape,
  outputSchema: Shape,
  handler: ({ value }) => ({ value }),
});
