-- Agent sessions (src/sessions): conversations, their turns, and what was said. Every change of one locks its row of `sessions`.

create table sessions (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  slug text not null,
  title text not null,
  created_by text not null,
  owner json not null,
  role_name text,
  role_version integer,
  agent json not null,
  model text not null,
  kind text not null check (kind in ('direct', 'runner')),
  status text not null default 'idle' check (status in ('idle', 'busy', 'waiting', 'stopped', 'failed')),
  -- A fork or a child outlives what it came from.
  parent_id text references sessions (id) on delete set null,
  spawned_by json,
  fork_of json,
  workspace json,
  limits json not null,
  budget json not null,
  labels jsonb not null default '{}',
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cost_micros bigint not null default 0,
  steps integer not null default 0,
  turns integer not null default 0,
  tool_calls integer not null default 0,
  tool_errors integer not null default 0,
  malformed_calls integer not null default 0,
  turn_ms bigint not null default 0,
  last_seq integer not null default 0,
  turn_id text,
  run_id uuid,
  error json,
  last_activity_at timestamptz not null,
  idempotency_key text,
  unique (org_id, slug),
  unique (org_id, idempotency_key)
);
create index sessions_org_id_last_activity_at_idx on sessions (org_id, last_activity_at);
create index sessions_parent_id_idx on sessions (parent_id) where parent_id is not null;
create index sessions_labels_idx on sessions using gin (labels) where labels <> '{}';

create table session_turns (
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  org_id text not null,
  n integer not null,
  status text not null check (status in ('open', 'done', 'stopped', 'failed')),
  run_id uuid,
  parent json,
  steps integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cost_micros bigint not null default 0,
  error json,
  started_at timestamptz not null,
  ended_at timestamptz,
  unique (session_id, n)
);
create index session_turns_started_at_idx on session_turns (started_at) where status = 'open';
create index session_turns_run_id_idx on session_turns (run_id) where run_id is not null;

-- request_id: what it was recorded under, once. `text` is what a search looks through.
create table session_messages (
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  seq integer not null,
  role text not null check (role in ('user', 'assistant', 'system')),
  turn_id text,
  run_id uuid,
  step integer,
  request_id text,
  text text not null,
  created_at timestamptz not null,
  unique (session_id, seq),
  unique (session_id, request_id)
);

-- One row a part: tools that run in parallel end without waiting for each other's rows.
create table session_parts (
  message_id text not null references session_messages (id) on delete cascade,
  idx integer not null,
  tool_call_id text,
  body json not null,
  primary key (message_id, idx)
);
