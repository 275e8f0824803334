import { createSelectSchema } from "@alkdev/drizzlebox";
import { Type } from "@alkdev/typebox";
import { sql } from "drizzle-orm";
import { bigint, index, integer, pgTable, text, unique } from "drizzle-orm/pg-core";
import { type ClientConfig, StoredConfigSchema, StoredSecretSchema } from "../../clients/mod.ts";
import type { EncryptedData } from "../../crypto/mod.ts";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

const metadata = Type.Record(Type.String(), Type.Unknown());

class Clients {
  private static readonly table = pgTable("clients", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    type: text("type", { enum: ["mcp", "openapi", "llm-provider"] }).notNull(),
    config: exactJson("config").$type<ClientConfig>().notNull(),
    revision: integer("revision").notNull(),
  }, (t) => [unique().on(t.orgId, t.name)]);
  private static readonly row = createSelectSchema(Clients.table, { config: StoredConfigSchema, metadata });
  private static readonly secrets = pgTable("client_secrets", {
    ...common,
    clientId: text("client_id").notNull().references(() => clients.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    value: exactJson("value").$type<EncryptedData>().notNull(),
    keyVersion: integer("key_version").notNull(),
    last4: text("last4"),
  }, (t) => [unique().on(t.clientId, t.name), index("client_secrets_key_version_idx").on(t.keyVersion)]);
  private static readonly secretRow = createSelectSchema(Clients.secrets, { value: StoredSecretSchema, metadata });
  private static readonly catalogs = pgTable("client_catalogs", {
    clientId: text("client_id").primaryKey().references(() => clients.id, { onDelete: "cascade" }),
    content: text("content").notNull(),
    hash: text("hash").notNull(),
    updatedAt: instant("updated_at").notNull().default(sql`now()`),
  });
  private static readonly version = pgTable("clients_version", {
    version: bigint("version", { mode: "number" }).primaryKey(),
  });
}

/** Other people's services, without their credentials. */
export const clients: (typeof Clients)["table"] = Clients["table"];
export const clientRow: (typeof Clients)["row"] = Clients["row"];
/** Their credentials, sealed. */
export const clientSecrets: (typeof Clients)["secrets"] = Clients["secrets"];
export const clientSecretRow: (typeof Clients)["secretRow"] = Clients["secretRow"];
/** What each was last known to offer. */
export const clientCatalogs: (typeof Clients)["catalogs"] = Clients["catalogs"];
/** One row: changes with every change of the others. */
export const clientsVersion: (typeof Clients)["version"] = Clients["version"];
