import { boolean, index, pgTable, text, unique } from "drizzle-orm/pg-core";
import { common } from "./columns.ts";
import { operations } from "./operations.ts";
import { spokes } from "./spokes.ts";

class OperationRegistrations {
  private static readonly table = pgTable("operation_registrations", {
    ...common,
    operationId: text("operation_id").notNull().references(() => operations.id, { onDelete: "cascade" }),
    spokeId: text("spoke_id").notNull().references(() => spokes.id, { onDelete: "cascade" }),
    available: boolean("available").notNull().default(true),
  }, (t) => [
    unique().on(t.operationId, t.spokeId),
    index("operation_registrations_spoke_id_idx").on(t.spokeId),
  ]);
}

/** Which spoke offers which operation. */
export const operationRegistrations: (typeof OperationRegistrations)["table"] = OperationRegistrations["table"];
