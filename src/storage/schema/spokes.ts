import { createSelectSchema } from "@alkdev/drizzlebox";
import { type OperationSpec, OperationSpecSchema } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { sql } from "drizzle-orm";
import { index, integer, pgTable, text } from "drizzle-orm/pg-core";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class Spokes {
  private static readonly table = pgTable("spokes", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    hubId: text("hub_id").notNull(),
    identityId: text("identity_id").notNull(),
    name: text("name").notNull(),
    status: text("status", { enum: ["connected", "disconnected"] }).notNull().default("connected"),
    spokeType: text("spoke_type").notNull(),
    projectId: text("project_id"),
    version: text("version"),
    labels: exactJson("labels").$type<Readonly<Record<string, string>>>().notNull().default({}),
    hostInfo: exactJson("host_info").$type<Readonly<Record<string, unknown>>>(),
    maxConcurrency: integer("max_concurrency").notNull(),
    resumeTokenHash: text("resume_token_hash").notNull(),
    operations: exactJson("operations").$type<readonly OperationSpec[]>().notNull().default([]),
    lastHeartbeat: instant("last_heartbeat"),
    connectedAt: instant("connected_at"),
    disconnectedAt: instant("disconnected_at"),
    disconnectReason: text("disconnect_reason"),
  }, (t) => [
    index("spokes_org_id_idx").on(t.orgId),
    index("spokes_hub_id_idx").on(t.hubId).where(sql`status = 'connected'`),
  ]);
  private static readonly row = createSelectSchema(Spokes.table, {
    labels: Type.Record(Type.String(), Type.String()),
    hostInfo: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
    operations: Type.Array(OperationSpecSchema),
  });
}

/** Spokes that are connected or were. `resumeTokenHash` is the token's SHA-256 in hex, empty once it has left. */
export const spokes: (typeof Spokes)["table"] = Spokes["table"];
export const spokeRow: (typeof Spokes)["row"] = Spokes["row"];
