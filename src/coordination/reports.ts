import type { Detection } from "./detection.ts";
import type { Mapping } from "./mapping.ts";
import type { Notice } from "./notice.ts";
import type { CoordinationOptions } from "./options.ts";
import type { SessionReport, Spawned } from "./requests.ts";
import type { Caller } from "../runs/mod.ts";

const MAX_TEXT = 4_000;

/** What a spawn answers about a mapping. */
export function spawnedOf({ id, task, taskId, sessionId, status, workspace, depth, error }: Mapping): Spawned {
  return {
    id,
    task,
    taskId,
    sessionId,
    status,
    branch: workspace?.branch ?? null,
    directory: workspace?.directory ?? null,
    spoke: workspace?.spoke ?? null,
    depth,
    error,
  };
}

/** Reports on mappings, live: from their sessions and the call graph. */
export async function reportsOf(
  options: CoordinationOptions,
  caller: Caller,
  mappings: readonly Mapping[],
): Promise<readonly SessionReport[]> {
  const { store } = options;
  const { orgId } = caller;
  if (mappings.length === 0) return [];
  const sessionIds = mappings.map(({ sessionId }) => sessionId).filter((id) => id !== null);
  const [detections, notices] = await Promise.all([
    store.detections({ orgId, sessionIds, limit: 500 }),
    store.notices({ orgId, mappingIds: mappings.map(({ id }) => id), open: true, limit: 500 }),
  ]);
  return await Promise.all(mappings.map((mapping) =>
    reportOf(options, caller, {
      mapping,
      detections: detections.filter(({ sessionId }) => sessionId === mapping.sessionId),
      open: notices.find(({ mappingId }) => mappingId === mapping.id) ?? null,
    })
  ));
}

async function reportOf(
  { sessions, graph }: CoordinationOptions,
  caller: Caller,
  { mapping, detections, open }: {
    readonly mapping: Mapping;
    readonly detections: readonly Detection[];
    readonly open: Notice | null;
  },
): Promise<SessionReport> {
  const { orgId, sessionId, parentSessionId, parent, role, treeId, worktree, round, result } = mapping;
  const state = sessionId === null ? null : await sessions.state({ orgId, sessionId });
  const isAtWork = state?.status === "busy" || state?.status === "waiting";
  const runId = isAtWork ? state.runId : null;
  const said = state?.lastMessage ?? null;
  return {
    ...spawnedOf(mapping),
    treeId,
    parentSessionId,
    parentRunId: parent?.runId ?? null,
    role,
    state: sessionId === null ? (mapping.status === "active" ? "spawning" : "gone") : state?.status ?? "gone",
    runId,
    current: runId === null ? [] : await graph.current({ caller, runId }),
    lastMessage: said === null ? null : { role: said.role, text: said.text.slice(0, MAX_TEXT) },
    usage: state?.usage ?? null,
    lastActivityAt: state?.lastActivityAt ?? null,
    anomalies: detections.map(({ type, severity, suggestion, createdAt }) => ({
      type,
      severity,
      suggestion,
      createdAt,
    })),
    blockedBy: open === null || mapping.status !== "active"
      ? null
      : { noticeId: open.id, runId: open.runId, text: open.text },
    worktree,
    round,
    result,
    createdAt: mapping.createdAt,
    completedAt: mapping.completedAt,
  };
}
