import type { Database, Queryable } from "./database.ts";

const TRY = "select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as taken";
const TAKE = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
/** Sessions that hold it; a lock on one bigint has its halves in `classid` and `objid`. */
const END_HOLDERS = `
  select pg_terminate_backend(l.pid) from pg_locks l, hashtextextended($1, 0) as key
  where l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_database where datname = current_database())
    and l.classid::bigint = ((key >> 32) & 4294967295) and l.objid::bigint = (key & 4294967295)`;
/** For so long a commit under way, or a session that is ending, is left alone; then again between two looks. */
const PATIENCE_MS = 50;

/**
 * Holds the fence of a hub exclusively until the transaction ends. Its commits hold it shared, and so do its sessions
 * (`held_fence.ts`) for as long as they last: these are ended. A hub that stands still has lost its session when it wakes; what it
 * was writing is durable as a whole or not at all, and what it writes next is refused for its epoch. Only the role that a session
 * belongs to (or one with `pg_signal_backend`) may end it: for another role this waits until the session ends by itself.
 */
export async function takeFence(db: Database, tx: Queryable, hubId: string): Promise<void> {
  const [row] = await tx.query<{ taken: boolean }>(TRY, [hubId]);
  if (row?.taken === true) return;
  let isTaken = false;
  // First in line before the holders are ended: one that comes back at once waits behind this.
  const taking = tx.query(TAKE, [hubId]).finally(() => isTaken = true);
  for (await within(taking, PATIENCE_MS); !isTaken; await within(taking, PATIENCE_MS)) {
    await db.query(END_HOLDERS, [hubId]).catch(() => {});
  }
  await taking;
}

/** Resolves when `work` has settled, at the latest after `ms`. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([work.then(() => {}, () => {}), late]);
  clearTimeout(timer);
}
