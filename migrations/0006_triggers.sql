-- What starts runs by itself. Definitions are json: what a client may fill with anything, checked when it is read.

create table schedules (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  name text not null,
  definition json not null,
  owner json not null,
  paused boolean not null,
  revision integer not null,
  next_tick timestamptz,
  due_at timestamptz,
  claimed_until timestamptz,
  last_run_id text,
  last_error text,
  last_error_at timestamptz,
  unique (org_id, name)
);
create index schedules_due_at_idx on schedules (due_at) where due_at is not null and not paused;

create table schedule_fires (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  schedule_id text not null references schedules (id) on delete cascade,
  tick timestamptz not null,
  kind text not null check (kind in ('tick', 'manual')),
  outcome text not null check (outcome in ('started', 'skipped', 'failed')),
  run_id text,
  reason text
);
create index schedule_fires_schedule_id_idx on schedule_fires (schedule_id, created_at);
