-- Rows of people, organizations and keys. Common columns: id, metadata, created_at, updated_at.
-- What a client may fill with any JSON is json and not jsonb, which refuses \u0000 and forgets the order of keys.

create table accounts (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  email text not null unique,
  display_name text not null default '',
  access_level text not null default 'user' check (access_level in ('admin', 'user', 'service')),
  status text not null default 'active' check (status in ('active', 'suspended', 'deactivated'))
);

create table organizations (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null unique,
  slug text not null unique,
  owner_id text not null references accounts (id) on delete restrict
);

create table organization_members (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  account_id text not null references accounts (id) on delete cascade,
  membership_level text not null check (membership_level in ('owner', 'admin', 'member')),
  unique (org_id, account_id)
);
create index organization_members_account_id_idx on organization_members (account_id);

create table api_keys (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  owner_id text not null references accounts (id) on delete restrict,
  org_id text references organizations (id) on delete cascade,
  key_hash text not null unique,
  name text,
  description text,
  scopes text[] not null default '{}',
  resources json not null default '{}',
  tags text[] not null default '{}',
  enabled boolean not null default true,
  expires_at timestamptz,
  revoked_at timestamptz,
  rotated_to_id text,
  last_used_at timestamptz
);
create index api_keys_owner_id_idx on api_keys (owner_id);
create index api_keys_tags_idx on api_keys using gin (tags);

create table audit_logs (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  action text not null,
  owner_id text not null references accounts (id) on delete restrict,
  key_id text,
  session_id text,
  org_id text references organizations (id) on delete set null,
  details json not null default '{}'
);
create index audit_logs_org_id_created_at_idx on audit_logs (org_id, created_at);
create index audit_logs_key_id_idx on audit_logs (key_id) where key_id is not null;

-- Operations and the spokes that offer them.

create table operations (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  namespace text not null,
  name text not null,
  version text not null,
  title text,
  description text not null default '',
  type text not null check (type in ('query', 'mutation', 'subscription')),
  tags text[] not null default '{}',
  input_schema jsonb not null,
  output_schema jsonb not null,
  error_schemas jsonb,
  access_control jsonb not null,
  _meta jsonb,
  unique (namespace, name, version)
);

create table spokes (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text not null references organizations (id) on delete cascade,
  hub_id text not null,
  identity_id text not null,
  name text not null,
  status text not null default 'connected' check (status in ('connected', 'disconnected')),
  spoke_type text not null,
  project_id text,
  version text,
  labels json not null default '{}',
  host_info json,
  max_concurrency integer not null,
  resume_token text not null,
  operations json not null default '[]',
  last_heartbeat timestamptz,
  connected_at timestamptz,
  disconnected_at timestamptz,
  disconnect_reason text
);
create index spokes_org_id_idx on spokes (org_id);
create index spokes_hub_id_idx on spokes (hub_id) where status = 'connected';

create table operation_registrations (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  operation_id text not null references operations (id) on delete cascade,
  spoke_id text not null references spokes (id) on delete cascade,
  available boolean not null default true,
  unique (operation_id, spoke_id)
);
create index operation_registrations_spoke_id_idx on operation_registrations (spoke_id);

-- A workflow row is one version; org_id null: it came from a file and is shared by all.

create table workflows (
  id text primary key,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  org_id text references organizations (id) on delete cascade,
  name text not null,
  version text not null,
  title text,
  description text,
  template json,
  input_schema json,
  output_schema json,
  unique nulls not distinct (org_id, name, version)
);

-- Hubs: who may write. `epoch` rises with each acquisition and each time the lease is taken away; `lease_until` null: nobody
-- holds it.

create table hubs (
  id text primary key,
  epoch integer not null,
  lease_until timestamptz,
  url text
);

-- The hot tables (docs/decisions/0002-hot-tables.md): no common columns, no foreign keys, narrow indexes.

create table plans (
  hash text primary key,
  plan text not null,
  created_at timestamptz not null default now()
);

create table runs (
  id uuid primary key,
  parent_run_id uuid,
  parent_request_id uuid,
  root_run_id uuid, -- null: itself
  created_at timestamptz not null,
  completed_at timestamptz,
  priority integer not null,
  status text not null check (status in ('running', 'paused', 'completed', 'failed', 'aborted')),
  org_id text not null,
  workflow text not null,
  version text not null,
  plan_hash text not null,
  labels jsonb not null,
  error_code text
) with (fillfactor = 85);
-- No index mentions status or completed_at, so that the one update of a run touches no index (HOT).
create index runs_org_id_created_at_idx on runs (org_id, created_at);
create index runs_org_id_workflow_created_at_idx on runs (org_id, workflow, created_at);
create index runs_parent_run_id_idx on runs (parent_run_id) where parent_run_id is not null;
create index runs_labels_idx on runs using gin (labels) where labels <> '{}';

-- Who drives a run that is not over: narrow, small, churning. A run is over when it has no row here.
create table live_runs (
  run_id uuid primary key,
  epoch integer not null,
  hub_id text not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

-- The runs that a status filter would otherwise look for in vain: failed and aborted ones, newest last.
create table failed_runs (
  created_at timestamptz not null,
  run_id uuid not null,
  org_id text not null,
  status text not null check (status in ('failed', 'aborted')),
  primary key (org_id, status, created_at, run_id)
);

create table run_events (
  run_id uuid not null,
  request_id uuid,
  at timestamptz not null,
  seq integer not null,
  type text not null,
  node_key text,
  body text not null,
  primary key (run_id, seq)
);
create index run_events_request_id_idx on run_events using hash (request_id) where request_id is not null;

create table idempotency_keys (
  org_id text not null,
  workflow text not null,
  key text not null,
  run_id uuid not null,
  created_at timestamptz not null,
  primary key (org_id, workflow, key)
);

-- commit_events_v1: makes one batch of a hub durable, whole or not at all. The hub calls nothing else to write a run.
--
-- Fence. The hub's row is share-locked first, under the epoch that the caller believes in. Whoever takes the lease over
-- updates that row, so one of two things happens: the takeover waits until this commit is durable, and whoever folds the log
-- afterwards sees it; or this call waits for the takeover, re-reads the row, finds another epoch and writes nothing.
-- A check without the lock would leave a gap between the check and the commit in which a new owner could read the log.
--
-- Each statement below has its own snapshot (read committed, volatile function), taken after the lock is held.
--
-- Arguments are columns: uuid and number arrays, and texts with one line a row (JSON has no raw line breaks; an empty line is
-- null). Splitting lines costs a fifth of parsing a quoted text[] literal on either side of the wire. A group whose id array is
-- null is skipped. Times are milliseconds since the epoch.
--
-- The planner settings: plans are cached on first use, when the tables may be empty and a sequential scan looks cheapest; every
-- look-up here is by primary key.
--
-- Answers null when fenced; else the runs left out because their idempotency key is another run's, as lines
-- `<run id left out> <run id that has the key>`.
create function commit_events_v1(
  p_hub_id text, p_epoch integer,
  c_id uuid[], c_parent uuid[], c_parent_request uuid[], c_root uuid[], c_at float8[], c_completed float8[], c_priority integer[],
  c_status text, c_org text, c_workflow text, c_version text, c_plan text, c_labels text, c_error text, c_key text,
  u_id uuid[], u_status text, u_completed float8[], u_error text,
  e_run uuid[], e_request uuid[], e_at float8[], e_seq integer[], e_type text, e_key text, e_body text
) returns text language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  left_out uuid[];
  answer text := '';
begin
  perform 1 from hubs where id = p_hub_id and epoch = p_epoch and lease_until is not null for share;
  if not found then return null; end if;

  if c_id is not null then
    if c_key is not null then
      with wanted as (
        select * from unnest(c_id, string_to_array(c_org, E'\n', ''), string_to_array(c_workflow, E'\n', ''),
          string_to_array(c_key, E'\n', ''), c_at) as w(run_id, org_id, workflow, key, at)
        where key is not null
      )
      insert into idempotency_keys (run_id, org_id, workflow, key, created_at)
      select run_id, org_id, workflow, key, to_timestamp(at / 1000) from wanted
      on conflict do nothing;

      select array_agg(w.run_id), coalesce(string_agg(w.run_id || ' ' || k.run_id, E'\n'), '') into left_out, answer
      from unnest(c_id, string_to_array(c_org, E'\n', ''), string_to_array(c_workflow, E'\n', ''),
        string_to_array(c_key, E'\n', '')) as w(run_id, org_id, workflow, key)
      join idempotency_keys k on k.org_id = w.org_id and k.workflow = w.workflow and k.key = w.key
      where k.run_id <> w.run_id;
    end if;

    insert into runs (id, parent_run_id, parent_request_id, root_run_id, created_at, completed_at, priority, status, org_id,
      workflow, version, plan_hash, labels, error_code)
    select id, parent, parent_request, root, to_timestamp(at / 1000), to_timestamp(completed / 1000), priority, status, org_id,
      workflow, version, plan_hash, coalesce(labels::jsonb, '{}'), error_code
    from unnest(c_id, c_parent, c_parent_request, c_root, c_at, c_completed, c_priority, string_to_array(c_status, E'\n'),
      string_to_array(c_org, E'\n'), string_to_array(c_workflow, E'\n'), string_to_array(c_version, E'\n'),
      string_to_array(c_plan, E'\n'), string_to_array(c_labels, E'\n', ''), string_to_array(c_error, E'\n', ''))
      as c(id, parent, parent_request, root, at, completed, priority, status, org_id, workflow, version, plan_hash, labels,
        error_code)
    where left_out is null or id <> all (left_out);

    insert into live_runs (run_id, epoch, hub_id)
    select id, p_epoch, p_hub_id from unnest(c_id, c_completed) as c(id, completed)
    where completed is null and (left_out is null or id <> all (left_out));

    insert into failed_runs (created_at, run_id, org_id, status)
    select created_at, id, org_id, status from runs
    where c_error is not null and id = any (c_id) and status in ('failed', 'aborted');
  end if;

  if u_id is not null then
    update runs r set status = u.status, completed_at = to_timestamp(u.completed / 1000), error_code = u.error_code
    from unnest(u_id, string_to_array(u_status, E'\n'), u_completed, string_to_array(u_error, E'\n', ''))
      as u(id, status, completed, error_code)
    where r.id = u.id;

    delete from live_runs l using unnest(u_id, u_completed) as u(id, completed)
    where l.run_id = u.id and u.completed is not null;

    if u_error is not null then
      insert into failed_runs (created_at, run_id, org_id, status)
      select created_at, id, org_id, status from runs where id = any (u_id) and status in ('failed', 'aborted')
      on conflict do nothing;
    end if;
  end if;

  insert into run_events (run_id, request_id, at, seq, type, node_key, body)
  select run_id, request_id, to_timestamp(at / 1000), seq, type, node_key, body
  from unnest(e_run, e_request, e_at, e_seq, string_to_array(e_type, E'\n'), string_to_array(e_key, E'\n', ''),
    string_to_array(e_body, E'\n')) as e(run_id, request_id, at, seq, type, node_key, body)
  where left_out is null or run_id <> all (left_out);

  return answer;
end $$;

-- The call graph (docs/decisions/0006-call-graph-views.md). A run is a call too: its request id is its run id.
create view call_graph_nodes as
select q.request_id, q.run_id, q.node_key,
  coalesce(b.body -> 'req' ->> 'operationId', b.body ->> 'operationId') as operation_id,
  q.run_id as parent_request_id,
  coalesce((b.body ->> 'attempt')::integer, 1) as attempt,
  case coalesce(o.type, q.type) when 'call.requested' then 'running' when 'call.responded' then 'completed'
    when 'call.error' then 'failed' else 'aborted' end as status,
  (c.body::json) -> 'identity' as identity,
  coalesce(b.body -> 'req' -> 'input', b.body -> 'input') as input,
  coalesce(o.body::json, b.body) -> 'data' as output,
  coalesce(o.body::json, b.body) -> 'error' as error,
  case when q.type = 'call.requested' then q.at else q.at - (b.body -> 'req' ->> 'ms')::float8 * interval '1 millisecond' end as started_at,
  case when q.type = 'call.requested' then o.at else q.at end as completed_at
from run_events q
join run_events c on c.run_id = q.run_id and c.seq = 1
cross join lateral (select q.body::json as body) b
left join lateral (
  select e.type, e.body, e.at from run_events e
  where q.type = 'call.requested' and e.request_id = q.request_id and e.run_id = q.run_id
    and e.type in ('call.responded', 'call.error', 'call.aborted')
  order by e.seq desc limit 1
) o on true
where q.request_id is not null and (q.type = 'call.requested' or q.body like '{"req":%')
union all
select r.id, r.id, null, 'workflow.' || r.workflow, r.parent_request_id, 1,
  case r.status when 'paused' then 'running' else r.status end,
  (c.body::json) -> 'identity', (c.body::json) -> 'input', (o.body::json) -> 'output', (o.body::json) -> 'error',
  r.created_at, r.completed_at
from runs r
join run_events c on c.run_id = r.id and c.seq = 1
left join run_events o on o.run_id = r.id and r.completed_at is not null
  and o.type in ('run.completed', 'run.failed', 'run.aborted')
-- A child run has its call's request id as its own id: that call, in the parent's log, stands for both.
where r.parent_request_id is distinct from r.id;

create view call_graph_edges as
select parent_request_id as source_request_id, request_id as target_request_id, 'triggered'::text as edge_type
from call_graph_nodes where parent_request_id is not null;

insert into accounts (id, email, display_name, access_level) values ('admin', 'admin@hub.invalid', 'Administrator', 'admin');
insert into organizations (id, name, slug, owner_id) values ('default', 'Default', 'default', 'admin');
insert into organization_members (id, org_id, account_id, membership_level)
  values ('default-admin', 'default', 'admin', 'owner');
insert into operations (id, namespace, name, version, description, type, input_schema, output_schema, access_control)
  values ('__removed__', 'system', 'removed', '1.0.0', 'Stands for an operation that was removed.', 'query',
    '{}', '{}', '{"requiredScopes": []}');
