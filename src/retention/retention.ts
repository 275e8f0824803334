import { CallError } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import { type ExportPorts, exportRun } from "./export_run.ts";
import { type ImportPorts, importRun } from "./import_run.ts";
import type { PruneAction, PruneFilter, PruneJob, PruneJobs, RunPruner } from "./ports.ts";
import type { RunExport } from "./run_export.ts";

/** What there is to be done away with. */
export interface PruneCount {
  /** Roots that fit. */
  readonly trees: number;
  readonly examined: number;
  /** False: so many runs were looked at and there are more. */
  readonly isComplete: boolean;
}

/** The use cases. Every method takes the caller, and touches its own organization's runs only. */
export interface Retention {
  /** @throws CallError RUN_NOT_FOUND, PAYLOAD_TOO_LARGE */
  export(params: { readonly caller: Caller; readonly runId: string; readonly tree: boolean }): Promise<RunExport>;
  /** @throws CallError VALIDATION_ERROR, RUN_EXISTS */
  import(
    params: { readonly caller: Caller; readonly exported: unknown },
  ): Promise<{ readonly id: string; readonly runs: number }>;
  /** Counts, and changes nothing. */
  count(params: { readonly caller: Caller; readonly filter: PruneFilter }): Promise<PruneCount>;
  /** Goes on in the background. */
  prune(
    params: { readonly caller: Caller; readonly filter: PruneFilter; readonly action: PruneAction },
  ): Promise<PruneJob>;
  /** @throws CallError JOB_NOT_FOUND */
  job(params: { readonly caller: Caller; readonly id: string }): Promise<PruneJob>;
}

export interface RetentionPorts {
  readonly exports: ExportPorts;
  readonly imports: ImportPorts;
  readonly jobs: PruneJobs;
  readonly pruner: RunPruner;
  /** Something is to be done now. */
  readonly wake: () => void;
}

/** Runs looked at for a count. */
const COUNTED = 50_000;
const PAGE = 5_000;

export function createRetention(ports: RetentionPorts): Retention {
  const { exports, imports, jobs, pruner, wake } = ports;
  return {
    export: ({ caller, runId, tree }) => exportRun(exports, { orgId: caller.orgId, runId, tree }),
    import: (params) => importRun(imports, params),
    async count({ caller, filter }) {
      let trees = 0;
      let examined = 0;
      let page = await pruner.page({ orgId: caller.orgId, filter, position: null, examine: PAGE });
      for (;;) {
        trees += page.roots.length;
        examined += page.examined;
        if (page.position === null || examined >= COUNTED) break;
        page = await pruner.page({ orgId: caller.orgId, filter, position: page.position, examine: PAGE });
      }
      return { trees, examined, isComplete: page.position === null };
    },
    async prune({ caller, filter, action }) {
      const createdBy = caller.identity.id;
      const job = await jobs.add({ id: crypto.randomUUID(), orgId: caller.orgId, createdBy, filter, action });
      wake();
      return job;
    },
    async job({ caller, id }) {
      const job = await jobs.get({ orgId: caller.orgId, id });
      if (job === null) throw new CallError("JOB_NOT_FOUND", `There is no job "${id}"`, { id });
      return job;
    },
  };
}
