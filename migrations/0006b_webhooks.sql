-- Webhooks of both directions. Secrets are sealed with the key ring before they come here.

create table webhooks (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  kind text not null check (kind in ('inbound', 'outbound')),
  name text not null,
  definition json not null,
  owner json not null,
  secrets json not null,
  paused boolean not null,
  revision integer not null,
  active_since timestamptz not null,
  accepted integer not null default 0,
  rejected integer not null default 0,
  last_accepted_at timestamptz,
  last_rejected_at timestamptz,
  last_error text,
  last_error_at timestamptz,
  unique (org_id, name)
);

-- What came in, by the sender's id, for as long as the same id means the same thing.
create table webhook_receipts (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  webhook_id text not null references webhooks (id) on delete cascade,
  delivery_id text not null,
  outcome text not null check (outcome in ('started', 'signalled', 'filtered')),
  run_id text,
  expires_at timestamptz not null,
  unique (webhook_id, delivery_id)
);
create index webhook_receipts_expires_at_idx on webhook_receipts (expires_at);

-- What goes out. One row an event and webhook; its id is what the receiver knows it by.
create table webhook_deliveries (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  webhook_id text not null references webhooks (id) on delete cascade,
  org_id text not null references organizations (id) on delete cascade,
  run_id uuid not null,
  seq integer not null,
  type text not null,
  status text not null check (status in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  next_at timestamptz not null,
  give_up_at timestamptz not null,
  claimed_until timestamptz,
  last_status integer,
  last_answer text,
  last_error text,
  delivered_at timestamptz,
  unique (webhook_id, run_id, seq)
);
create index webhook_deliveries_next_at_idx on webhook_deliveries (next_at) where status = 'pending';
create index webhook_deliveries_webhook_id_idx on webhook_deliveries (webhook_id, created_at);
create index webhook_deliveries_created_at_idx on webhook_deliveries (created_at) where status <> 'pending';

-- Catching up after a crash (docs/decisions/0015-webhooks-out.md): runs that lived when the log was last looked through, and
-- when that was.
create table webhook_watch (
  run_id uuid primary key
);
create table webhook_scans (
  id text primary key,
  scanned_at timestamptz not null
);
