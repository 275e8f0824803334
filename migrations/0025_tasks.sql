-- Boards of tasks. A task is known by its id in its board, as people write it; a dependency is between tasks of one board, and
-- may name one that is not written yet.
create table boards (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  name text not null,
  title text not null,
  -- Files that it is kept in step with; null: none.
  source json,
  created_by text not null,
  unique (org_id, name)
);

create table tasks (
  board_id text not null references boards (id) on delete cascade,
  id text not null,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  status text not null check (status in ('pending', 'in-progress', 'completed', 'failed', 'blocked')),
  note text,
  attempts integer not null default 0,
  -- Which call counted the last attempt: one that is sent again counts none.
  attempt_key text,
  run_id text,
  revision integer not null,
  -- Scope, risk, impact, level, priority, tags, assignee and dates.
  attributes json not null,
  body json not null,
  file_path text,
  -- What the task and its file said when they last were the same.
  file_base json,
  primary key (board_id, id)
);

create table task_dependencies (
  board_id text not null,
  dependent_task_id text not null,
  prerequisite_task_id text not null,
  -- In the order of writing.
  position integer not null,
  primary key (board_id, dependent_task_id, prerequisite_task_id),
  foreign key (board_id, dependent_task_id) references tasks (board_id, id) on delete cascade
);
create index task_dependencies_prerequisite_idx on task_dependencies (board_id, prerequisite_task_id);
