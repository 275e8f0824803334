import { createSelectSchema } from "@alkdev/drizzlebox";
import type { Json, WorkflowExposure } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
import { pgTable, text, unique } from "drizzle-orm/pg-core";
import { common, exactJson } from "./columns.ts";
import { organizations } from "./organizations.ts";

const Schema = Type.Union([Type.Boolean(), Type.Record(Type.String(), Type.Unknown()), Type.Null()]);

class Workflows {
  private static readonly table = pgTable("workflows", {
    ...common,
    orgId: text("org_id").references(() => organizations.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    version: text("version").notNull(),
    title: text("title"),
    description: text("description"),
    template: exactJson("template").$type<Json>(),
    inputSchema: exactJson("input_schema").$type<Json>(),
    outputSchema: exactJson("output_schema").$type<Json>(),
    flow: exactJson("flow").$type<Json>(),
    expose: text("expose").$type<WorkflowExposure>(),
  }, (t) => [unique().on(t.orgId, t.name, t.version).nullsNotDistinct()]);
  private static readonly row = createSelectSchema(Workflows.table, {
    inputSchema: Schema,
    outputSchema: Schema,
    flow: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
    expose: Type.Union([Type.Literal("tool"), Type.Literal("task"), Type.Literal("prompt"), Type.Null()]),
  });
}

/** A row is one version; `orgId` null: it came from a file and is shared by all. */
export const workflows: (typeof Workflows)["table"] = Workflows["table"];
export const workflowRow: (typeof Workflows)["row"] = Workflows["row"];
