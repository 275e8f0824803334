import type { Json, WorkflowExposure } from "@alkdev/flowgraph";

/** A serialisable workflow version as it is kept. */
export interface StoredWorkflow {
  /** Null: from a template file, shared by all organizations. */
  readonly orgId: string | null;
  readonly name: string;
  /** Content hash of template and schemas. */
  readonly version: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly template: Json;
  /** JSON Schema; null: any. */
  readonly inputSchema: Json | null;
  readonly outputSchema: Json | null;
  /** When its runs may start; null: at once. */
  readonly flow: Json | null;
  /** How it is served over MCP; null: by its name only. */
  readonly expose: WorkflowExposure | null;
}

/** Where versions are kept for ever. Implementations run `workflowStoreConformance`. */
export interface WorkflowStore {
  /** Keeps a version, and makes it the latest of its name: also when the same version was saved before. */
  save(workflow: StoredWorkflow): Promise<void>;
  /** One version, or the latest when none is named. Only of this very `orgId`. Null: not there. */
  get(
    params: { readonly orgId: string | null; readonly name: string; readonly version?: string },
  ): Promise<StoredWorkflow | null>;
  /** The versions of a name of this very `orgId`, the one saved last first, at most `limit`; times are ms since the epoch. */
  versions(
    params: { readonly orgId: string | null; readonly name: string; readonly limit: number },
  ): Promise<readonly { readonly version: string; readonly savedAt: number }[]>;
  /** The latest of each name of this very `orgId`, by name. */
  list(params: { readonly orgId: string | null }): Promise<readonly StoredWorkflow[]>;
}
