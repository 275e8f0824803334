-- flow_sweep_v1 kept the tickets of a run that had ended, and whose hub had died before it gave them back, as long as those of a
-- run that may be about to begin. A run that has a row and is not live has ended: nobody will give its tickets back.

-- Takes away tickets that nobody will give back any more: of runs that are over, and, of the given runs, those that their
-- present owner has not asked for. `p_age_ms`: of a run that there is not, younger ones stay, as it may be about to begin.
create function flow_sweep_v2(p_hub text, p_epoch integer, p_runs uuid[], p_age_ms double precision) returns integer
language plpgsql as $$
declare
  stale json;
  taken integer;
begin
  select json_agg(json_build_object('org', s.org_id, 'key', s.key, 'holder', s.holder, 'hub', s.hub_id, 'epoch', s.epoch))
  into stale from (
    select f.org_id, f.key, f.holder, f.hub_id, f.epoch from flow_tickets f
    where not exists (select 1 from live_runs l where l.run_id = f.run_id)
      and (f.came_at < clock_timestamp() - p_age_ms * interval '1 millisecond'
        or exists (select 1 from runs r where r.id = f.run_id))
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
