import { createSelectSchema } from "@alkdev/drizzlebox";
import { Type } from "@alkdev/typebox";
import { sql } from "drizzle-orm";
import { index, pgTable, text } from "drizzle-orm/pg-core";
import { accounts } from "./accounts.ts";
import { common, exactJson } from "./columns.ts";
import { organizations } from "./organizations.ts";

class AuditLogs {
  private static readonly table = pgTable("audit_logs", {
    ...common,
    action: text("action").notNull(),
    ownerId: text("owner_id").notNull().references(() => accounts.id, { onDelete: "restrict" }),
    keyId: text("key_id"),
    sessionId: text("session_id"),
    orgId: text("org_id").references(() => organizations.id, { onDelete: "set null" }),
    details: exactJson("details").$type<Readonly<Record<string, unknown>>>().notNull().default({}),
  }, (t) => [
    index("audit_logs_org_id_created_at_idx").on(t.orgId, t.createdAt),
    index("audit_logs_key_id_idx").on(t.keyId).where(sql`key_id is not null`),
  ]);
  private static readonly row = createSelectSchema(AuditLogs.table, {
    details: Type.Record(Type.String(), Type.Unknown()),
  });
}

/** Append-only: who did what. */
export const auditLogs: (typeof AuditLogs)["table"] = AuditLogs["table"];
export const auditLogRow: (typeof AuditLogs)["row"] = AuditLogs["row"];
