-- What a batch costs the server, without a change of what it writes (docs/decisions/0034-cheaper-commits.md).

-- Runs of one page are at work, and end, at the same time: 15 % left free took the new versions of 8 in 12 of them (of 3 in 12
-- with 500 in flight); the others went to another page, with an entry in each index. Half a page takes them all.
alter table runs set (fillfactor = 50);

-- Read from the catalogue, parsed and compiled anew by every insert and update: 3 % of a run. The hub's types say the same.
alter table runs drop constraint runs_status_check;

-- commit_events_v3 is commit_events_v2 (0002: read there about the fence and the arguments), but that
-- - plans are made once: by itself PostgreSQL goes on planning for the lengths of the arrays it is given, in vain;
-- - failed_runs is not looked at when no run has failed.
-- v2 stays for hubs of the version before, which may be at work while this one comes.
create function commit_events_v3(
  p_hub_id text, p_epoch integer,
  c_id uuid[], c_parent uuid[], c_parent_request uuid[], c_root uuid[], c_at float8[], c_completed float8[], c_priority integer[],
  c_status text, c_org text, c_workflow text, c_version text, c_plan text, c_labels text, c_error text, c_key text,
  u_id uuid[], u_status text, u_completed float8[], u_error text,
  e_run uuid[], e_request uuid[], e_at float8[], e_seq integer[], e_type text, e_key text, e_body text
) returns text language plpgsql
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  left_out uuid[];
  answer text := '';
begin
  perform pg_advisory_xact_lock_shared(hashtextextended(p_hub_id, 0));
  perform 1 from hubs where id = p_hub_id and epoch = p_epoch and lease_until is not null;
  if not found then return null; end if;

  if c_id is not null then
    if c_key is not null then
      with wanted as (
        select * from unnest(c_id, string_to_array(c_org, E'\n', ''), string_to_array(c_workflow, E'\n', ''),
          string_to_array(c_key, E'\n', ''), c_at) as w(run_id, org_id, workflow, key, at)
        where key is not null
      )
      insert into idempotency_keys (run_id, org_id, workflow, key, created_at)
      select run_id, org_id, workflow, key, to_timestamp(at / 1000) from wanted
      on conflict do nothing;

      select array_agg(w.run_id), coalesce(string_agg(w.run_id || ' ' || k.run_id, E'\n'), '') into left_out, answer
      from unnest(c_id, string_to_array(c_org, E'\n', ''), string_to_array(c_workflow, E'\n', ''),
        string_to_array(c_key, E'\n', '')) as w(run_id, org_id, workflow, key)
      join idempotency_keys k on k.org_id = w.org_id and k.workflow = w.workflow and k.key = w.key
      where k.run_id <> w.run_id;
    end if;

    insert into runs (id, parent_run_id, parent_request_id, root_run_id, created_at, completed_at, priority, status, org_id,
      workflow, version, plan_hash, labels, error_code)
    select id, parent, parent_request, root, to_timestamp(at / 1000), to_timestamp(completed / 1000), priority, status, org_id,
      workflow, version, plan_hash, coalesce(labels::jsonb, '{}'), error_code
    from unnest(c_id, c_parent, c_parent_request, c_root, c_at, c_completed, c_priority, string_to_array(c_status, E'\n'),
      string_to_array(c_org, E'\n'), string_to_array(c_workflow, E'\n'), string_to_array(c_version, E'\n'),
      string_to_array(c_plan, E'\n'), string_to_array(c_labels, E'\n', ''), string_to_array(c_error, E'\n', ''))
      as c(id, parent, parent_request, root, at, completed, priority, status, org_id, workflow, version, plan_hash, labels,
        error_code)
    where left_out is null or id <> all (left_out);

    insert into live_runs (run_id, epoch, hub_id)
    select id, p_epoch, p_hub_id from unnest(c_id, c_completed) as c(id, completed)
    where completed is null and (left_out is null or id <> all (left_out));

    if c_error is not null then
      insert into failed_runs (created_at, run_id, org_id, status)
      select created_at, id, org_id, status from runs where id = any (c_id) and status in ('failed', 'aborted');
    end if;
  end if;

  if u_id is not null then
    update runs r set status = u.status, completed_at = to_timestamp(u.completed / 1000), error_code = u.error_code
    from unnest(u_id, string_to_array(u_status, E'\n'), u_completed, string_to_array(u_error, E'\n', ''))
      as u(id, status, completed, error_code)
    where r.id = u.id;

    delete from live_runs l using unnest(u_id, u_completed) as u(id, completed)
    where l.run_id = u.id and u.completed is not null;

    if u_error is not null then
      insert into failed_runs (created_at, run_id, org_id, status)
      select created_at, id, org_id, status from runs where id = any (u_id) and status in ('failed', 'aborted')
      on conflict do nothing;
    end if;
  end if;

  insert into run_events (run_id, request_id, at, seq, type, node_key, body)
  select run_id, request_id, to_timestamp(at / 1000), seq, type, node_key, body
  from unnest(e_run, e_request, e_at, e_seq, string_to_array(e_type, E'\n'), string_to_array(e_key, E'\n', ''),
    string_to_array(e_body, E'\n')) as e(run_id, request_id, at, seq, type, node_key, body)
  where left_out is null or run_id <> all (left_out);

  return answer;
end $$;
