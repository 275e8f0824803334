import { createSelectSchema } from "@alkdev/drizzlebox";
import { sql } from "drizzle-orm";
import { boolean, integer, pgTable, primaryKey, text, unique } from "drizzle-orm/pg-core";
import { type RoleDefinition, RoleDefinitionSchema } from "../../roles/mod.ts";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class Roles {
  private static readonly table = pgTable("roles", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    version: integer("version").notNull(),
    archivedAt: instant("archived_at"),
  }, (t) => [unique().on(t.orgId, t.name)]);
  private static readonly versions = pgTable("role_versions", {
    roleId: text("role_id").notNull().references(() => roles.id, { onDelete: "cascade" }),
    version: integer("version").notNull(),
    definition: exactJson("definition").$type<RoleDefinition>().notNull(),
    builtIn: boolean("built_in").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: instant("created_at").notNull().default(sql`now()`),
  }, (t) => [primaryKey({ columns: [t.roleId, t.version] })]);
  private static readonly versionRow = createSelectSchema(Roles.versions, { definition: RoleDefinitionSchema });
}

/** `version`: the latest. */
export const roles: (typeof Roles)["table"] = Roles["table"];
/** Never changed once written. */
export const roleVersions: (typeof Roles)["versions"] = Roles["versions"];
export const roleVersionRow: (typeof Roles)["versionRow"] = Roles["versionRow"];
