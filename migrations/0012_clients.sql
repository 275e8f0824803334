-- Other people's services: MCP servers, OpenAPI services, LLM providers. `config` holds no credentials: these are in
-- client_secrets, each sealed with the key ring before it comes here.

create table clients (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  name text not null,
  type text not null check (type in ('mcp', 'openapi', 'llm-provider')),
  config json not null,
  revision integer not null,
  unique (org_id, name)
);

create table client_secrets (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  client_id text not null references clients (id) on delete cascade,
  name text not null,
  value json not null,
  key_version integer not null,
  last4 text,
  unique (client_id, name)
);
create index client_secrets_key_version_idx on client_secrets (key_version);

-- What each was last known to offer. Apart from the clients, as a document can have megabytes.
create table client_catalogs (
  client_id text primary key references clients (id) on delete cascade,
  content text not null,
  hash text not null,
  updated_at timestamptz not null default now()
);

-- One row. Changed in the transaction of every change: a hub that sees a new version sees the change.
create table clients_version (version bigint primary key);
insert into clients_version (version) values (1);
