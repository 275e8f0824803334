-- A live run may move to another version: its row then names that one, and keeps what it started with, which its `run.created`
-- is read back with. Null: it never moved.
alter table runs add column first_version text;
alter table runs add column first_plan_hash text;

-- Part of the statement that commits the `run.migrated`, after the fence has held. Sent again it changes nothing. Lists are lines.
create function note_run_versions_v1(m_run uuid[], m_version text, m_plan text) returns text language plpgsql as $$
begin
  update runs set first_version = coalesce(first_version, runs.version),
    first_plan_hash = coalesce(first_plan_hash, runs.plan_hash), version = m.version, plan_hash = m.plan
  from unnest(m_run, string_to_array(m_version, E'\n'), string_to_array(m_plan, E'\n')) as m(run, version, plan)
  where runs.id = m.run;
  return '';
end $$;
