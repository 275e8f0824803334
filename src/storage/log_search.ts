import { jsonText, type LogSearch, type Match, matchEvent } from "../sight/mod.ts";
import type { Database, Queryable } from "./database.ts";
import { readParts } from "./event_body.ts";

/** Events of a run that are looked at, and candidates among them that are read. */
const MAX_SEQ = 5_000;
const CANDIDATES = 50;
const TIMEOUT_MS = 4_000;
/** PostgreSQL's code for a statement that took too long. */
const CANCELED = "57014";

/** A body with an escaped character is stored wrapped, and read whatever it holds. */
const FIND = `
  select e.run_id as "runId", e.seq, e.node_key as key, e.type, e.body
  from unnest($1::uuid[]) r(id) cross join lateral (
    select run_id, seq, node_key, type, body from run_events
    where run_id = r.id and seq <= ${MAX_SEQ} and (body ilike $2 or body like '{"hex":"%')
    order by seq limit ${CANDIDATES}
  ) e`;

interface Row {
  readonly runId: string;
  readonly seq: number;
  readonly key: string | null;
  readonly type: string;
  readonly body: string;
}

/** Looks for a text in event bodies, by going through them: no index serves this, and none taxes the commits. */
export function createLogSearch(db: Database): LogSearch {
  return {
    async find({ runIds, text, perRun }) {
      if (runIds.length === 0) return new Map();
      const values = [runIds, `%${jsonText(text).replace(/[\\%_]/g, "\\$&")}%`];
      try {
        return matchesOf(await rowsWithin(db, values), text, perRun);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === CANCELED) return null;
        throw error;
      }
    },
  };
}

function rowsWithin(db: Database, values: readonly unknown[]): Promise<readonly Row[]> {
  const ask = (on: Queryable) => on.query<Row>(FIND, values);
  if (db.kind === "embedded") return ask(db);
  return db.transaction(async (tx) => {
    await tx.query(`set local statement_timeout = ${TIMEOUT_MS}`);
    return await ask(tx);
  });
}

function matchesOf(rows: readonly Row[], text: string, perRun: number): ReadonlyMap<string, readonly Match[]> {
  const found = new Map<string, Match[]>();
  for (const { runId, seq, key, type, body } of rows) {
    const known = found.get(runId) ?? [];
    if (known.length >= perRun) continue;
    const matches = matchEvent({ seq, key, parts: readParts(type, body) }, text);
    if (matches.length > 0) found.set(runId, [...known, ...matches].slice(0, perRun));
  }
  return found;
}
