import type { RateStore } from "../auth/mod.ts";
import type { Database } from "./database.ts";

/**
 * One row a key and kind, locked while a lease is cut from it. A minute that is over starts again from nothing; a statement
 * that waited for the lock until the next minute takes its lease from that one, never from the one before.
 */
const TAKE = `
  insert into key_rates as r (key_id, kind, minute, used, granted)
  values ($1, $2, floor(extract(epoch from clock_timestamp()) / 60)::bigint, least($3::int, $4::int), least($3::int, $4::int))
  on conflict (key_id, kind) do update set
    minute = greatest(r.minute, excluded.minute),
    used = case when excluded.minute > r.minute then excluded.used
      else greatest(r.used, least($4::int, r.used + $3::int)) end,
    granted = case when excluded.minute > r.minute then excluded.granted
      else greatest(0, least($4::int, r.used + $3::int) - r.used) end
  returning granted, used,
    ((minute + 1) * 60000 - extract(epoch from clock_timestamp()) * 1000)::float8 as left_ms`;

interface Row {
  readonly granted: number;
  readonly used: number;
  readonly left_ms: number;
}

/** The counts of keys' limits, shared by the hubs of a database. */
export function createRateStore(db: Database): RateStore {
  return {
    async take({ keyId, kind, want, limit }) {
      const [row] = await db.query<Row>(TAKE, [keyId, kind, want, limit]);
      if (row === undefined) throw new Error("A lease of a key's limit gave no row");
      return { granted: Number(row.granted), used: Number(row.used), leftMs: Math.max(0, Number(row.left_ms)) };
    },
  };
}
