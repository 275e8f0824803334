import type { AskedSignals } from "../runs/mod.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";

interface Row {
  readonly runId: string;
  readonly key: string;
  readonly seq: number;
  readonly at: number;
}

/** The Signals of live runs, by the partial index that holds nothing else. */
export function createAskedSignals(db: Database): AskedSignals {
  return {
    async list({ orgId, workflow, limit, cursor }) {
      const values: unknown[] = [];
      const bind = (value: unknown) => `$${values.push(value)}`;
      const where = [`r.org_id = ${bind(column(orgId))}`];
      if (workflow !== undefined) where.push(`r.workflow = ${bind(column(workflow))}`);
      if (cursor !== undefined) {
        const { createdAt, id } = decodeCursor(cursor);
        const [runId = "", seq = "0"] = id.split(":");
        where.push(
          `(e.at, e.run_id, e.seq) > (to_timestamp(${bind(createdAt)}::float8 / 1000), ${bind(runId)}::uuid, ${
            bind(Number(seq))
          }::int)`,
        );
      }
      const rows = await db.query<Row>(
        `select e.run_id as "runId", e.node_key as key, e.seq, (extract(epoch from e.at) * 1000)::float8 as at
         from live_runs l join runs r on r.id = l.run_id
         cross join lateral (select * from run_events e where e.run_id = l.run_id and e.type = 'signal.awaited' offset 0) e
         where ${where.join(" and ")} and not exists (
           select 1 from run_events x where x.run_id = e.run_id and x.type in ('signal.received', 'signal.timedout')
             and x.node_key = e.node_key)
         order by e.at, e.run_id, e.seq limit ${bind(limit + 1)}`,
        values,
      );
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const more = rows.length > limit && last !== undefined;
      return { items, nextCursor: more ? encodeCursor({ createdAt: last.at, id: `${last.runId}:${last.seq}` }) : null };
    },
  };
}
