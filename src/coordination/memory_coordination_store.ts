import type { Detection } from "./detection.ts";
import type { Mapping } from "./mapping.ts";
import type { Notice } from "./notice.ts";
import type { CoordinationStore, MappingQuery } from "./ports.ts";

interface Row {
  readonly id: string;
  readonly orgId: string;
  readonly createdAt: number;
}

/** The reference store. */
export function createMemoryCoordinationStore(): CoordinationStore {
  const mappings = new Map<string, Mapping>();
  const notices = new Map<string, Notice>();
  const detections: Detection[] = [];
  const byKey = ({ orgId, key }: Pick<Mapping, "orgId" | "key">): Mapping | undefined =>
    mappings.values().find((one) => one.orgId === orgId && one.key === key);
  const own = <T extends Row>(rows: ReadonlyMap<string, T>, orgId: string, id: string): T | null => {
    const found = rows.get(id);
    return found?.orgId === orgId ? found : null;
  };
  return {
    plan({ mappings: wanted, caps }) {
      const added = wanted.filter((one) => byKey(one) === undefined);
      const [first] = added;
      if (first !== undefined) {
        const all = [...mappings.values()].filter(({ orgId }) => orgId === first.orgId);
        const children = all.filter((one) => one.status === "active" && isSibling(one, first)).length;
        if (children + added.length > caps.breadth) {
          return Promise.resolve({ refused: "breadth", present: children } as const);
        }
        const tree = all.filter(({ treeId }) => treeId === first.treeId).length;
        if (tree + added.length > caps.sessions) {
          return Promise.resolve({ refused: "sessions", present: tree } as const);
        }
      }
      for (const one of added) mappings.set(one.id, one);
      return Promise.resolve({ mappings: wanted.map((one) => byKey(one)!) });
    },
    get: ({ orgId, id }) => Promise.resolve(own(mappings, orgId, id)),
    list: (query) =>
      Promise.resolve(page([...mappings.values()].filter((one) => matches(one, query)), query, mappings)),
    change({ orgId, id, from, change, now }) {
      const found = own(mappings, orgId, id);
      if (found === null || !from.includes(found.status)) return Promise.resolve(null);
      const changed = { ...found, ...change, updatedAt: now };
      mappings.set(id, changed);
      return Promise.resolve(changed);
    },
    takeDue: ({ now, forMs, limit }) => Promise.resolve(take(mappings, { now, forMs, limit })),
    addNotice(notice) {
      if (!notices.has(notice.id)) notices.set(notice.id, notice);
      return Promise.resolve(notices.get(notice.id)!);
    },
    notice: ({ orgId, id }) => Promise.resolve(own(notices, orgId, id)),
    notices(query) {
      const { orgId, mappingIds, level, kind, open } = query;
      const found = [...notices.values()].filter((one) =>
        one.orgId === orgId && (mappingIds?.includes(one.mappingId) ?? true) &&
        (level === undefined || one.level === level) && (kind === undefined || one.kind === kind) &&
        (open !== true || (one.level === "blocking" && one.answeredAt === null))
      );
      return Promise.resolve(page(found, query, notices));
    },
    changeNotice({ orgId, id, change }) {
      const found = own(notices, orgId, id);
      if (found !== null) notices.set(id, { ...found, ...change });
      return Promise.resolve();
    },
    takeDueNotices: ({ now, forMs, limit }) => Promise.resolve(take(notices, { now, forMs, limit })),
    addDetection(detection) {
      const { orgId, sessionId, type, occurrence } = detection;
      const isKnown = detections.some((one) =>
        one.orgId === orgId && one.sessionId === sessionId && one.type === type && one.occurrence === occurrence
      );
      if (!isKnown) detections.push(detection);
      return Promise.resolve(!isKnown);
    },
    detections(query) {
      const { orgId, sessionIds, type } = query;
      const found = detections.filter((one) =>
        one.orgId === orgId && (sessionIds?.includes(one.sessionId) ?? true) &&
        (type === undefined || one.type === type)
      );
      return Promise.resolve(page(found, query, new Map(detections.map((one) => [one.id, one]))));
    },
  };
}

/** Children of one parent: of a session, else of a run; those of people are alone. */
function isSibling(one: Mapping, other: Mapping): boolean {
  if (other.parentSessionId !== null) return one.parentSessionId === other.parentSessionId;
  return other.parent !== null && one.parentSessionId === null && one.parent?.runId === other.parent.runId;
}

function matches(one: Mapping, query: MappingQuery): boolean {
  const { orgId, ids, sessionIds, taskIds, parentSessionId, parentRunId, treeId, status } = query;
  return one.orgId === orgId &&
    (ids?.includes(one.id) ?? true) &&
    (sessionIds === undefined || (one.sessionId !== null && sessionIds.includes(one.sessionId))) &&
    (taskIds === undefined || (one.taskId !== null && taskIds.includes(one.taskId))) &&
    (parentSessionId === undefined || one.parentSessionId === parentSessionId) &&
    (parentRunId === undefined || one.parent?.runId === parentRunId) &&
    (treeId === undefined || one.treeId === treeId) &&
    (status?.includes(one.status) ?? true);
}

/** Newest first, after the one of the id `after`. */
function page<T extends Row>(
  rows: readonly T[],
  { limit, after, orgId }: { readonly limit: number; readonly after?: string; readonly orgId: string },
  all: ReadonlyMap<string, T>,
): readonly T[] {
  const sorted = rows.toSorted((a, b) => newer(a, b));
  if (after === undefined) return sorted.slice(0, limit);
  const last = all.get(after);
  if (last?.orgId !== orgId) return [];
  return sorted.filter((one) => newer(last, one) < 0).slice(0, limit);
}

function newer(a: Row, b: Row): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function take<T extends Row & { readonly dueAt: number | null }>(
  rows: Map<string, T>,
  { now, forMs, limit }: { readonly now: number; readonly forMs: number; readonly limit: number },
): readonly T[] {
  const due = [...rows.values()].filter(({ dueAt }) => dueAt !== null && dueAt <= now)
    .sort((a, b) => a.dueAt! - b.dueAt!).slice(0, limit);
  return due.map((one) => {
    const taken = { ...one, dueAt: now + forMs };
    rows.set(one.id, taken);
    return taken;
  });
}
