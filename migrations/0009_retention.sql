-- Doing away with runs (docs/guides/retention.md).

-- Runs that are gone from `runs`, and so from every list, whose rows elsewhere are still to be deleted, in small pieces.
create table retention_garbage (
  run_id uuid primary key
);

-- One hub works at a time; `lease_until` null or past: anyone may.
create table retention_lease (
  id integer primary key check (id = 1),
  hub_id text,
  lease_until timestamptz,
  plans_swept_at timestamptz
);
insert into retention_lease (id) values (1);

-- What was asked for, and how far it is. `org_id` null: a policy of the configuration, for all organizations.
create table retention_jobs (
  id text primary key,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  org_id text,
  created_by text not null,
  filter json not null,
  action text not null check (action in ('delete', 'archive')),
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
  position json,
  trees bigint not null default 0,
  runs bigint not null default 0,
  examined bigint not null default 0,
  files json not null default '[]',
  error text
);
create index retention_jobs_open_idx on retention_jobs (created_at) where state = any (array['waiting', 'running']);
create index retention_jobs_created_at_idx on retention_jobs (created_at);
