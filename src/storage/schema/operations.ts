import { jsonb, pgTable, text, unique } from "drizzle-orm/pg-core";
import { common } from "./columns.ts";

class Operations {
  private static readonly table = pgTable("operations", {
    ...common,
    namespace: text("namespace").notNull(),
    name: text("name").notNull(),
    version: text("version").notNull(),
    title: text("title"),
    description: text("description").notNull().default(""),
    type: text("type", { enum: ["query", "mutation", "subscription"] }).notNull(),
    tags: text("tags").array().notNull().default([]),
    inputSchema: jsonb("input_schema").notNull(),
    outputSchema: jsonb("output_schema").notNull(),
    errorSchemas: jsonb("error_schemas"),
    accessControl: jsonb("access_control").notNull(),
    _meta: jsonb("_meta"),
  }, (t) => [unique().on(t.namespace, t.name, t.version)]);
}

/** Versions of operations; `__removed__` stands for one that is no more. */
export const operations: (typeof Operations)["table"] = Operations["table"];
