import type { HistoryStore, Subject } from "./ports.ts";
import type { SubjectStats } from "./subject_stats.ts";

/** History in memory. */
export function createMemoryHistoryStore(now: () => number = Date.now): HistoryStore {
  const known = new Map<string, { readonly stats: SubjectStats; readonly at: number }>();
  return {
    merge(deltas) {
      for (const { stats, ...subject } of deltas) {
        const id = idOf(subject);
        known.set(id, { stats: known.get(id)?.stats.plus(stats) ?? stats, at: now() });
      }
      return Promise.resolve();
    },
    read: (subjects) =>
      Promise.resolve(subjects.flatMap((subject) => {
        const found = known.get(idOf(subject));
        return found === undefined ? [] : [{ ...subject, stats: found.stats }];
      })),
    forget({ idleMs }) {
      for (const [id, { at }] of known) if (at < now() - idleMs) known.delete(id);
      return Promise.resolve();
    },
  };
}

function idOf({ orgId, kind, name }: Subject): string {
  return JSON.stringify([orgId, kind, name]);
}
