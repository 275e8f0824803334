import { index, pgTable, text, unique } from "drizzle-orm/pg-core";
import { accounts } from "./accounts.ts";
import { common } from "./columns.ts";
import { organizations } from "./organizations.ts";

class OrganizationMembers {
  private static readonly table = pgTable("organization_members", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    accountId: text("account_id").notNull().references(() => accounts.id, { onDelete: "cascade" }),
    membershipLevel: text("membership_level", { enum: ["owner", "admin", "member"] }).notNull(),
    displayName: text("display_name").notNull().default(""),
    status: text("status", { enum: ["active", "suspended"] }).notNull().default("active"),
  }, (t) => [
    unique().on(t.orgId, t.accountId),
    index("organization_members_account_id_idx").on(t.accountId),
  ]);
}

/** Which accounts belong to which organizations. */
export const organizationMembers: (typeof OrganizationMembers)["table"] = OrganizationMembers["table"];
