import { and, asc, eq, sql } from "drizzle-orm";
import type {
  FlowHub,
  FlowLimit,
  FlowStore,
  Hold,
  KeyView,
  TicketId,
  TicketNews,
  TicketRequest,
  TicketView,
} from "../flow/ports.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { flowHolds, flowLimits, flowRulesVersion } from "./schema/mod.ts";

/** Tickets by the functions of migration 0005, which count and grant in one step; limits and holds as rows. */
export function createFlowStore(db: Database): FlowStore {
  return new StoredFlow(db);
}

interface NewsRow {
  readonly org: string;
  readonly key: string;
  readonly holder: string;
  readonly state: TicketNews["state"];
  readonly replaced_by: string | null;
}

const NEWS = "org, key, holder, state, replaced_by";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

class StoredFlow implements FlowStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  request(hub: FlowHub, tickets: readonly TicketRequest[]): Promise<readonly TicketNews[]> {
    const rows = tickets.map((ticket) => ({
      ...idOf(ticket),
      run: ticket.runId,
      node: ticket.nodeKey === null ? null : column(ticket.nodeKey),
      priority: ticket.priority,
      rank: ticket.rank,
      concurrency: ticket.line.concurrency ?? null,
      fallback: ticket.fallback,
      rate: ticket.line.rate?.limit ?? null,
      per: ticket.line.rate?.perMs ?? null,
      delay: ticket.line.delayMs ?? null,
      max_delay: ticket.line.maxDelayMs ?? null,
      replaces: ticket.line.replaces ?? false,
      now_or_never: ticket.nowOrNever ?? false,
    }));
    return this.#news(`select ${NEWS} from flow_request_v1($1, $2, $3::json)`, hub, rows);
  }

  release(hub: FlowHub, tickets: readonly TicketId[]): Promise<readonly TicketNews[]> {
    return this.#news(`select ${NEWS} from flow_release_v1($1, $2, $3::json)`, hub, tickets.map(idOf));
  }

  async poll({ hubId, epoch }: FlowHub): Promise<readonly TicketNews[]> {
    return (await this.#db.query<NewsRow>(`select ${NEWS} from flow_poll_v1($1, $2)`, [hubId, epoch])).map(toNews);
  }

  async sweep(
    { hubId, epoch }: FlowHub,
    { runIds, ageMs }: { readonly runIds: readonly string[]; readonly ageMs: number },
  ): Promise<number> {
    const [row] = await this.#db.query<{ taken: number }>("select flow_sweep_v2($1, $2, $3::uuid[], $4) as taken", [
      hubId,
      epoch,
      runIds,
      ageMs,
    ]);
    return row?.taken ?? 0;
  }

  async version(): Promise<number> {
    const [row] = await this.#db.orm.select().from(flowRulesVersion);
    return row?.version ?? 0;
  }

  async rules(): ReturnType<FlowStore["rules"]> {
    const version = await this.version(); // before the rules: what changes meanwhile is read again
    const { orm } = this.#db;
    const limits = await orm.select().from(flowLimits).orderBy(asc(flowLimits.orgId), asc(flowLimits.key));
    const holds = await orm.select().from(flowHolds).orderBy(asc(flowHolds.createdAt), asc(flowHolds.id));
    return { version, limits: limits.map(toLimit), holds };
  }

  async setLimit(limit: Omit<FlowLimit, "updatedAt">): Promise<FlowLimit> {
    const { orgId, key, concurrency, rate, updatedBy } = limit;
    await ensureOrganization(this.#db, orgId);
    const { orm } = this.#db;
    const values = { concurrency, rateLimit: rate?.limit ?? null, ratePerMs: rate?.perMs ?? null, updatedBy };
    const [row] = await orm.insert(flowLimits).values({ orgId, key, ...values }).onConflictDoUpdate({
      target: [flowLimits.orgId, flowLimits.key],
      set: { ...values, updatedAt: sql`now()` },
    }).returning();
    if (row === undefined) throw new Error(`Cannot set the limit of "${key}": no row came back`);
    await this.#changed({ orgId, key });
    return toLimit(row);
  }

  async removeLimit({ orgId, key }: { readonly orgId: string; readonly key: string }): Promise<boolean> {
    const found = await this.#db.orm.delete(flowLimits).where(and(eq(flowLimits.orgId, orgId), eq(flowLimits.key, key)))
      .returning({ key: flowLimits.key });
    if (found.length > 0) await this.#changed({ orgId, key });
    return found.length > 0;
  }

  async addHold({ orgId, kind, name, reason, createdBy }: Omit<Hold, "id" | "createdAt">): Promise<Hold> {
    await ensureOrganization(this.#db, orgId);
    const { orm } = this.#db;
    const same = and(eq(flowHolds.orgId, orgId), eq(flowHolds.kind, kind), eq(flowHolds.name, name));
    const id = crypto.randomUUID();
    await orm.insert(flowHolds).values({ id, orgId, kind, name, reason, createdBy }).onConflictDoNothing();
    const [row] = await orm.select().from(flowHolds).where(same);
    if (row === undefined) throw new Error(`Cannot hold ${kind} "${name}": it was let go at the same time`);
    if (row.id === id) await this.#changed(null);
    return row;
  }

  async removeHold({ orgId, id }: { readonly orgId: string; readonly id: string }): Promise<Hold | null> {
    const [row] = await this.#db.orm.delete(flowHolds).where(and(eq(flowHolds.orgId, orgId), eq(flowHolds.id, id)))
      .returning();
    if (row !== undefined) await this.#changed(null);
    return row ?? null;
  }

  async keys({ orgId }: { readonly orgId: string }): Promise<readonly KeyView[]> {
    const rows = await this.#db.query<KeyRow>(
      `select distinct on (t.key) t.key, ${ALLOWED},
         (count(*) filter (where t.state = 'held') over (partition by t.key))::float8 as running,
         (count(*) filter (where t.state = 'waiting') over (partition by t.key))::float8 as waiting
       from flow_tickets t left join flow_limits l on l.org_id = t.org_id and l.key = t.key
       where t.org_id = $1 and t.state <> 'replaced'
       order by t.key, t.state = 'waiting' desc, t.rank, t.seq`,
      [column(orgId)],
    );
    return rows.map(({ key, running, waiting, ...row }) => ({ key, running, waiting, ...allowed(row) }));
  }

  async tickets(
    { orgId, key, limit }: { readonly orgId: string; readonly key: string; readonly limit: number },
  ): Promise<readonly TicketView[]> {
    const rows = await this.#db.query<TicketRow>(
      `${TICKETS} where t.org_id = $1 and t.key = $2 and t.state <> 'replaced' order by ${ORDER} limit $3`,
      [column(orgId), column(key), limit],
    );
    return rows.map(toTicket);
  }

  async ticketsOf(
    { orgId, runId }: { readonly orgId: string; readonly runId: string },
  ): Promise<readonly TicketView[]> {
    if (!UUID.test(runId)) return [];
    const rows = await this.#db.query<TicketRow>(
      `${TICKETS} where t.org_id = $1 and t.run_id = $2 and t.state <> 'replaced' order by t.key, ${ORDER} limit 1000`,
      [column(orgId), runId],
    );
    return rows.map(toTicket);
  }

  async #news(text: string, { hubId, epoch }: FlowHub, tickets: readonly object[]): Promise<readonly TicketNews[]> {
    return (await this.#db.query<NewsRow>(text, [hubId, epoch, JSON.stringify(tickets)])).map(toNews);
  }

  /** After the change: a hub that reads the rules too early sees another version later. */
  async #changed(line: { readonly orgId: string; readonly key: string } | null): Promise<void> {
    await this.#db.orm.update(flowRulesVersion).set({ version: sql`${flowRulesVersion.version} + 1` });
    if (line !== null) await this.#db.query("select flow_regrant_v1($1, $2)", [line.orgId, line.key]);
  }
}

interface Allowed {
  readonly concurrency: number | null;
  readonly rateLimit: number | null;
  readonly ratePerMs: number | null;
}

interface KeyRow extends Allowed {
  readonly key: string;
  readonly running: number;
  readonly waiting: number;
}

interface TicketRow extends Allowed {
  readonly orgId: string;
  readonly key: string;
  readonly holder: string;
  readonly runId: string;
  readonly nodeKey: string | null;
  readonly state: "waiting" | "held";
  readonly priority: number;
  readonly since: number;
  readonly position: number | null;
  readonly notBefore: number | null;
}

const ALLOWED = `coalesce(l.concurrency, t.concurrency, case when l.key is null then t.fallback end) as concurrency,
  coalesce(l.rate_limit, t.rate_limit) as "rateLimit", coalesce(l.rate_per_ms, t.rate_per_ms) as "ratePerMs"`;
const ORDER = "t.state, case when t.state = 'held' then t.granted_at end, t.rank, t.seq";
const TICKETS =
  `select t.org_id as "orgId", t.key, t.holder, t.run_id as "runId", t.node_key as "nodeKey", t.state, t.priority,
  floor(extract(epoch from coalesce(t.granted_at, t.came_at)) * 1000)::float8 as since,
  floor(extract(epoch from t.not_before) * 1000)::float8 as "notBefore", ${ALLOWED},
  case when t.state = 'waiting' then 1 + (
    select count(*) from flow_tickets o where o.org_id = t.org_id and o.key = t.key and o.state = 'waiting'
      and (o.rank, o.seq) < (t.rank, t.seq))::float8 end as position
  from flow_tickets t left join flow_limits l on l.org_id = t.org_id and l.key = t.key`;

function idOf(
  { orgId, key, holder }: TicketId,
): { readonly org: string; readonly key: string; readonly holder: string } {
  return { org: column(orgId), key: column(key), holder };
}

function toNews({ org, key, holder, state, replaced_by }: NewsRow): TicketNews {
  return { orgId: org, key, holder, state, replacedBy: replaced_by };
}

function allowed({ concurrency, rateLimit, ratePerMs }: Allowed): Pick<KeyView, "concurrency" | "rate"> {
  return {
    concurrency,
    rate: rateLimit === null || ratePerMs === null ? null : { limit: rateLimit, perMs: ratePerMs },
  };
}

function toTicket({ concurrency, rateLimit, ratePerMs, ...row }: TicketRow): TicketView {
  return { ...row, ...allowed({ concurrency, rateLimit, ratePerMs }) };
}

function toLimit(row: typeof flowLimits.$inferSelect): FlowLimit {
  const { orgId, key, updatedBy, updatedAt } = row;
  return { orgId, key, ...allowed(row), updatedBy, updatedAt };
}
