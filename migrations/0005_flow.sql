-- Flow control: who may run now, exact across hubs (docs/decisions/0014-flow-tickets.md).

alter table runs drop constraint runs_status_check;
alter table runs add constraint runs_status_check
  check (status in ('queued', 'running', 'paused', 'completed', 'failed', 'aborted'));

-- What an organization allows under a key; what is null is left to whoever waits for the key.
create table flow_limits (
  org_id text not null references organizations(id) on delete cascade,
  key text not null,
  concurrency integer check (concurrency >= 0),
  rate_limit integer check (rate_limit >= 0),
  rate_per_ms double precision check (rate_per_ms > 0),
  updated_by text not null,
  updated_at timestamptz not null default now(),
  primary key (org_id, key),
  check ((rate_limit is null) = (rate_per_ms is null)),
  check (concurrency is not null or rate_limit is not null)
);

-- What nobody starts for the time being, and who said so.
create table flow_holds (
  id text primary key,
  org_id text not null references organizations(id) on delete cascade,
  kind text not null check (kind in ('workflow', 'operation', 'spoke')),
  name text not null,
  reason text,
  created_by text not null,
  created_at timestamptz not null default now(),
  unique (org_id, kind, name)
);

-- Rises with every change of the two above: hubs look at it often, and at them when it has changed.
create table flow_rules_version (version bigint primary key);
insert into flow_rules_version (version) values (1);

-- One row for each run or call in a line. It holds its key from `held` until it is deleted. Churns like live_runs.
-- `rank`: lowest first; ms since the epoch less a second for each point of priority, so it never changes.
-- `concurrency`, `rate_*`: of the workflow's definition, where flow_limits has none; `fallback`: where neither has.
-- `told`: its hub knows the state. `hub_id`, `epoch`: who asked for it last.
create sequence flow_tickets_seq;
create table flow_tickets (
  seq bigint not null default nextval('flow_tickets_seq'),
  org_id text not null,
  key text not null,
  holder text not null,
  run_id uuid not null,
  node_key text,
  hub_id text not null,
  epoch integer not null,
  state text not null default 'waiting' check (state in ('waiting', 'held', 'replaced')),
  told boolean not null default true,
  priority double precision not null,
  rank double precision not null,
  concurrency integer,
  fallback integer,
  rate_limit integer,
  rate_per_ms double precision,
  replaced_by text,
  came_at timestamptz not null,
  first_at timestamptz not null,
  not_before timestamptz,
  granted_at timestamptz,
  primary key (org_id, key, holder)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
create index flow_tickets_line_idx on flow_tickets (org_id, key, rank, seq) where state = 'waiting';
create index flow_tickets_held_idx on flow_tickets (org_id, key) where state = 'held';
create index flow_tickets_untold_idx on flow_tickets (hub_id, epoch) where not told;
create index flow_tickets_waiting_idx on flow_tickets (hub_id, epoch) where state = 'waiting';
create index flow_tickets_run_id_idx on flow_tickets (run_id);

-- When a key with a rate was granted; kept as long as it counts.
create table flow_grants (
  org_id text not null,
  key text not null,
  at timestamptz not null,
  until timestamptz not null
);
create index flow_grants_org_id_key_at_idx on flow_grants (org_id, key, at);
create index flow_grants_until_idx on flow_grants (until);

-- Everything below that changes tickets of a key holds the key's lock until its transaction ends, so that counting and granting
-- are one step for all hubs. Several keys are locked in the order of their numbers: no two wait for each other in a ring.
create function flow_lock_v1(p_keys json) returns void language plpgsql as $$
declare
  k bigint;
begin
  for k in
    select distinct hashtextextended(t.org || E'\x1f' || t.key, 7761) as number
    from json_to_recordset(p_keys) as t(org text, key text) order by number
  loop
    perform pg_advisory_xact_lock(k);
  end loop;
end $$;

-- Grants a key to those that are first in its line, as far as its limits go. The caller holds the key's lock.
create function flow_grant_v1(p_org text, p_key text) returns void language plpgsql
set enable_seqscan = off as $$
declare
  t flow_tickets;
  own flow_limits;
  has_own boolean;
  held integer;
  most integer;
  rate integer;
  per double precision;
  instant timestamptz := clock_timestamp();
begin
  select * into own from flow_limits where org_id = p_org and key = p_key;
  has_own := found;
  select count(*) into held from flow_tickets where org_id = p_org and key = p_key and state = 'held';
  for t in
    select * from flow_tickets
    where org_id = p_org and key = p_key and state = 'waiting' and (not_before is null or not_before <= instant)
    order by rank, seq
  loop
    most := coalesce(own.concurrency, t.concurrency);
    if most is null and not has_own then most := t.fallback; end if;
    exit when most is not null and held >= most;
    rate := coalesce(own.rate_limit, t.rate_limit);
    per := coalesce(own.rate_per_ms, t.rate_per_ms);
    if rate is not null then
      exit when (select count(*) from flow_grants
        where org_id = p_org and key = p_key and at > instant - per * interval '1 millisecond') >= rate;
      insert into flow_grants (org_id, key, at, until)
      values (p_org, p_key, instant, instant + per * interval '1 millisecond');
    end if;
    update flow_tickets set state = 'held', granted_at = instant, told = false
    where org_id = p_org and key = p_key and holder = t.holder;
    held := held + 1;
  end loop;
end $$;

-- True while the hub holds its lease under this epoch: another's tickets are not for it to touch.
create function flow_is_hub_v1(p_hub text, p_epoch integer) returns boolean language sql as $$
  select exists (select 1 from hubs where id = p_hub and epoch = p_epoch and lease_until is not null);
$$;

-- What a hub has not been told of its tickets; it is taken to be told with the answer. A hub that has lost an answer asks for
-- all its tickets again.
create function flow_news_v1(p_hub text, p_epoch integer) returns table (org text, key text, holder text, state text, replaced_by text)
language sql set enable_seqscan = off as $$
  update flow_tickets t set told = true where t.hub_id = p_hub and t.epoch = p_epoch and not t.told
  returning t.org_id, t.key, t.holder, t.state, t.replaced_by;
$$;

-- Puts tickets in line, or takes them over as they are where they are there already, and answers the state of each, and the news.
-- `replaces`: runs that wait there are given up for it; with `max_delay` it takes over how long they have waited.
-- `now_or_never`: it does not wait: state `refused` when it would.
create function flow_request_v1(p_hub text, p_epoch integer, p_tickets json)
returns table (org text, key text, holder text, state text, replaced_by text) language plpgsql as $$
#variable_conflict use_column
declare
  t record;
  first timestamptz;
  instant timestamptz;
begin
  perform flow_lock_v1(p_tickets);
  if not flow_is_hub_v1(p_hub, p_epoch) then return; end if;
  instant := clock_timestamp();
  for t in
    select * from json_to_recordset(p_tickets) as t(org text, key text, holder text, run uuid, node text,
      priority double precision, rank double precision, concurrency integer, fallback integer, rate integer,
      per double precision, delay double precision, max_delay double precision, replaces boolean)
  loop
    update flow_tickets f set hub_id = p_hub, epoch = p_epoch, told = f.state = 'waiting'
    where f.org_id = t.org and f.key = t.key and f.holder = t.holder;
    continue when found;
    first := instant;
    if t.replaces then
      select least(min(f.first_at), instant) into first from flow_tickets f
      where f.org_id = t.org and f.key = t.key and f.state = 'waiting' and f.node_key is null;
      update flow_tickets f set state = 'replaced', replaced_by = t.holder, told = false
      where f.org_id = t.org and f.key = t.key and f.state = 'waiting' and f.node_key is null;
    end if;
    insert into flow_tickets (org_id, key, holder, run_id, node_key, hub_id, epoch, priority, rank, concurrency, fallback,
      rate_limit, rate_per_ms, came_at, first_at, not_before)
    values (t.org, t.key, t.holder, t.run, t.node, p_hub, p_epoch, t.priority, t.rank, t.concurrency, t.fallback,
      t.rate, t.per, instant, first,
      case when t.delay is not null then least(instant + t.delay * interval '1 millisecond',
        coalesce(first + t.max_delay * interval '1 millisecond', 'infinity')) end);
  end loop;
  perform flow_grant_v1(k.org, k.key)
  from (select distinct t.org, t.key from json_to_recordset(p_tickets) as t(org text, key text)) k;
  return query
    with refused as (
      delete from flow_tickets f using json_to_recordset(p_tickets)
        as t(org text, key text, holder text, now_or_never boolean)
      where t.now_or_never and f.org_id = t.org and f.key = t.key and f.holder = t.holder and f.state = 'waiting'
      returning f.org_id, f.key, f.holder
    )
    select r.org_id, r.key, r.holder, 'refused'::text, null::text from refused r;
  return query select * from flow_news_v1(p_hub, p_epoch);
end $$;

-- Leaves lines and gives keys back, of this hub's tickets only; who is next is granted. Answers the news.
create function flow_release_v1(p_hub text, p_epoch integer, p_tickets json)
returns table (org text, key text, holder text, state text, replaced_by text) language plpgsql as $$
#variable_conflict use_column
begin
  perform flow_lock_v1(p_tickets);
  delete from flow_tickets f using json_to_recordset(p_tickets) as t(org text, key text, holder text)
  where f.org_id = t.org and f.key = t.key and f.holder = t.holder and f.hub_id = p_hub and f.epoch = p_epoch;
  perform flow_grant_v1(k.org, k.key)
  from (select distinct t.org, t.key from json_to_recordset(p_tickets) as t(org text, key text)) k;
  return query select * from flow_news_v1(p_hub, p_epoch);
end $$;

-- Grants what has come due by time alone, for keys that this hub waits for. Answers the news.
create function flow_poll_v1(p_hub text, p_epoch integer)
returns table (org text, key text, holder text, state text, replaced_by text) language plpgsql
set enable_seqscan = off as $$
#variable_conflict use_column
declare
  due json;
begin
  select json_agg(json_build_object('org', d.org_id, 'key', d.key)) into due from (
    select distinct w.org_id, w.key from flow_tickets w
    where w.hub_id = p_hub and w.epoch = p_epoch and w.state = 'waiting' and (w.not_before <= clock_timestamp()
      or w.rate_limit is not null
      or exists (select 1 from flow_limits l where l.org_id = w.org_id and l.key = w.key and l.rate_limit is not null))
  ) d;
  if due is not null then
    perform flow_lock_v1(due);
    perform flow_grant_v1(t.org, t.key) from json_to_recordset(due) as t(org text, key text);
  end if;
  return query select * from flow_news_v1(p_hub, p_epoch);
end $$;

-- Takes away tickets that nobody will give back any more: of runs that are over, and, of the given runs, those that their
-- present owner has not asked for. `p_age_ms`: younger ones stay, as their run may be about to begin.
create function flow_sweep_v1(p_hub text, p_epoch integer, p_runs uuid[], p_age_ms double precision) returns integer
language plpgsql as $$
declare
  stale json;
  taken integer;
begin
  select json_agg(json_build_object('org', s.org_id, 'key', s.key, 'holder', s.holder, 'hub', s.hub_id, 'epoch', s.epoch))
  into stale from (
    select f.org_id, f.key, f.holder, f.hub_id, f.epoch from flow_tickets f
    where f.came_at < clock_timestamp() - p_age_ms * interval '1 millisecond'
      and not exists (select 1 from live_runs l where l.run_id = f.run_id)
    union all
    select f.org_id, f.key, f.holder, f.hub_id, f.epoch from flow_tickets f
    where f.run_id = any (p_runs) and (f.hub_id, f.epoch) is distinct from (p_hub, p_epoch)
    limit 10000
  ) s;
  delete from flow_grants where until < clock_timestamp();
  if stale is null then return 0; end if;
  perform flow_lock_v1(stale);
  if not flow_is_hub_v1(p_hub, p_epoch) then return 0; end if;
  delete from flow_tickets f
  using json_to_recordset(stale) as s(org text, key text, holder text, hub text, epoch integer)
  where f.org_id = s.org and f.key = s.key and f.holder = s.holder and f.hub_id = s.hub and f.epoch = s.epoch;
  get diagnostics taken = row_count;
  perform flow_grant_v1(k.org, k.key)
  from (select distinct t.org, t.key from json_to_recordset(stale) as t(org text, key text)) k;
  return taken;
end $$;

-- After a change of a limit.
create function flow_regrant_v1(p_org text, p_key text) returns void language plpgsql as $$
begin
  perform flow_lock_v1(json_build_array(json_build_object('org', p_org, 'key', p_key)));
  perform flow_grant_v1(p_org, p_key);
end $$;

alter table workflows add column flow json;

-- As 0001 made it; a run that is queued is pending.
create or replace view call_graph_nodes as
select q.request_id, q.run_id, q.node_key,
  coalesce(b.body -> 'req' ->> 'operationId', b.body ->> 'operationId') as operation_id,
  q.run_id as parent_request_id,
  coalesce((b.body ->> 'attempt')::integer, 1) as attempt,
  case coalesce(o.type, q.type) when 'call.requested' then 'running' when 'call.responded' then 'completed'
    when 'call.error' then 'failed' else 'aborted' end as status,
  (c.body::json) -> 'identity' as identity,
  coalesce(b.body -> 'req' -> 'input', b.body -> 'input') as input,
  coalesce(o.body::json, b.body) -> 'data' as output,
  coalesce(o.body::json, b.body) -> 'error' as error,
  case when q.type = 'call.requested' then q.at else q.at - (b.body -> 'req' ->> 'ms')::float8 * interval '1 millisecond' end as started_at,
  case when q.type = 'call.requested' then o.at else q.at end as completed_at
from run_events q
join run_events c on c.run_id = q.run_id and c.seq = 1
cross join lateral (select q.body::json as body) b
left join lateral (
  select e.type, e.body, e.at from run_events e
  where q.type = 'call.requested' and e.request_id = q.request_id and e.run_id = q.run_id
    and e.type in ('call.responded', 'call.error', 'call.aborted')
  order by e.seq desc limit 1
) o on true
where q.request_id is not null and (q.type = 'call.requested' or q.body like '{"req":%')
union all
select r.id, r.id, null, 'workflow.' || r.workflow, r.parent_request_id, 1,
  case r.status when 'paused' then 'running' when 'queued' then 'pending' else r.status end,
  (c.body::json) -> 'identity', (c.body::json) -> 'input', (o.body::json) -> 'output', (o.body::json) -> 'error',
  r.created_at, r.completed_at
from runs r
join run_events c on c.run_id = r.id and c.seq = 1
left join run_events o on o.run_id = r.id and r.completed_at is not null
  and o.type in ('run.completed', 'run.failed', 'run.aborted')
where r.parent_request_id is distinct from r.id;
