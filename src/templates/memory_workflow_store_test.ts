import { createMemoryWorkflowStore } from "./memory_workflow_store.ts";
import { workflowStoreConformance } from "./workflow_store_conformance.ts";

workflowStoreConformance("createMemoryWorkflowStore()", () =>
  Promise.resolve({
    store: createMemoryWorkflowStore(),
    orgs: ["org-1", "org-2"] as const,
    close: () => Promise.resolve(),
  }));
