-- A run that is pruned is no dead letter any more.
create function forget_dead_letter() returns trigger language plpgsql as $$
begin
  delete from dead_letters where run_id = old.run_id;
  return null;
end
$$;
create trigger failed_runs_forget_dead_letter after delete on failed_runs
  for each row when (old.status = 'failed') execute function forget_dead_letter();
