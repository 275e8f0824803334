-- Budgets and what is charged to them (docs/decisions/0018-budgets.md). A null limit: none.

create table budgets (
  org_id text not null,
  kind text not null check (kind in ('run', 'key', 'org', 'session')),
  id text not null,
  created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()), -- whole ms, as cursors are
  calls_limit bigint,
  tokens_limit bigint,
  cost_limit bigint,
  calls_spent bigint not null default 0 check (calls_spent >= 0),
  tokens_spent bigint not null default 0 check (tokens_spent >= 0),
  cost_spent bigint not null default 0 check (cost_spent >= 0),
  calls_reserved bigint not null default 0 check (calls_reserved >= 0),
  tokens_reserved bigint not null default 0 check (tokens_reserved >= 0),
  cost_reserved bigint not null default 0 check (cost_reserved >= 0),
  primary key (org_id, kind, id)
) with (fillfactor = 50);
create index budgets_org_id_created_at_idx on budgets (org_id, created_at);

-- kinds and ids: the holders whose budgets it is charged to, side by side.
create table budget_charges (
  org_id text not null,
  id text not null,
  at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  run_id uuid,
  state text not null check (state in ('reserved', 'settled', 'released')),
  calls bigint not null check (calls >= 0),
  tokens bigint not null check (tokens >= 0),
  cost_micros bigint not null check (cost_micros >= 0),
  workflow text,
  operation_id text not null,
  identity_id text not null,
  kinds text[] not null,
  ids text[] not null,
  primary key (org_id, id)
) with (fillfactor = 85);
create index budget_charges_org_id_at_idx on budget_charges (org_id, at);
create index budget_charges_run_id_idx on budget_charges (run_id) where run_id is not null;
create index budget_charges_open_idx on budget_charges (at) where state = 'reserved';

-- budget_ledger_v1: a batch of operations on the ledger, in order, each whole or not at all, as one statement.
--
-- Every budget that the batch touches is locked first, in the order of its key: so two batches never wait for each other in a
-- ring, and what one sees of a budget is what it changes. Operations are objects with `op`, `org` and `id` (the charge's):
--   reserve {holders: [{kind, id, calls, tokens, cost}], calls, tokens, cost, run, workflow, operation, identity, expires}
--     -> {state} of the reservation, new or found; or the refusal {kind, id, which, limit, spent, reserved, wanted}
--   raise {calls, tokens, cost}: at least so much -> {state} or the refusal
--   settle {calls, tokens, cost}: null is as reserved -> {changed}
--   release -> {changed}
--   record {calls, tokens, cost, run, workflow, operation, identity} -> {changed}
-- Asked again, each gives what it gave: an answer that got lost does no harm.
create function budget_ledger_v1(p_ops jsonb) returns jsonb language plpgsql as $$
declare
  op jsonb;
  c budget_charges;
  is_known boolean;
  h_kinds text[];
  h_ids text[];
  more_calls bigint;
  more_tokens bigint;
  more_cost bigint;
  refusal jsonb;
  answers jsonb := '[]';
begin
  insert into budgets (org_id, kind, id, calls_limit, tokens_limit, cost_limit)
  select distinct on (1, 2, 3) o ->> 'org', h ->> 'kind', h ->> 'id', (h ->> 'calls')::bigint, (h ->> 'tokens')::bigint,
    (h ->> 'cost')::bigint
  from jsonb_array_elements(p_ops) o cross join jsonb_array_elements(coalesce(o -> 'holders', '[]')) h
  order by 1, 2, 3
  on conflict do nothing;

  perform 1 from budgets b join (
    select o ->> 'org' as org_id, h ->> 'kind' as kind, h ->> 'id' as id
    from jsonb_array_elements(p_ops) o cross join jsonb_array_elements(coalesce(o -> 'holders', '[]')) h
    union
    select g.org_id, h.kind, h.id
    from jsonb_array_elements(p_ops) o
    join budget_charges g on g.org_id = o ->> 'org' and g.id = o ->> 'id'
    cross join unnest(g.kinds, g.ids) as h(kind, id)
  ) w using (org_id, kind, id)
  order by b.org_id, b.kind, b.id for update of b;

  for op in select value from jsonb_array_elements(p_ops) with ordinality as e(value, n) order by n loop
    select * into c from budget_charges g where g.org_id = op ->> 'org' and g.id = op ->> 'id' for update;
    is_known := found;
    refusal := null;

    if op ->> 'op' in ('reserve', 'raise') then
      if op ->> 'op' = 'reserve' then
        if is_known and c.state <> 'released' then
          answers := answers || jsonb_build_object('state', c.state);
          continue;
        end if;
        select coalesce(array_agg(h ->> 'kind' order by n), '{}'), coalesce(array_agg(h ->> 'id' order by n), '{}')
        into h_kinds, h_ids from jsonb_array_elements(op -> 'holders') with ordinality as e(h, n);
        more_calls := (op ->> 'calls')::bigint;
        more_tokens := (op ->> 'tokens')::bigint;
        more_cost := (op ->> 'cost')::bigint;
      else
        if not is_known or c.state <> 'reserved' then
          answers := answers || jsonb_build_object('state', coalesce(c.state, 'unknown'));
          continue;
        end if;
        h_kinds := c.kinds;
        h_ids := c.ids;
        more_calls := greatest(0, coalesce((op ->> 'calls')::bigint, 0) - c.calls);
        more_tokens := greatest(0, coalesce((op ->> 'tokens')::bigint, 0) - c.tokens);
        more_cost := greatest(0, coalesce((op ->> 'cost')::bigint, 0) - c.cost_micros);
      end if;

      select jsonb_build_object('kind', b.kind, 'id', b.id, 'which', v.which, 'limit', v.max, 'spent', v.spent, 'reserved',
        v.reserved, 'wanted', v.wanted) into refusal
      from unnest(h_kinds, h_ids) with ordinality as h(kind, id, n)
      join budgets b on b.org_id = op ->> 'org' and b.kind = h.kind and b.id = h.id
      cross join lateral (values
        (1, 'calls', b.calls_limit, b.calls_spent, b.calls_reserved, more_calls),
        (2, 'tokens', b.tokens_limit, b.tokens_spent, b.tokens_reserved, more_tokens),
        (3, 'costMicros', b.cost_limit, b.cost_spent, b.cost_reserved, more_cost)
      ) as v(rank, which, max, spent, reserved, wanted)
      where v.max is not null and v.spent + v.reserved + v.wanted > v.max
      order by h.n, v.rank limit 1;
      if refusal is not null then
        answers := answers || refusal;
        continue;
      end if;

      update budgets b set calls_reserved = calls_reserved + more_calls, tokens_reserved = tokens_reserved + more_tokens,
        cost_reserved = cost_reserved + more_cost
      from unnest(h_kinds, h_ids) as h(kind, id)
      where b.org_id = op ->> 'org' and b.kind = h.kind and b.id = h.id;
      if op ->> 'op' = 'raise' then
        update budget_charges g set calls = c.calls + more_calls, tokens = c.tokens + more_tokens,
          cost_micros = c.cost_micros + more_cost
        where g.org_id = c.org_id and g.id = c.id;
      else
        insert into budget_charges (org_id, id, expires_at, run_id, state, calls, tokens, cost_micros, workflow, operation_id,
          identity_id, kinds, ids)
        values (op ->> 'org', op ->> 'id', to_timestamp((op ->> 'expires')::float8 / 1000), (op ->> 'run')::uuid, 'reserved',
          more_calls, more_tokens, more_cost, op ->> 'workflow', op ->> 'operation', op ->> 'identity', h_kinds, h_ids)
        on conflict (org_id, id) do update set state = excluded.state, calls = excluded.calls, tokens = excluded.tokens,
          cost_micros = excluded.cost_micros, kinds = excluded.kinds, ids = excluded.ids, at = clock_timestamp(),
          expires_at = excluded.expires_at;
      end if;
      answers := answers || jsonb_build_object('state', 'reserved');

    elsif op ->> 'op' in ('settle', 'release') then
      if not is_known or c.state <> 'reserved' then
        answers := answers || jsonb_build_object('changed', false);
        continue;
      end if;
      if op ->> 'op' = 'settle' then
        more_calls := coalesce((op ->> 'calls')::bigint, c.calls);
        more_tokens := coalesce((op ->> 'tokens')::bigint, c.tokens);
        more_cost := coalesce((op ->> 'cost')::bigint, c.cost_micros);
      else
        more_calls := 0;
        more_tokens := 0;
        more_cost := 0;
      end if;
      update budgets b set
        calls_reserved = calls_reserved - c.calls, calls_spent = calls_spent + more_calls,
        tokens_reserved = tokens_reserved - c.tokens, tokens_spent = tokens_spent + more_tokens,
        cost_reserved = cost_reserved - c.cost_micros, cost_spent = cost_spent + more_cost
      from unnest(c.kinds, c.ids) as h(kind, id)
      where b.org_id = c.org_id and b.kind = h.kind and b.id = h.id;
      update budget_charges g set state = case op ->> 'op' when 'settle' then 'settled' else 'released' end,
        calls = more_calls, tokens = more_tokens, cost_micros = more_cost
      where g.org_id = c.org_id and g.id = c.id;
      answers := answers || jsonb_build_object('changed', true);

    else
      insert into budget_charges (org_id, id, run_id, state, calls, tokens, cost_micros, workflow, operation_id, identity_id,
        kinds, ids)
      values (op ->> 'org', op ->> 'id', (op ->> 'run')::uuid, 'settled', (op ->> 'calls')::bigint, (op ->> 'tokens')::bigint,
        (op ->> 'cost')::bigint, op ->> 'workflow', op ->> 'operation', op ->> 'identity', '{}', '{}')
      on conflict do nothing;
      answers := answers || jsonb_build_object('changed', found);
    end if;
  end loop;
  return answers;
end $$;
