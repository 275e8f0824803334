import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { LEVELS, type LogLine, type LogStore, type NewLogLine, type NewProgress } from "../sight/logs/ports.ts";

/** Held by one writer at a time, so that ids become visible in their order: "logs" in ASCII. */
const ORDER_LOCK = 0x6c6f6773;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const APPEND = `
  insert into run_logs (run_id, at, node_key, attempt, request_id, level, message, data)
  select run_id, to_timestamp(at / 1000), node_key, attempt, request_id, level, message, data::json
  from unnest($1::uuid[], $2::float8[], $3::text[], $4::int[], $5::uuid[], $6::text[], $7::text[], $8::text[])
    with ordinality as l(run_id, at, node_key, attempt, request_id, level, message, data, n)
  order by n`;
const PROGRESS = `
  insert into run_progress (run_id, node_key, attempt, at, value, total, message)
  select run_id, node_key, attempt, to_timestamp(at / 1000), value, total, message
  from unnest($1::uuid[], $2::text[], $3::int[], $4::float8[], $5::float8[], $6::float8[], $7::text[])
    as p(run_id, node_key, attempt, at, value, total, message)
  on conflict (run_id, node_key) do update
    set attempt = excluded.attempt, at = excluded.at, value = excluded.value, total = excluded.total, message = excluded.message
    where (run_progress.attempt, run_progress.at) <= (excluded.attempt, excluded.at)`;
const READ = `
  select run_id as "runId", id::float8 as id, (extract(epoch from at) * 1000)::float8 as at, node_key as key, attempt,
    request_id as "requestId", level, message, data::text as data
  from run_logs where run_id = $1 and id > $2 and level = any ($3::text[])
    and ($4::text is null or node_key = $4 or starts_with(node_key, $4 || '['))
  order by id limit $5`;
const LATEST = `
  select run_id as "runId", node_key as key, attempt, (extract(epoch from at) * 1000)::float8 as at, value, total, message
  from run_progress where run_id = $1 order by at desc, node_key limit $2`;

/** Log lines and progress of runs. By hand: arrays in one statement a batch. */
export function createLogStore(db: Database): LogStore {
  return {
    async append({ lines, progress }) {
      await db.transaction(async (tx) => {
        if (progress.length > 0) await tx.query(PROGRESS, progressColumns(progress));
        if (lines.length === 0) return;
        await tx.query("select pg_advisory_xact_lock($1)", [ORDER_LOCK]);
        await tx.query(APPEND, lineColumns(lines));
      });
    },
    async read({ runId, node, level = "debug", after, limit }) {
      if (!UUID.test(runId)) return [];
      const levels = LEVELS.slice(LEVELS.indexOf(level));
      const rows = await db.query<StoredLine>(READ, [
        runId,
        after,
        levels,
        node === undefined ? null : column(node),
        limit,
      ]);
      return rows.map((row): LogLine => ({ ...row, data: row.data === null ? null : JSON.parse(row.data) }));
    },
    async progress({ runId, limit }) {
      return UUID.test(runId) ? await db.query<NewProgress>(LATEST, [runId, limit]) : [];
    },
  };
}

type StoredLine = Omit<LogLine, "data"> & { readonly data: string | null };

function lineColumns(lines: readonly NewLogLine[]): readonly unknown[] {
  return [
    lines.map(({ runId }) => runId),
    lines.map(({ at }) => at),
    lines.map(({ key }) => column(key)),
    lines.map(({ attempt }) => attempt),
    lines.map(({ requestId }) => requestId),
    lines.map(({ level }) => level),
    lines.map(({ message }) => storable(message)),
    lines.map(({ data }) => data === null ? null : JSON.stringify(data)),
  ];
}

function progressColumns(progress: readonly NewProgress[]): readonly unknown[] {
  return [
    progress.map(({ runId }) => runId),
    progress.map(({ key }) => column(key)),
    progress.map(({ attempt }) => attempt),
    progress.map(({ at }) => at),
    progress.map(({ value }) => value),
    progress.map(({ total }) => total),
    progress.map(({ message }) => message === null ? null : storable(message)),
  ];
}

/** A text column takes line breaks, but neither NUL nor half a character. */
function storable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\u0000|\p{Surrogate}/gu, "\ufffd");
}
