-- What a key has used of its limits in the minute that it was last used in, by kind. Hubs take leases of it (src/auth/key_rates.ts);
-- what they take together is never more than the limit. `granted` is what the last lease got: an upsert can return no old value.
create table key_rates (
  key_id text not null,
  kind text not null,
  -- Minutes since the epoch, by this database's clock.
  minute bigint not null,
  used integer not null,
  granted integer not null,
  primary key (key_id, kind)
);

-- Scopes by name: a key that names a role has the role's scopes beside its own.
create table roles (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  name text not null,
  scopes text[] not null default '{}',
  unique (org_id, name)
);
