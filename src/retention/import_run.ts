import { CallError } from "@alkdev/operations";
import type { EventLog, PlanStore } from "../../engine/mod.ts";
import type { Caller } from "../runs/mod.ts";
import { type CheckedRun, checkExport } from "./check_export.ts";
import { invalid, readExport } from "./read_export.ts";
import type { RunExport } from "./run_export.ts";
import { sameJson } from "./same_json.ts";

/** Who imported a run. */
export const IMPORTED_LABEL = "hub.imported";

export interface ImportPorts {
  readonly log: EventLog;
  readonly plans: PlanStore;
  /** Does away with what is left of pruned runs of these ids. */
  readonly forget: (runIds: readonly string[]) => Promise<void>;
  /** The name of a plan, from its JSON text. */
  readonly hashOf: (text: string) => string;
}

/**
 * Stores what was exported, as the caller's organization's. All of it is checked before any of it is stored; descendants come
 * before their root, so that a root that is there has all that is below it. Asked again after a crash it goes on.
 *
 * @throws CallError VALIDATION_ERROR, RUN_EXISTS when there is a run of one of the ids (whosever it is)
 */
export async function importRun(
  ports: ImportPorts,
  params: { readonly caller: Caller; readonly exported: unknown },
): Promise<{ readonly id: string; readonly runs: number }> {
  const { caller } = params;
  const exported = readExport(params.exported);
  const runs = flatten(exported, ports.hashOf, caller, "", null);
  const ids = runs.map(({ created }) => created.runId);
  if (new Set(ids).size < ids.length) throw invalid("", "One run is in it twice");
  await ports.forget(ids);
  const missing: CheckedRun[] = [];
  for (const run of runs) {
    const stored = await ports.log.read({ runId: run.created.runId, limit: run.events.length + 1 });
    if (stored.length === 0) missing.push(run);
    // What an import that broke off has stored is what this one would store.
    else if (run.created.runId === exported.run.id || !sameJson(stored, run.events)) {
      throw new CallError("RUN_EXISTS", `There is already a run "${run.created.runId}"`, { runId: run.created.runId });
    }
  }
  for (const run of missing) {
    for (const [hash, plan] of run.plans) await ports.plans.put(hash, plan);
    // In one commit, so that it is over as soon as it is there: no hub ever claims it.
    await ports.log.commit(run.events);
  }
  return { id: exported.run.id, runs: runs.length };
}

/** Descendants first. */
function flatten(
  exported: RunExport,
  hashOf: ImportPorts["hashOf"],
  caller: Caller,
  path: string,
  above: { readonly runId: string; readonly rootRunId: string } | null,
): readonly CheckedRun[] {
  const checked = checkExport(exported, hashOf, path);
  const { created } = checked;
  if (above !== null && (created.parent?.runId !== above.runId || created.parent.requestId !== created.runId)) {
    throw invalid(`${path}/events/0/parent`, `The parent is not run "${above.runId}", below which it stands`);
  }
  const rootRunId = above?.rootRunId ?? created.runId;
  const rehomed = {
    ...created,
    caller: { ...created.caller, orgId: caller.orgId },
    labels: { ...created.labels, [IMPORTED_LABEL]: caller.identity.id },
    // A key stands for a start that was asked for here.
    idempotencyKey: null,
    parent: above === null ? null : { runId: above.runId, requestId: created.runId, rootRunId },
  };
  const below = { runId: created.runId, rootRunId };
  const children = (exported.children ?? []).flatMap((child, i) =>
    flatten(child, hashOf, caller, `${path}/children/${i}`, below)
  );
  return [...children, { ...checked, created: rehomed, events: [rehomed, ...checked.events.slice(1)] }];
}
