import type { HistoryStore, Subject } from "./ports.ts";
import type { SubjectStats } from "./subject_stats.ts";

/** History in memory. */
export function createMemoryHistoryStore(): HistoryStore {
  const known = new Map<string, SubjectStats>();
  return {
    merge(deltas) {
      for (const { stats, ...subject } of deltas) {
        const id = idOf(subject);
        known.set(id, known.get(id)?.plus(stats) ?? stats);
      }
      return Promise.resolve();
    },
    read: (subjects) =>
      Promise.resolve(subjects.flatMap((subject) => {
        const stats = known.get(idOf(subject));
        return stats === undefined ? [] : [{ ...subject, stats }];
      })),
  };
}

function idOf({ orgId, kind, name }: Subject): string {
  return JSON.stringify([orgId, kind, name]);
}
