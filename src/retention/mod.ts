/** Runs that are over: kept elsewhere, brought back, done away with. @module */
export { createArchiveFolder } from "./archive_folder.ts";
export type { ExportPorts } from "./export_run.ts";
export { IMPORTED_LABEL } from "./import_run.ts";
export type { ImportPorts } from "./import_run.ts";
export { applyPolicies } from "./policies.ts";
export type { RetentionPolicy } from "./policies.ts";
export type {
  Archive,
  ArchiveFile,
  EndStatus,
  PruneAction,
  PruneFilter,
  PruneJob,
  PruneJobs,
  PrunePage,
  PrunePosition,
  RunPruner,
} from "./ports.ts";
export { PruneWorker } from "./prune_worker.ts";
export type { PruneWorkerOptions } from "./prune_worker.ts";
export { createRetention } from "./retention.ts";
export type { PruneCount, Retention, RetentionPorts } from "./retention.ts";
export { EXPORT_FORMAT } from "./run_export.ts";
export type { RunExport } from "./run_export.ts";
