-- Runs that have failed and that nobody has dealt with: docs/decisions/0013-dead-letters.md. A row is noted with the failure,
-- by a trigger that fires for failed runs only; what went wrong is read from the log when somebody first looks.

create table dead_letters (
  run_id uuid primary key,
  org_id text not null,
  -- Null until somebody looks.
  failed_at timestamptz,
  workflow text,
  node_key text,
  operation_id text,
  code text,
  message text,
  attempts integer,
  -- Null: open.
  handled text check (handled in ('rerun', 'discarded')),
  handled_at timestamptz,
  handled_by text,
  new_run_id uuid
);
create index dead_letters_unread_idx on dead_letters (org_id, run_id) where failed_at is null and handled is null;
create index dead_letters_open_idx on dead_letters (org_id, failed_at, run_id) where failed_at is not null and handled is null;

create function note_dead_letter() returns trigger language plpgsql as $$
begin
  insert into dead_letters (run_id, org_id) values (new.run_id, new.org_id) on conflict do nothing;
  return null;
end
$$;
create trigger failed_runs_dead_letter after insert on failed_runs
  for each row when (new.status = 'failed') execute function note_dead_letter();

insert into dead_letters (run_id, org_id) select run_id, org_id from failed_runs where status = 'failed'
  on conflict do nothing;

-- The signals of live runs are looked for run by run.
create index run_events_signals_idx on run_events (run_id, seq)
  where type in ('signal.awaited', 'signal.received', 'signal.timedout');
