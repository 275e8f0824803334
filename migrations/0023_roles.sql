-- Roles have versions, which never change: what a session was given can be read as long as the role is there. Nothing wrote to
-- the table before; what somebody may have put there becomes version 1.
create table role_versions (
  role_id text not null references roles (id) on delete cascade,
  version integer not null check (version > 0),
  definition json not null,
  built_in boolean not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (role_id, version)
);

insert into role_versions (role_id, version, definition, built_in, created_by, created_at)
select id, 1, json_build_object(
    'title', name, 'description', '', 'systemPrompt', '', 'model', null, 'temperature', null,
    'tools', json_build_object('operations', '[]'::json, 'workflows', '[]'::json, 'approve', '[]'::json),
    'scopes', array_to_json(scopes),
    'limits', json_build_object('maxSteps', null, 'maxTokens', null, 'maxCostMicros', null, 'maxTurnMs', null),
    'spawn', null
  ), false, 'admin', created_at
from roles;

alter table roles drop column scopes;
-- The latest version.
alter table roles add column version integer not null default 1;
alter table roles alter column version drop default;
alter table roles add column archived_at timestamptz;

-- A membership is an account as one organization sees it: what another organization calls it, and whether that one takes its
-- keys, is not this one's business.
alter table organization_members add column display_name text not null default '';
alter table organization_members add column status text not null default 'active' check (status in ('active', 'suspended'));

-- Whoever has keys in an organization is a member of it.
insert into organization_members (id, org_id, account_id, membership_level)
select 'member:' || md5(o.id || ' ' || k.owner_id), o.id, k.owner_id, case when o.owner_id = k.owner_id then 'owner' else 'member' end
from (select distinct owner_id, org_id from api_keys where org_id is not null) k
join organizations o on o.id = k.org_id
on conflict do nothing;
