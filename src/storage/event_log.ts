import type { RunEvent } from "../../engine/events.ts";
import { FencedError } from "../../engine/ports.ts";
import type { CommitResult, EventLog } from "../../engine/ports.ts";
import type { Connection, Database, Statement } from "./database.ts";
import { encodeBatch, NO_RUN_CHANGES } from "./event_batch.ts";
import { HeldFence } from "./held_fence.ts";
import { encodeSmallBatch, LONE_ROW } from "./small_batch.ts";
import { decodeRow } from "./event_body.ts";
import type { EventRow } from "./event_body.ts";

/** An event log with a connection of its own for commits, so that reads never delay them. */
export interface StoredEventLog extends EventLog {
  close(): Promise<void>;
}

const PARAMETERS = Array.from({ length: 28 }, (_, i) => `$${i + 1}`);
const COMMIT = `select commit_events_v3(${PARAMETERS.join(", ")}) as answer`;
/** The same for a batch in which no run begins or changes: the 19 arguments for that are not sent. */
const COMMIT_EVENTS = `select commit_events_v3($1, $2, ${"null, ".repeat(19)}$3, $4, $5, $6, $7, $8, $9) as answer`;
const NO_DUPLICATES: CommitResult = { duplicates: new Map() };

const UNIQUE_VIOLATION = "23505";
/** While the database writes one batch the hub makes the next: more than two only make batches smaller. */
const COMMITS_AT_ONCE = 2;

/** The same for one in which runs move to other versions, which their rows have to say too. */
const COMMIT_MIGRATED = `select case when c.answer is not null then c.answer || note_run_versions_v1($29, $30, $31) end
  from (select commit_events_v3(${PARAMETERS.join(", ")}) as answer offset 0) c`;

interface Session {
  readonly connection: Connection;
  /** Null: the fence is taken for each commit. */
  readonly fence: HeldFence | null;
}

function encodeLargeBatch(batch: readonly RunEvent[]): Statement {
  const { runs, events, migrated } = encodeBatch(batch);
  if (migrated !== null) {
    const values = [...runs ?? NO_RUN_CHANGES, ...events, ...migrated];
    return { name: "commit_migrated", text: COMMIT_MIGRATED, values };
  }
  return runs === null
    ? { name: "commit_events", text: COMMIT_EVENTS, values: events }
    : { name: "commit", text: COMMIT, values: [...runs, ...events] };
}

/**
 * The log as the holder of `lease` writes it. See `commit_events_v2` in the migrations for the fence. `smallBatches: false`
 * does without the functions of migration 0004.
 */
export function createEventLog(
  db: Database,
  lease: { readonly hubId: string; readonly epoch: number },
  { smallBatches = true }: { readonly smallBatches?: boolean } = {},
): StoredEventLog {
  const connecting: (Promise<Session> | undefined)[] = [];
  const concurrency = db.kind === "postgres" ? COMMITS_AT_ONCE : 1;
  const { hubId, epoch } = lease;
  /** Batches under way on each connection. */
  const busy: number[] = Array.from({ length: concurrency }, () => 0);

  async function send(batch: readonly RunEvent[]): Promise<CommitResult> {
    // The first that is idle: taking turns, each backend would have forgotten what it needs when a lone run is at work.
    const free = busy.indexOf(Math.min(...busy));
    busy[free]!++;
    try {
      return await sendOn(await (connecting[free] ??= connect()), batch);
    } finally {
      busy[free]!--;
    }
  }

  async function connect(): Promise<Session> {
    const connection = await db.connect();
    // The embedded database has one session, which a takeover cannot end.
    return { connection, fence: db.kind === "postgres" ? new HeldFence(connection, lease) : null };
  }

  async function sendOn({ connection, fence }: Session, batch: readonly RunEvent[]): Promise<CommitResult> {
    const { name, text, values } = (smallBatches ? encodeSmallBatch(batch) : null) ?? encodeLargeBatch(batch);
    if (fence !== null && name === LONE_ROW && await fence.write(values)) return NO_DUPLICATES;
    const answer = await connection.call({ name, text, values: [hubId, String(epoch), ...values] });
    if (answer === null) throw new FencedError(hubId, epoch);
    return answer === "" ? NO_DUPLICATES : { duplicates: parseDuplicates(answer) };
  }

  return {
    concurrency,
    async commit(batch) {
      if (batch.length === 0) return NO_DUPLICATES;
      try {
        return await send(batch);
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        return await resend(db, batch, send);
      }
    },
    read: (params) => readEvents(db, params),
    close: async () => {
      for (const session of await Promise.all(connecting)) await session?.connection.close();
    },
  };
}

/** A batch sent again after its answer was lost: what is stored stays, the rest is sent. */
async function resend(
  db: Database,
  batch: readonly RunEvent[],
  send: (batch: readonly RunEvent[]) => Promise<CommitResult>,
): Promise<CommitResult> {
  const ids = [...new Set(batch.map((event) => event.runId))];
  const rows = await db.query<{ run_id: string; seq: number }>(
    "select run_id, max(seq) as seq from run_events where run_id = any ($1::uuid[]) group by run_id",
    [ids],
  );
  const stored = new Map(rows.map((row) => [row.run_id, row.seq]));
  const rest = batch.filter((event) => event.seq > (stored.get(event.runId) ?? 0));
  return rest.length === 0 ? NO_DUPLICATES : await send(rest);
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === UNIQUE_VIOLATION;
}

function parseDuplicates(answer: string): ReadonlyMap<string, string> {
  return new Map(
    answer.split("\n").map((line) => {
      const [attempted = "", holder = ""] = line.split(" ");
      return [attempted, holder];
    }),
  );
}

const READ = `
  select e.run_id, e.seq, (extract(epoch from e.at) * 1000)::float8 as at, e.type, e.node_key, e.request_id, e.body,
    case when r.id is not null then json_build_object('workflow', r.workflow,
      'version', coalesce(r.first_version, r.version), 'planHash', coalesce(r.first_plan_hash, r.plan_hash),
      'priority', r.priority, 'orgId', r.org_id, 'parent', case when r.parent_run_id is not null then json_build_object(
        'runId', r.parent_run_id, 'requestId', r.parent_request_id, 'rootRunId', r.root_run_id) end) end as created
  from run_events e left join runs r on e.seq = 1 and r.id = e.run_id
  where e.run_id = $1 and e.seq > $2 order by e.seq limit $3`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function readEvents(
  db: Database,
  params: { readonly runId: string; readonly after?: number; readonly limit?: number },
): Promise<readonly RunEvent[]> {
  const { runId, after = 0, limit = Infinity } = params;
  if (!UUID.test(runId)) return [];
  // Every row has at least one event: `limit` rows are enough.
  const rows = await db.query<EventRow>(READ, [runId, after, Number.isFinite(limit) ? limit : null]);
  const events: RunEvent[] = [];
  for (const row of rows) {
    for (const event of decodeRow(row)) {
      if (event.seq <= after || events.length >= limit) continue;
      const expected = after + events.length + 1;
      // commit() does not look for gaps (docs/decisions/0002-hot-tables.md); to fold one would make up another history.
      if (event.seq !== expected) throw new Error(`Cannot read run ${runId}: event ${expected} is missing in its log`);
      events.push(event);
    }
  }
  return events;
}
