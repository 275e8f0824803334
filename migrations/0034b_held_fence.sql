-- hold_fence_v1: the session holds its hub's fence (0002) until it ends, and knows it by a token in a setting of its own. A
-- row written by a statement that finds that token needs no lock and no look at the hub's row: whoever changes the epoch waits
-- for the session to end, or ends it (lease.ts). Token and lock are of one session and go with it (also by `discard all`), so
-- behind a pooler that hands out other sessions the token is not found, and nothing is written.
-- docs/decisions/0034-cheaper-commits.md
--
-- The lock comes first; the look at the hub's row has a later snapshot. Answers null when fenced, else an empty text.
create function hold_fence_v1(p_hub_id text, p_epoch integer, p_token text) returns text language plpgsql as $$
begin
  perform pg_advisory_lock_shared(hashtextextended(p_hub_id, 0));
  perform 1 from hubs where id = p_hub_id and epoch = p_epoch and lease_until is not null;
  if not found then
    perform pg_advisory_unlock_shared(hashtextextended(p_hub_id, 0));
    return null;
  end if;
  perform set_config('hub.fence', p_token, false);
  return '';
end $$;
