import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class Flow {
  private static readonly limits = pgTable("flow_limits", {
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    key: text("key").notNull(),
    concurrency: integer("concurrency"),
    rateLimit: integer("rate_limit"),
    ratePerMs: doublePrecision("rate_per_ms"),
    updatedBy: text("updated_by").notNull(),
    updatedAt: instant("updated_at").notNull().default(sql`now()`),
  }, (t) => [primaryKey({ columns: [t.orgId, t.key] })]);
  private static readonly holds = pgTable("flow_holds", {
    id: text("id").primaryKey(),
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    kind: text("kind", { enum: ["workflow", "operation", "spoke"] }).notNull(),
    name: text("name").notNull(),
    reason: text("reason"),
    createdBy: text("created_by").notNull(),
    createdAt: instant("created_at").notNull().default(sql`now()`),
  }, (t) => [unique().on(t.orgId, t.kind, t.name)]);
  private static readonly rulesVersion = pgTable("flow_rules_version", {
    version: bigint("version", { mode: "number" }).primaryKey(),
  });
  private static readonly tickets = pgTable("flow_tickets", {
    seq: bigint("seq", { mode: "number" }).notNull().default(sql`nextval('flow_tickets_seq')`),
    orgId: text("org_id").notNull(),
    key: text("key").notNull(),
    holder: text("holder").notNull(),
    runId: uuid("run_id").notNull(),
    nodeKey: text("node_key"),
    hubId: text("hub_id").notNull(),
    epoch: integer("epoch").notNull(),
    state: text("state", { enum: ["waiting", "held", "replaced"] }).notNull().default("waiting"),
    told: boolean("told").notNull().default(true),
    priority: doublePrecision("priority").notNull(),
    rank: doublePrecision("rank").notNull(),
    concurrency: integer("concurrency"),
    fallback: integer("fallback"),
    rateLimit: integer("rate_limit"),
    ratePerMs: doublePrecision("rate_per_ms"),
    replacedBy: text("replaced_by"),
    cameAt: instant("came_at").notNull(),
    firstAt: instant("first_at").notNull(),
    notBefore: instant("not_before"),
    grantedAt: instant("granted_at"),
  }, (t) => [
    primaryKey({ columns: [t.orgId, t.key, t.holder] }),
    index("flow_tickets_line_idx").on(t.orgId, t.key, t.rank, t.seq).where(sql`state = 'waiting'`),
    index("flow_tickets_held_idx").on(t.orgId, t.key).where(sql`state = 'held'`),
    index("flow_tickets_untold_idx").on(t.hubId, t.epoch).where(sql`not told`),
    index("flow_tickets_waiting_idx").on(t.hubId, t.epoch).where(sql`state = 'waiting'`),
    index("flow_tickets_run_id_idx").on(t.runId),
  ]);
  private static readonly grants = pgTable("flow_grants", {
    orgId: text("org_id").notNull(),
    key: text("key").notNull(),
    at: instant("at").notNull(),
    until: instant("until").notNull(),
  }, (t) => [
    index("flow_grants_org_id_key_at_idx").on(t.orgId, t.key, t.at),
    index("flow_grants_until_idx").on(t.until),
  ]);
}

/** What an organization allows under a key. */
export const flowLimits: (typeof Flow)["limits"] = Flow["limits"];
/** What nobody starts for the time being. */
export const flowHolds: (typeof Flow)["holds"] = Flow["holds"];
/** One row, which rises with every change of the two. */
export const flowRulesVersion: (typeof Flow)["rulesVersion"] = Flow["rulesVersion"];
/** Who holds a key and who waits for it. Written by the functions of migration 0005 only. */
export const flowTickets: (typeof Flow)["tickets"] = Flow["tickets"];
/** When keys with a rate were granted. */
export const flowGrants: (typeof Flow)["grants"] = Flow["grants"];
