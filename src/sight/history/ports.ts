import type { SubjectStats } from "./subject_stats.ts";

/**
 * What is remembered of: an operation's attempts, a workflow's runs, the choices of a Conditional (`branch`), the items of a Map and
 * the turns of a Loop (`count`), how long a Signal waited (`wait`). The latter are named `<workflow>\n<key>`.
 */
export type SubjectKind = "operation" | "workflow" | "branch" | "count" | "wait";

/** Whose history it is. */
export interface Subject {
  readonly orgId: string;
  readonly kind: SubjectKind;
  readonly name: string;
}

/** What has happened, of several subjects. */
export interface HistoryStore {
  /** Adds to what is known; several hubs may at once. */
  merge(deltas: readonly (Subject & { readonly stats: SubjectStats })[]): Promise<void>;
  /** Those of them that are known, in any order. */
  read(subjects: readonly Subject[]): Promise<readonly (Subject & { readonly stats: SubjectStats })[]>;
  /** Forgets what nothing was added to for so long. */
  forget(params: { readonly idleMs: number }): Promise<void>;
}

/** The name of a node's history. */
export function nodeSubject(workflow: string, key: string): string {
  const bracket = key.indexOf("[");
  return `${workflow}\n${bracket < 0 ? key : key.slice(0, bracket)}`;
}
