import { pgTable, text } from "drizzle-orm/pg-core";
import { common } from "./columns.ts";

class Accounts {
  private static readonly table = pgTable("accounts", {
    ...common,
    email: text("email").notNull().unique(),
    displayName: text("display_name").notNull().default(""),
    accessLevel: text("access_level", { enum: ["admin", "user", "service"] }).notNull().default("user"),
    status: text("status", { enum: ["active", "suspended", "deactivated"] }).notNull().default("active"),
  });
}

/** People and services: whose keys there are. */
export const accounts: (typeof Accounts)["table"] = Accounts["table"];
