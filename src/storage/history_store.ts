import type { Database } from "./database.ts";
import { type HistoryStore, type Subject, SubjectStats } from "../sight/mod.ts";

const ABSENT = `
  insert into history (org_id, kind, name, stats)
  select org_id, kind, name, '{}' from unnest($1::text[], $2::text[], $3::text[]) as s(org_id, kind, name)
  order by org_id, kind, name on conflict do nothing`;
const LOCK = `
  select org_id as "orgId", kind, name, stats from history
  where (org_id, kind, name) in (select * from unnest($1::text[], $2::text[], $3::text[]))
  order by org_id, kind, name for update`;
const WRITE = `
  update history h set stats = s.stats, updated_at = now()
  from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as s(org_id, kind, name, stats)
  where h.org_id = s.org_id and h.kind = s.kind and h.name = s.name`;
const READ = `
  select org_id as "orgId", kind, name, stats from history
  where (org_id, kind, name) in (select * from unnest($1::text[], $2::text[], $3::text[]))`;

interface Row extends Subject {
  readonly stats: string;
}

/** What has happened so far. Rows are locked in one order, so that hubs that merge at once wait for each other and no longer. */
export function createHistoryStore(db: Database): HistoryStore {
  return {
    async merge(deltas) {
      if (deltas.length === 0) return;
      const added = new Map(deltas.map((delta) => [idOf(delta), delta.stats]));
      await db.transaction(async (tx) => {
        await tx.query(ABSENT, columns(deltas));
        const rows = await tx.query<Row>(LOCK, columns(deltas));
        const merged = rows.map((row) => {
          const known = SubjectStats.parse(row.stats);
          const more = added.get(idOf(row));
          return JSON.stringify(more === undefined ? known : known.plus(more));
        });
        await tx.query(WRITE, [...columns(rows), merged]);
      });
    },
    async forget({ idleMs }) {
      await db.query("delete from history where updated_at < now() - $1::float8 * interval '1 millisecond'", [idleMs]);
    },
    async read(subjects) {
      if (subjects.length === 0) return [];
      const rows = await db.query<Row>(READ, columns(subjects));
      const wanted = new Map(subjects.map((subject) => [idOf(subject), subject]));
      return rows.flatMap((row) => {
        const subject = wanted.get(idOf(row));
        return subject === undefined ? [] : [{ ...subject, stats: SubjectStats.parse(row.stats) }];
      });
    },
  };
}

function columns(subjects: readonly Subject[]): readonly unknown[] {
  return [
    subjects.map(({ orgId }) => storable(orgId)),
    subjects.map(({ kind }) => kind),
    subjects.map(({ name }) => storable(name)),
  ];
}

function idOf({ orgId, kind, name }: Subject): string {
  return JSON.stringify([storable(orgId), kind, storable(name)]);
}

/** A text column takes line breaks, but neither NUL nor half a character. */
function storable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\u0000|\p{Surrogate}/gu, "\ufffd");
}
