-- Calls of language models: what organizations have decided about them, and which provider keeps which response.

-- body: as src/inference/policy.ts describes it. revision rises with each change.
create table inference_policies (
  org_id text primary key references organizations (id) on delete cascade,
  revision integer not null,
  body json not null,
  updated_at timestamptz not null default now()
);

create table inference_responses (
  org_id text not null references organizations (id) on delete cascade,
  id text not null,
  provider text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, id)
);
create index inference_responses_created_at_idx on inference_responses (created_at);

-- Limits per minute are budgets of one minute each, swept when it is over.
alter table budgets drop constraint budgets_kind_check;
alter table budgets add constraint budgets_kind_check check (kind in ('run', 'key', 'org', 'session', 'minute'));
create index budgets_minutes_idx on budgets (created_at) where kind = 'minute';
