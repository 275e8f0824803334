import { pgTable, text } from "drizzle-orm/pg-core";
import { accounts } from "./accounts.ts";
import { common } from "./columns.ts";

class Organizations {
  private static readonly table = pgTable("organizations", {
    ...common,
    name: text("name").notNull().unique(),
    slug: text("slug").notNull().unique(),
    ownerId: text("owner_id").notNull().references(() => accounts.id, { onDelete: "restrict" }),
  });
}

/** Tenants. */
export const organizations: (typeof Organizations)["table"] = Organizations["table"];
