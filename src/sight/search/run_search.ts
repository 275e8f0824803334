import type { Clock } from "../../../engine/mod.ts";
import type { RunRecord, RunStore } from "../../runs/mod.ts";
import { excerptOf } from "./match_event.ts";
import type { FoundRun, LogSearch, Match, RunSearch, SearchPage } from "./ports.ts";

/** Runs looked at in one answer at most. */
const MAX_RUNS = 20_000;
/** Ms after which an answer is given, with what has been found. */
const MAX_MS = 1_500;
const FIRST_PAGE = 50;
const MAX_PAGE = 1_000;
/** A page that took less is followed by one twice as large. */
const QUICK_MS = 100;
const MATCHES = 3;

/**
 * Looks through runs, newest first, as far as it may in one answer, and says how far that was: what it costs does not depend on how
 * many runs there are, nor on how rare the text is.
 */
export function createRunSearch(
  ports: {
    readonly runs: Pick<RunStore, "list">;
    readonly logs: LogSearch;
    readonly clock: Pick<Clock, "now">;
    /** The cursor of the run list that goes on after a run. */
    readonly cursorOf: (run: RunRecord) => string;
  },
): RunSearch {
  const { runs, logs, clock, cursorOf } = ports;
  return {
    async search({ caller, text, error, limit, cursor, status, ...filters }): Promise<SearchPage> {
      // Only these have a code, and an index leads to them.
      const wanted = status ?? (error === undefined ? undefined : ["failed", "aborted"] as const);
      const query = { ...filters, orgId: caller.orgId, ...(wanted !== undefined && { status: wanted }) };
      const until = clock.now() + MAX_MS;
      const items: FoundRun[] = [];
      let size = text === undefined ? MAX_PAGE : FIRST_PAGE;
      let next: string | null = cursor ?? null;
      let last: RunRecord | null = null;
      let looked = 0;
      let skipped = 0;
      for (;;) {
        const since = clock.now();
        const page = await runs.list({ ...query, limit: size, ...(next !== null && { cursor: next }) });
        const candidates = error === undefined ? page.items : page.items.filter(({ errorCode }) => errorCode === error);
        const found = text === undefined ? null : await logs.find({ runIds: idsOf(candidates), text, perRun: MATCHES });
        if (text !== undefined && found === null && size > 1) {
          size = Math.max(1, size >> 2);
          continue;
        }
        if (text !== undefined && found === null) skipped += candidates.length;
        const chosen = new Set(candidates);
        for (const run of page.items) {
          last = run;
          looked++;
          if (!chosen.has(run)) continue;
          const matches = text === undefined
            ? []
            : [...inLabels(run, text), ...found?.get(run.id) ?? []].slice(0, MATCHES);
          if (text === undefined || matches.length > 0) items.push({ ...run, matches });
          if (items.length >= limit) break;
        }
        const isRead = last === page.items.at(-1) || page.items.length === 0;
        next = isRead ? page.nextCursor : last && cursorOf(last);
        const now = clock.now();
        if (next === null || items.length >= limit || looked >= MAX_RUNS || now >= until) break;
        if (now - since < QUICK_MS) size = Math.min(MAX_PAGE, size * 2);
      }
      const searched = { runs: looked, skipped, back: last?.createdAt ?? null, complete: next === null };
      return { items, nextCursor: next, searched };
    },
  };
}

function idsOf(runs: readonly RunRecord[]): readonly string[] {
  return runs.map(({ id }) => id);
}

function inLabels({ labels }: RunRecord, text: string): readonly Match[] {
  return Object.entries(labels).flatMap(([name, value]) => {
    const excerpt = excerptOf(value, text);
    return excerpt === null ? [] : [{ where: "label" as const, key: null, seq: null, excerpt: `${name}=${excerpt}` }];
  });
}
