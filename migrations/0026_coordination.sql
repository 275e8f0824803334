-- Coordinated sessions: who spawned which, what they tell each other, and what was noticed about them.

-- A spawned session and its worktree. Written before either is made, so that neither is without a row. session_id: null until
-- the session is there. No key on sessions: a mapping outlives its session. due_at: when something is next to be done about it
-- (make it, see whether it has ended, tidy up); null: nothing is. body: what was asked for, as src/coordination/mapping.ts has it.
create table mappings (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  spawn_key text not null,
  tree_id text not null,
  depth integer not null,
  parent_session_id text,
  parent_run_id text,
  session_id text,
  task_id text,
  task text not null,
  spoke text,
  branch text,
  status text not null default 'active' check (status in ('active', 'completed', 'aborted', 'failed')),
  worktree text not null check (worktree in ('none', 'wanted', 'present', 'removed', 'kept')),
  round integer not null,
  result text,
  error json,
  body json not null,
  due_at timestamptz,
  completed_at timestamptz,
  unique (org_id, spawn_key)
);
create index mappings_org_created_idx on mappings (org_id, created_at, id);
create index mappings_session_idx on mappings (org_id, session_id);
create index mappings_parent_session_idx on mappings (org_id, parent_session_id);
create index mappings_parent_run_idx on mappings (org_id, parent_run_id);
create index mappings_tree_idx on mappings (org_id, tree_id);
create index mappings_task_idx on mappings (org_id, task_id);
create index mappings_due_idx on mappings (due_at) where due_at is not null;

-- What is said between a spawned session and its parent: kept until whom it is for has it. recipient: session; null: people.
-- run_id: run that asks for the answer of a blocking one.
create table notices (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  mapping_id text not null references mappings (id) on delete cascade,
  kind text not null check (kind in ('message', 'notice', 'detection')),
  level text not null check (level in ('info', 'warning', 'blocking')),
  recipient text,
  body text not null,
  sender text not null,
  run_id text,
  answer json,
  answered_at timestamptz,
  delivered_at timestamptz,
  due_at timestamptz
);
create index notices_org_created_idx on notices (org_id, created_at, id);
create index notices_mapping_idx on notices (mapping_id);
create index notices_due_idx on notices (due_at) where due_at is not null;

-- Anomalies, each once per occurrence.
create table detections (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  mapping_id text references mappings (id) on delete set null,
  session_id text not null,
  type text not null,
  severity text not null check (severity in ('low', 'medium', 'high')),
  occurrence text not null,
  details json not null,
  unique (org_id, session_id, type, occurrence)
);
create index detections_org_created_idx on detections (org_id, created_at, id);
create index detections_mapping_idx on detections (mapping_id);
