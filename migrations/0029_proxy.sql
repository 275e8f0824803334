-- Usage by model (docs/decisions/0036-money-of-calls.md), and no dead letters of calls of models.

alter table budget_charges add column model text;

-- budget_ledger_v2: as budget_ledger_v1; settle and record may say which `model` was used, which the charge then keeps.
create function budget_ledger_v2(p_ops jsonb) returns jsonb language plpgsql as $$
declare
  answers jsonb := budget_ledger_v1(p_ops);
begin
  update budget_charges g set model = e.o ->> 'model'
  from jsonb_array_elements(p_ops) with ordinality as e(o, n)
  where e.o ? 'model' and answers -> (e.n::int - 1) -> 'changed' = 'true'
    and g.org_id = e.o ->> 'org' and g.id = e.o ->> 'id';
  return answers;
end $$;

-- A call of a model that failed was told to whoever made it: nobody can make it again in their place. In the thousands they
-- would hide the runs that somebody has to deal with.
create or replace function note_dead_letter() returns trigger language plpgsql as $$
begin
  if exists (select 1 from runs r where r.id = new.run_id and r.workflow = 'proxy_call') then
    return null;
  end if;
  insert into dead_letters (run_id, org_id) values (new.run_id, new.org_id) on conflict do nothing;
  return null;
end
$$;
delete from dead_letters d using runs r where r.id = d.run_id and r.workflow = 'proxy_call' and d.handled is null;
