import { type Leftover, type Leftovers, usageOfOutcome } from "../budgets/mod.ts";
import type { Database } from "./database.ts";
import { decodeRow, type EventRow } from "./event_body.ts";

interface Row {
  readonly org_id: string;
  readonly id: string;
  readonly event: EventRow | null;
}

/**
 * Reservations that nobody will settle: made a while ago, and their call has an outcome in the log, or their run is over, or
 * their time is. The index of open ones is short, so this is cheap however much has been charged.
 */
const FIND = `
  select c.org_id, c.id, case when o.run_id is not null then json_build_object('run_id', o.run_id, 'seq', o.seq, 'at',
    (extract(epoch from o.at) * 1000)::float8, 'type', o.type, 'node_key', o.node_key, 'request_id', o.request_id, 'body', o.body,
    'created', null) end as event
  from budget_charges c
  left join lateral (
    select e.* from run_events e
    where c.run_id is not null and e.run_id = c.run_id and e.request_id = case when c.id ~ '^[0-9a-f-]{36}$' then c.id::uuid end
      and e.type in ('call.responded', 'call.error', 'call.aborted')
    order by e.seq desc limit 1
  ) o on true
  where c.state = 'reserved' and c.at < clock_timestamp() - interval '2 seconds' and (
    o.run_id is not null
    or c.expires_at < clock_timestamp()
    or (c.run_id is not null and not exists (select 1 from live_runs l where l.run_id = c.run_id))
  )
  order by c.at limit $1`;

export function createLeftovers(db: Database): Leftovers {
  return {
    async find(limit) {
      return (await db.query<Row>(FIND, [limit])).map(({ org_id: orgId, id, event }): Leftover => {
        const outcome = event === null ? undefined : decodeRow(event).at(-1);
        return { orgId, id, usage: outcome === undefined ? null : usageOfOutcome(outcome) };
      });
    },
  };
}
