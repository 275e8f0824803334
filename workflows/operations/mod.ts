/** The hub-local operations that the workflows in this repository call. @module */
import type { IOperationDefinition } from "@alkdev/operations";
import { demoOperations } from "./demo.ts";
import { digestOperations } from "./digest.ts";
import { reportOperations } from "./report.ts";

export { demoOperations, digestOperations, reportOperations };

/** All of them, to be registered at start. */
export const workflowOperations: readonly IOperationDefinition[] = [
  ...demoOperations,
  ...reportOperations,
  ...digestOperations,
];
