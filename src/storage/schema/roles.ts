import { pgTable, text, unique } from "drizzle-orm/pg-core";
import { common } from "./columns.ts";
import { organizations } from "./organizations.ts";

class Roles {
  private static readonly table = pgTable("roles", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    scopes: text("scopes").array().notNull().default([]),
  }, (t) => [unique().on(t.orgId, t.name)]);
}

/** Scopes by name. */
export const roles: (typeof Roles)["table"] = Roles["table"];
