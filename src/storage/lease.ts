import { FencedError } from "../../engine/ports.ts";
import type { Ownership } from "../../engine/ports.ts";
import type { Database, Queryable } from "./database.ts";
import { takeFence } from "./take_fence.ts";

/** Claims of all hubs take turns, so that two never fight over a run: "claim" in ASCII. */
const CLAIM_LOCK = 0x636c61;

/** Works with the fence of a hub held exclusively: see `commit_events_v2` in the migrations. */
function underFence<T>(db: Database, hubId: string, change: (tx: Queryable) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await takeFence(db, tx, hubId);
    return await change(tx);
  });
}

/**
 * Takes the lease of `hubId`, from whoever holds it: the epoch rises at once, and what the previous holder still sends is
 * refused. The database's clock decides when a lease has run out. `ttlMs` from each renewal.
 */
export async function acquireLease(
  db: Database,
  params: { readonly hubId: string; readonly ttlMs: number; readonly url?: string },
): Promise<Ownership> {
  const { hubId, ttlMs } = params;
  const [row] = await underFence(db, hubId, (tx) =>
    tx.query<{ epoch: number }>(
      `insert into hubs (id, epoch, lease_until, url) values ($1, 1, clock_timestamp() + $2 * interval '1 millisecond', $3)
     on conflict (id) do update set epoch = hubs.epoch + 1, lease_until = excluded.lease_until, url = excluded.url
     returning epoch`,
      [hubId, ttlMs, params.url ?? null],
    ));
  if (row === undefined) throw new Error(`Cannot acquire the lease of hub "${hubId}": no row came back`);
  return createOwnership(db, { hubId, ttlMs, epoch: row.epoch });
}

function createOwnership(
  db: Database,
  lease: { readonly hubId: string; readonly ttlMs: number; readonly epoch: number },
): Ownership {
  const { hubId, ttlMs, epoch } = lease;
  return {
    hubId,
    epoch,
    claim: (limit) => db.transaction((tx) => claim(db, tx, { hubId, epoch, limit })),
    renew: async () => {
      const rows = await db.query(
        `update hubs set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
         where id = $1 and epoch = $2 and lease_until is not null returning id`,
        [hubId, epoch, ttlMs],
      );
      if (rows.length === 0) throw new FencedError(hubId, epoch);
    },
    release: async () => {
      await underFence(
        db,
        hubId,
        (tx) =>
          tx.query("update hubs set epoch = epoch + 1, lease_until = null where id = $1 and epoch = $2", [
            hubId,
            epoch,
          ]),
      );
    },
  };
}

/**
 * 1. Under the claim lock, the hubs whose lease has run out lose it: their epoch rises. This waits for commits of theirs that
 *    hold the fence, ends sessions that do, and makes every later commit fail: from here on their runs stand still.
 * 2. The claimer holds its own fence, shared, so that it cannot be fenced between this claim and its commit.
 * 3. Runs whose (hub, epoch) is not a held lease become the claimer's. A fresh snapshot sees all that step 1 waited for.
 */
async function claim(
  db: Database,
  tx: Queryable,
  params: { readonly hubId: string; readonly epoch: number; readonly limit: number },
): Promise<readonly string[]> {
  const { hubId, epoch, limit } = params;
  await tx.query("select pg_advisory_xact_lock($1)", [CLAIM_LOCK]);
  const expired = await tx.query<{ id: string }>(
    "select id from hubs where lease_until < clock_timestamp() and id <> $1 order by id",
    [hubId],
  );
  for (const { id } of expired) await takeFence(db, tx, id);
  await tx.query(
    "update hubs set epoch = epoch + 1, lease_until = null where id = any ($1) and lease_until < clock_timestamp()",
    [expired.map(({ id }) => id)],
  );
  await tx.query("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", [hubId]);
  const held = await tx.query("select 1 from hubs where id = $1 and epoch = $2 and lease_until is not null", [
    hubId,
    epoch,
  ]);
  if (held.length === 0) throw new FencedError(hubId, epoch);
  const rows = await tx.query<{ run_id: string }>(
    `update live_runs set hub_id = $1, epoch = $2 where run_id in (
       select l.run_id from live_runs l
       where not exists (select 1 from hubs h where h.id = l.hub_id and h.epoch = l.epoch and h.lease_until is not null)
       order by l.run_id limit $3)
     returning run_id`,
    [hubId, epoch, limit],
  );
  return rows.map((row) => row.run_id);
}
