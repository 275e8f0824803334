/** Discovers, loads, versions and checks workflows: template files, and templates registered as JSON. @module */
export { contentHash } from "./content_hash.ts";
export { createMemoryWorkflowStore } from "./memory_workflow_store.ts";
export { createTemplates } from "./templates.ts";
export type { Templates, TemplatesLog, TemplatesOptions } from "./templates.ts";
export { validateFile } from "./validate_file.ts";
export type { StoredWorkflow, WorkflowStore } from "./workflow_store.ts";
