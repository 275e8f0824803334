import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class Hubs {
  private static readonly table = pgTable("hubs", {
    id: text("id").primaryKey(),
    epoch: integer("epoch").notNull(),
    leaseUntil: instant("lease_until"),
    url: text("url"),
  });
}

/** Who may write. `epoch` rises when the lease changes hands; `leaseUntil` null: nobody holds it. */
export const hubs: (typeof Hubs)["table"] = Hubs["table"];
