import { sql } from "drizzle-orm";
import { bigserial, index, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { ApiKeyMetadata } from "../api_key_record.ts";

class Tables {
  private static readonly apikey = pgTable("apikey", {
    id: text("id").primaryKey(),
    keyHash: text("key_hash").notNull().unique("apikey_key_hash_unique"),
    metadata: jsonb("metadata").$type<ApiKeyMetadata>().notNull(),
  }, (t) => [
    index("apikey_owner_idx").on(sql`(${t.metadata}->>'ownerId')`),
    index("apikey_org_idx").on(sql`(${t.metadata}->>'orgId')`),
    index("apikey_tags_idx").using("gin", sql`(${t.metadata}->'tags')`),
  ]);
  private static readonly log = pgTable("apikey_log", {
    id: text("id").primaryKey(),
    action: text("action").notNull(),
    keyId: text("key_id").notNull(),
    ownerId: text("owner_id").notNull(),
    /** ISO 8601 in UTC, which sorts as text. */
    timestamp: text("timestamp").notNull(),
    data: jsonb("data").$type<Readonly<Record<string, unknown>>>(),
    /** Orders logs of one ms. */
    seq: bigserial("seq", { mode: "number" }).notNull(),
  }, (t) => [
    index("apikey_log_key_idx").on(t.keyId, t.timestamp),
    index("apikey_log_owner_idx").on(t.ownerId, t.timestamp),
  ]);
}

/** The same as SQL, for a host without drizzle-kit. Does nothing where the tables are. */
export const KEY_TABLES_SQL = `
create table if not exists apikey (
  id text primary key,
  key_hash text not null constraint apikey_key_hash_unique unique,
  metadata jsonb not null
);
create index if not exists apikey_owner_idx on apikey ((metadata->>'ownerId'));
create index if not exists apikey_org_idx on apikey ((metadata->>'orgId'));
create index if not exists apikey_tags_idx on apikey using gin ((metadata->'tags'));
create table if not exists apikey_log (
  id text primary key,
  action text not null,
  key_id text not null,
  owner_id text not null,
  "timestamp" text not null,
  data jsonb,
  seq bigserial not null
);
create index if not exists apikey_log_key_idx on apikey_log (key_id, "timestamp");
create index if not exists apikey_log_owner_idx on apikey_log (owner_id, "timestamp");
`;

/** Keys, as the published package keeps them: the hash, and the metadata as one `jsonb`. For drizzle-kit, which makes the table. */
export const apikey: (typeof Tables)["apikey"] = Tables["apikey"];
/** Audit logs. */
export const apikeyLog: (typeof Tables)["log"] = Tables["log"];
