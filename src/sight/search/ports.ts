import type { Caller, RunQuery, RunRecord } from "../../runs/mod.ts";

/** What is looked for; all given ones must hold. Newest first. */
export interface RunSearchQuery extends Omit<RunQuery, "orgId" | "q" | "parent"> {
  /** In inputs, outputs, errors, answers, operation ids and label values, whatever the case. */
  readonly text?: string;
  /** The exact code that a run failed with. */
  readonly error?: string;
}

/** Where a text was found. */
export interface Match {
  readonly where: "label" | "input" | "output" | "error" | "operation";
  /** Null: the run's own. */
  readonly key: string | null;
  /** Seq of the event; null: a label. */
  readonly seq: number | null;
  /** The text with some of what is around it, as JSON text. */
  readonly excerpt: string;
}

export interface FoundRun extends RunRecord {
  /** At most three; empty where no text was looked for. */
  readonly matches: readonly Match[];
}

export interface SearchPage {
  readonly items: readonly FoundRun[];
  /** Goes on with what was not searched yet; null: all was. */
  readonly nextCursor: string | null;
  /** What this answer is about: a search looks at so many runs at a time and no more. */
  readonly searched: {
    readonly runs: number;
    /** Runs that could not be looked into in time; their ids are not among the items. */
    readonly skipped: number;
    /** Ms since the epoch, of the oldest run looked at; null: there was none. */
    readonly back: number | null;
    /** False: older runs may match too. */
    readonly complete: boolean;
  };
}

export interface RunSearch {
  search(query: RunSearchQuery & { readonly caller: Caller }): Promise<SearchPage>;
}

/** Looks into the logs of runs. */
export interface LogSearch {
  /**
   * Where `text` stands in each run's first events, in order of seq, at most `perRun`. Null: it would take too long for so many runs.
   */
  find(
    params: { readonly runIds: readonly string[]; readonly text: string; readonly perRun: number },
  ): Promise<ReadonlyMap<string, readonly Match[]> | null>;
}
