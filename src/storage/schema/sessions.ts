import { createSelectSchema } from "@alkdev/drizzlebox";
import { type TSchema, Type } from "@alkdev/typebox";
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import type { Message, Part, Session, SessionTurn } from "../../sessions/mod.ts";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

const amount = (name: string) => bigint(name, { mode: "number" }).notNull().default(0);
const count = (name: string) => integer(name).notNull().default(0);
const metadata = Type.Record(Type.String(), Type.Unknown());
const labels = Type.Record(Type.String(), Type.String());
const strings = Type.Array(Type.String());
const orNull = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const limit = orNull(Type.Number());

class Sessions {
  private static readonly table = pgTable("sessions", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    slug: text("slug").notNull(),
    title: text("title").notNull(),
    createdBy: text("created_by").notNull(),
    owner: exactJson("owner").$type<Session["owner"]>().notNull(),
    roleName: text("role_name"),
    roleVersion: integer("role_version"),
    agent: exactJson("agent").$type<Session["agent"]>().notNull(),
    model: text("model").notNull(),
    kind: text("kind", { enum: ["direct", "runner"] }).notNull(),
    status: text("status", { enum: ["idle", "busy", "waiting", "stopped", "failed"] }).notNull().default("idle"),
    parentId: text("parent_id").references((): AnyPgColumn => sessions.id, { onDelete: "set null" }),
    spawnedBy: exactJson("spawned_by").$type<Session["spawnedBy"]>(),
    forkOf: exactJson("fork_of").$type<Session["forkOf"]>(),
    workspace: exactJson("workspace").$type<Session["workspace"]>(),
    limits: exactJson("limits").$type<Session["limits"]>().notNull(),
    budget: exactJson("budget").$type<Session["budget"]>().notNull(),
    labels: jsonb("labels").$type<Session["labels"]>().notNull().default({}),
    inputTokens: amount("input_tokens"),
    outputTokens: amount("output_tokens"),
    costMicros: amount("cost_micros"),
    steps: count("steps"),
    turns: count("turns"),
    toolCalls: count("tool_calls"),
    toolErrors: count("tool_errors"),
    malformedCalls: count("malformed_calls"),
    turnMs: amount("turn_ms"),
    lastSeq: count("last_seq"),
    turnId: text("turn_id"),
    runId: uuid("run_id"),
    error: exactJson("error").$type<Session["error"]>(),
    lastActivityAt: instant("last_activity_at").notNull(),
    idempotencyKey: text("idempotency_key"),
  }, (t) => [
    unique().on(t.orgId, t.slug),
    unique().on(t.orgId, t.idempotencyKey),
    index("sessions_org_id_last_activity_at_idx").on(t.orgId, t.lastActivityAt),
    index("sessions_parent_id_idx").on(t.parentId).where(sql`parent_id is not null`),
    index("sessions_labels_idx").using("gin", t.labels).where(sql`labels <> '{}'::jsonb`),
  ]);
  private static readonly row = createSelectSchema(Sessions.table, {
    metadata,
    labels,
    owner: Type.Object({
      keyId: orNull(Type.String()),
      identity: Type.Object({ id: Type.String(), scopes: strings }),
    }),
    agent: Type.Object({
      systemPrompt: Type.String(),
      temperature: limit,
      tools: orNull(Type.Object({ operations: strings, workflows: strings, approve: strings })),
    }),
    limits: Type.Object({ maxSteps: limit, maxTokens: limit, maxCostMicros: limit, maxTurnMs: limit }),
    budget: Type.Object({ steps: limit, tokens: limit, costMicros: limit, timeMs: limit }),
  });
}

/** Conversations of agents, with what they may use and have used. */
export const sessions: (typeof Sessions)["table"] = Sessions["table"];
export const sessionRow: (typeof Sessions)["row"] = Sessions["row"];

class SessionTurns {
  private static readonly table = pgTable("session_turns", {
    id: text("id").primaryKey(),
    sessionId: text("session_id").notNull().references(() => sessions.id, { onDelete: "cascade" }),
    orgId: text("org_id").notNull(),
    n: integer("n").notNull(),
    status: text("status", { enum: ["open", "done", "stopped", "failed"] }).notNull(),
    runId: uuid("run_id"),
    parent: exactJson("parent").$type<SessionTurn["parent"]>(),
    steps: count("steps"),
    inputTokens: amount("input_tokens"),
    outputTokens: amount("output_tokens"),
    costMicros: amount("cost_micros"),
    error: exactJson("error").$type<SessionTurn["error"]>(),
    startedAt: instant("started_at").notNull(),
    endedAt: instant("ended_at"),
  }, (t) => [
    unique().on(t.sessionId, t.n),
    index("session_turns_started_at_idx").on(t.startedAt).where(sql`status = 'open'`),
    index("session_turns_run_id_idx").on(t.runId).where(sql`run_id is not null`),
  ]);
}

/** From a prompt until nothing is left to do. */
export const sessionTurns: (typeof SessionTurns)["table"] = SessionTurns["table"];

class SessionMessages {
  private static readonly table = pgTable("session_messages", {
    id: text("id").primaryKey(),
    sessionId: text("session_id").notNull().references(() => sessions.id, { onDelete: "cascade" }),
    seq: integer("seq").notNull(),
    role: text("role", { enum: ["user", "assistant", "system"] }).$type<Message["role"]>().notNull(),
    turnId: text("turn_id"),
    runId: uuid("run_id"),
    step: integer("step"),
    requestId: text("request_id"),
    text: text("text").notNull(),
    createdAt: instant("created_at").notNull(),
  }, (t) => [unique().on(t.sessionId, t.seq), unique().on(t.sessionId, t.requestId)]);
}

/** What was said, without its parts. */
export const sessionMessages: (typeof SessionMessages)["table"] = SessionMessages["table"];

class SessionParts {
  private static readonly table = pgTable("session_parts", {
    messageId: text("message_id").notNull().references(() => sessionMessages.id, { onDelete: "cascade" }),
    idx: integer("idx").notNull(),
    toolCallId: text("tool_call_id"),
    body: exactJson("body").$type<Part>().notNull(),
  }, (t) => [primaryKey({ columns: [t.messageId, t.idx] })]);
}

/** The parts of messages, in order. */
export const sessionParts: (typeof SessionParts)["table"] = SessionParts["table"];
