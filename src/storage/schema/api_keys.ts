import { createSelectSchema } from "@alkdev/drizzlebox";
import { Type } from "@alkdev/typebox";
import { boolean, index, pgTable, text } from "drizzle-orm/pg-core";
import { accounts } from "./accounts.ts";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class ApiKeys {
  private static readonly table = pgTable("api_keys", {
    ...common,
    ownerId: text("owner_id").notNull().references(() => accounts.id, { onDelete: "restrict" }),
    orgId: text("org_id").references(() => organizations.id, { onDelete: "cascade" }),
    keyHash: text("key_hash").notNull().unique(),
    name: text("name"),
    description: text("description"),
    scopes: text("scopes").array().notNull().default([]),
    resources: exactJson("resources").$type<Readonly<Record<string, readonly string[]>>>().notNull().default({}),
    tags: text("tags").array().notNull().default([]),
    enabled: boolean("enabled").notNull().default(true),
    expiresAt: instant("expires_at"),
    revokedAt: instant("revoked_at"),
    rotatedToId: text("rotated_to_id"),
    lastUsedAt: instant("last_used_at"),
  }, (t) => [
    index("api_keys_owner_id_idx").on(t.ownerId),
    index("api_keys_tags_idx").using("gin", t.tags),
  ]);
  private static readonly row = createSelectSchema(ApiKeys.table, {
    resources: Type.Record(Type.String(), Type.Array(Type.String())),
  });
}

/** Keys by their hash; the plain key is nowhere. */
export const apiKeys: (typeof ApiKeys)["table"] = ApiKeys["table"];
export const apiKeyRow: (typeof ApiKeys)["row"] = ApiKeys["row"];
