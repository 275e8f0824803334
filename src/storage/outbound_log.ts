import { inArray } from "drizzle-orm";
import type { OutboundLog, PlacedEvent } from "../triggers/mod.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { runs } from "./schema/mod.ts";

/** See the port for how nothing is missed. By hand: the log's queries are unions of indexes, which a builder would hide. */
export function createOutboundLog(db: Database): OutboundLog {
  return {
    async place(refs) {
      const ids = [...new Set(refs.map(({ runId }) => runId))];
      if (ids.length === 0) return [];
      const rows = await db.orm.select({ id: runs.id, orgId: runs.orgId, workflow: runs.workflow, labels: runs.labels })
        .from(runs).where(inArray(runs.id, ids));
      const byId = new Map(rows.map(({ id, ...run }) => [id, run]));
      return refs.flatMap((ref) => {
        const run = byId.get(ref.runId);
        return run === undefined ? [] : [{ ...ref, ...run }];
      });
    },
    async beginScan({ now, everyMs }) {
      const begun = await db.query(
        `insert into webhook_scans (id, scanned_at) values ('begun', $1::timestamptz)
         on conflict (id) do update set scanned_at = excluded.scanned_at
         where webhook_scans.scanned_at <= excluded.scanned_at - $2 * interval '1 millisecond' returning id`,
        [new Date(now).toISOString(), everyMs],
      );
      if (begun.length === 0) return null;
      const [done] = await db.query<{ at: number }>(
        `select (extract(epoch from scanned_at) * 1000)::float8 as at from webhook_scans where id = 'done'`,
      );
      const ended = await db.query<{ run_id: string }>(
        "select run_id from webhook_watch w where not exists (select 1 from live_runs l where l.run_id = w.run_id)",
      );
      return { startedAt: now, since: done?.at ?? null, ended: ended.map((row) => row.run_id) };
    },
    events({ orgIds, types, since, after, limit }) {
      const orgs = orgIds.map(column);
      const place = after ?? { runId: "00000000-0000-0000-0000-000000000000", seq: 0 };
      return db.query<PlacedEvent>(EVENTS, [orgs, types, new Date(since).toISOString(), place.runId, place.seq, limit]);
    },
    async endScan({ scan, orgIds }) {
      await db.transaction(async (tx) => {
        await tx.query("delete from webhook_watch where run_id = any ($1::uuid[])", [scan.ended]);
        await tx.query(
          `insert into webhook_watch (run_id) select l.run_id from live_runs l join runs r on r.id = l.run_id
           where r.org_id = any ($1::text[]) order by l.run_id on conflict do nothing`,
          [orgIds.map(column)],
        );
        await tx.query(
          `insert into webhook_scans (id, scanned_at) values ('done', $1::timestamptz)
           on conflict (id) do update set scanned_at = greatest(webhook_scans.scanned_at, excluded.scanned_at)`,
          [new Date(scan.startedAt).toISOString()],
        );
      });
    },
  };
}

// The last error of a call is a node's failure: `retryAt` is the last field of its body, see `event_body.ts`.
const EVENTS = `with looked_at as (
    select run_id from webhook_watch
    union select id from runs where org_id = any ($1::text[]) and created_at >= $3::timestamptz
  )
  select e.run_id as "runId", e.seq, case e.type when 'call.error' then 'node.failed' else e.type end as type, (extract(epoch from e.at) * 1000)::float8 as at, r.org_id as "orgId", r.workflow,
    r.labels
  from looked_at w join runs r on r.id = w.run_id join run_events e on e.run_id = w.run_id
  where r.org_id = any ($1::text[]) and e.at >= $3::timestamptz
    and (e.type = any ($2::text[])
      or (e.type = 'call.error' and 'node.failed' = any ($2::text[]) and e.body like '%"retryAt":null}'))
    and (e.run_id, e.seq) > ($4::uuid, $5::integer)
  order by e.run_id, e.seq limit $6`;
