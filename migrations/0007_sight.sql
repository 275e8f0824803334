-- What handlers and spokes say while they work. Written in batches beside the event log, never with it: a run does not wait for
-- its log lines. No foreign key: lines may come before the commit of what they belong to, and go with whoever prunes the run.
create table run_logs (
  run_id uuid not null,
  -- In the order of commits: writers take an advisory lock (log_store.ts), so that a reader that has seen an id has seen all before it.
  id bigint generated always as identity,
  at timestamptz not null,
  node_key text not null,
  attempt integer not null,
  request_id uuid not null,
  level text not null check (level in ('debug', 'info', 'warn', 'error')),
  message text not null,
  data json,
  primary key (run_id, id)
);

-- The latest progress of a node.
create table run_progress (
  run_id uuid not null,
  node_key text not null,
  attempt integer not null,
  at timestamptz not null,
  value float8,
  total float8,
  message text,
  primary key (run_id, node_key)
) with (fillfactor = 70);

-- What operations, workflows and choices have done so far, as fixed-size histograms: one row a subject, merged by all hubs.
create table history (
  org_id text not null,
  kind text not null check (kind in ('operation', 'workflow', 'branch', 'count', 'wait')),
  name text not null,
  stats text not null,
  updated_at timestamptz not null default now(),
  primary key (org_id, kind, name)
);
