import { countNodes, type EventOf, type RunEvent, type RunState } from "../../engine/mod.ts";
import type { Json } from "@alkdev/flowgraph";
import type { RunRecord, RunView } from "./ports.ts";

const NONE = { total: 0, completed: 0, failed: 0, aborted: 0, skipped: 0, running: 0, waiting: 0 };

/** A run's view from its folded state. */
export function viewOfState(record: RunRecord, state: RunState): RunView {
  return viewOf(record, {
    input: state.input,
    terminal: state.terminal,
    lastSeq: state.seq,
    progress: countNodes(state),
    lineage: state.created?.lineage ?? null,
  });
}

/** A run's view from its first and last event, without the fold: enough once it has ended. */
export function viewOfEnded(record: RunRecord, created: EventOf<"run.created">, terminal: RunEvent): RunView {
  const { input, lineage = null } = created;
  const counts = "counts" in terminal ? terminal.counts : NONE;
  return viewOf(record, {
    input,
    terminal,
    lastSeq: terminal.seq,
    progress: { ...counts, running: 0, waiting: 0 },
    lineage,
  });
}

function viewOf(
  record: RunRecord,
  parts: {
    readonly input: Json;
    readonly terminal: RunEvent | null;
    readonly lastSeq: number;
    readonly progress: RunView["progress"];
    readonly lineage: RunView["lineage"];
  },
): RunView {
  const { terminal } = parts;
  return {
    ...record,
    input: parts.input,
    output: terminal?.type === "run.completed" ? terminal.output : null,
    error: terminal?.type === "run.failed"
      ? terminal.error
      : terminal?.type === "run.aborted"
      ? { code: terminal.code ?? "ABORTED", message: terminal.reason }
      : null,
    progress: parts.progress,
    lastSeq: parts.lastSeq,
    lineage: parts.lineage,
  };
}

/** The list's row of a run, from its events alone. */
export function recordOf(
  created: EventOf<"run.created">,
  terminal: RunEvent | null,
  migrated: EventOf<"run.migrated"> | null = null,
): RunRecord {
  return {
    id: created.runId,
    orgId: created.caller.orgId,
    workflow: created.workflow,
    version: (migrated ?? created).version,
    planHash: (migrated ?? created).planHash,
    status: terminal === null
      ? created.gate === undefined ? "running" : "queued"
      : terminal.type === "run.completed"
      ? "completed"
      : terminal.type === "run.failed"
      ? "failed"
      : "aborted",
    priority: created.priority,
    labels: created.labels,
    parentRunId: created.parent?.runId ?? null,
    rootRunId: created.parent?.rootRunId ?? created.runId,
    createdAt: created.at,
    completedAt: terminal?.at ?? null,
    errorCode: terminal?.type === "run.failed" ? terminal.error.code : null,
  };
}
